import { sql } from 'kysely'
import type { Db, Tx } from '../database.ts'
import { insertMany, readInPieces } from '../insert-many.ts'
import type { PageRow } from '../schema.ts'

/** A page without its text, with the number of characters that it has. */
export type PageFacts = Omit<PageRow, 'text'> & { text_length: number }

export const findPage = (db: Db, id: string): Promise<PageRow | undefined> =>
  db.selectFrom('pages').selectAll().where('id', '=', id).executeTakeFirst()

/** The pages of these versions with their texts, by version and then by number. */
export const pagesOf = (db: Db, versionIds: readonly string[]): Promise<PageRow[]> =>
  readInPieces(versionIds, (piece) =>
    db
      .selectFrom('pages')
      .selectAll()
      .where('version_id', 'in', piece)
      .orderBy('version_id')
      .orderBy('number')
      .execute(),
  )

/** The same without the texts, so that a reader can choose how many texts to ask for at once. */
export const pageFactsOf = (db: Db, versionIds: readonly string[]): Promise<PageFacts[]> =>
  readInPieces(versionIds, (piece) =>
    db
      .selectFrom('pages')
      .select(['id', 'version_id', 'number', 'lang', sql<number>`length(text)`.as('text_length')])
      .where('version_id', 'in', piece)
      .orderBy('version_id')
      .orderBy('number')
      .execute(),
  )

/** How many pages each of these versions has; one without any is not in the answer. */
export async function countPagesOf(db: Db, versionIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await readInPieces(versionIds, (piece) =>
    db
      .selectFrom('pages')
      .select(['version_id', ({ fn }) => fn.countAll<number>().as('count')])
      .where('version_id', 'in', piece)
      .groupBy('version_id')
      .execute(),
  )
  return new Map(rows.map((row) => [row.version_id, row.count]))
}

/** Pages of one version after the number `after` (-1 for the first), at most `limit`, by number, without their texts. */
export const pageFactsInRange = (db: Db, versionId: string, after: number, limit: number): Promise<PageFacts[]> =>
  db
    .selectFrom('pages')
    .select(['id', 'version_id', 'number', 'lang', sql<number>`length(text)`.as('text_length')])
    .where('version_id', '=', versionId)
    .where('number', '>', after)
    .orderBy('number')
    .limit(limit)
    .execute()

/** The texts of these pages. */
export const pageTexts = (db: Db, ids: readonly string[]): Promise<{ id: string; text: string }[]> =>
  readInPieces(ids, (piece) =>
    db.selectFrom('pages').select(['id', 'text']).where('id', 'in', piece).orderBy('id').execute(),
  )

/** Pages of one version after the number `after` (-1 for the first), at most `limit`, by number. */
export const pagesInRange = (db: Db, versionId: string, after: number, limit: number): Promise<PageRow[]> =>
  db
    .selectFrom('pages')
    .selectAll()
    .where('version_id', '=', versionId)
    .where('number', '>', after)
    .orderBy('number')
    .limit(limit)
    .execute()

export const insertPages = (tx: Tx, rows: readonly PageRow[]): Promise<void> => insertMany(tx, 'pages', rows)
