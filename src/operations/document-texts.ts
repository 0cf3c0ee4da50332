import type { Db } from '../database/database.ts'
import { countPagesOf, pageFactsInRange, type PageFacts, pageFactsOf, pageTexts } from '../database/queries/pages.ts'
import { type VersionFacts, versionTexts } from '../database/queries/versions.ts'

const pagesAtOnce = 2000
/** Of all texts that are in memory at a time; one longer text is there alone. */
const charactersAtOnce = 2_000_000

/** These versions in their order, with their texts. */
export const versionsWithText = (db: Db, versions: readonly VersionFacts[]) =>
  withTexts(versions, (ids) => versionTexts(db, ids))

/** These pages in their order, with their texts. */
export const pagesWithText = (db: Db, pages: readonly PageFacts[]) => withTexts(pages, (ids) => pageTexts(db, ids))

/** The pages of these versions in their order: several versions at once where they are small, a large one in pieces. */
export async function* pageBatches(
  db: Db,
  versions: readonly { readonly id: string }[],
): AsyncGenerator<readonly PageFacts[], void, undefined> {
  const ids = versions.map(({ id }) => id)
  const counts = await countPagesOf(db, ids)
  const weight = (id: string): number => counts.get(id) ?? 0
  for (const piece of inPiecesOf(ids, weight, pagesAtOnce)) {
    const [first] = piece
    if (first !== undefined && weight(first) > pagesAtOnce) {
      yield* largeVersion(db, first)
      continue
    }
    const pages = Map.groupBy(await pageFactsOf(db, piece), (page) => page.version_id)
    yield piece.flatMap((id) => pages.get(id) ?? [])
  }
}

async function* largeVersion(db: Db, versionId: string): AsyncGenerator<readonly PageFacts[], void, undefined> {
  let after = -1
  for (;;) {
    const pages = await pageFactsInRange(db, versionId, after, pagesAtOnce)
    if (pages.length === 0) return
    yield pages
    after = pages.at(-1)!.number
  }
}

async function* withTexts<T extends { readonly id: string; readonly text_length: number }>(
  rows: readonly T[],
  read: (ids: readonly string[]) => Promise<{ id: string; text: string }[]>,
): AsyncGenerator<{ row: T; text: string }, void, undefined> {
  for (const piece of inPiecesOf(rows, (row) => row.text_length, charactersAtOnce)) {
    const filled = piece.filter((row) => row.text_length > 0).map(({ id }) => id)
    const texts = new Map((filled.length === 0 ? [] : await read(filled)).map(({ id, text }) => [id, text]))
    for (const row of piece) yield { row, text: texts.get(row.id) ?? '' }
  }
}

/** Cuts a list into pieces of at most `limit` in weight; what weighs more by itself is a piece alone. */
function* inPiecesOf<T>(values: readonly T[], weight: (value: T) => number, limit: number): Generator<readonly T[]> {
  let piece: T[] = []
  let total = 0
  for (const value of values) {
    const own = weight(value)
    if (piece.length > 0 && total + own > limit) {
      yield piece
      piece = []
      total = 0
    }
    piece.push(value)
    total += own
  }
  if (piece.length > 0) yield piece
}
