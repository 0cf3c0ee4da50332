import type { ArchiveSource } from '../archive/open-archive.ts'
import type { ComparedSide, CompareReport, Side } from '../contract/compare-report.ts'
import { createNotices, type NoticeCollector } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import { openScratch, type Scratch } from '../database/scratch.ts'
import { findChanges } from './compare/find-changes.ts'
import { hashFiles } from './compare/hash-files.ts'
import { listDifferences } from './compare/differences.ts'
import { matchKind } from './compare/match.ts'
import { noteKind } from './compare/note-side.ts'
import { createCompareTables, kinds, sideNumber, type ComparedContents } from './compare/tables.ts'
import { openArchiveContents, type ArchiveContents } from './contents/archive-contents.ts'
import type { Contents } from './contents/contents.ts'
import { scratchFor, type ScratchPlaces } from './scratch-places.ts'
import { strictFindings } from './staging/findings.ts'
import { originOf } from './staging/writer-of.ts'

/** What is compared: an archive by its path or as a stream, or an instance whose lock the caller holds. */
export type CompareInput = ArchiveSource | { readonly contents: (signal?: AbortSignal) => Promise<Contents> }

/**
 * Tells what differs between two archives or instances, down to the bytes of each file: every file of both is read and hashed,
 * unless `quick`. Changes nothing. Memory does not grow with what is compared. Throws `archive.…`, `file.…`, `database.…`.
 */
export function createCompare(places: ScratchPlaces) {
  return async function compare(
    input: { readonly left: CompareInput; readonly right: CompareInput; readonly quick: boolean },
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<CompareReport> {
    const warnings = createNotices()
    let encrypted = false
    async function open(side: CompareInput): Promise<ArchiveContents | Contents> {
      if ('contents' in side) return side.contents(signal)
      const contents = await openArchiveContents(side, places, strictFindings(warnings.add), onProgress, signal)
      encrypted ||= contents.archive.encrypted
      return contents
    }
    await using left = await open(input.left)
    await using right = await open(input.right)
    const sides = { left, right }
    const scratchDirectory = scratchFor({ encrypted }, places)
    return await compareContents({ sides, scratchDirectory, quick: input.quick, warnings }, onProgress, signal)
  }
}

/** The same for two that are open. */
export async function compareContents(
  input: {
    readonly sides: Readonly<Record<Side, ArchiveContents | Contents>>
    readonly scratchDirectory: string
    readonly quick: boolean
    readonly warnings: NoticeCollector
    /** Looks at the tables of what was found, before they go. */
    readonly examine?: (scratch: Scratch) => void
  },
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<CompareReport> {
  const { sides, quick, warnings } = input
  using scratch = openScratch(input.scratchDirectory)
  createCompareTables(scratch)
  const damaged = { left: 0, right: 0 }
  const unsaid = new Set<Side>()
  const [left, right] = (['left', 'right'] as const).map((side) => ({
    ...describe(side, sides),
    scratch,
    quick,
    warnings,
    onDamage: () => (damaged[side] += 1),
    onUnsaid: () => unsaid.add(side),
  }))
  const both = [left!, right!]
  scratch.exec('begin')
  if (!quick) for (const one of both) await hashFiles(scratch, one, 'staged' in sides[one.side], onProgress, signal)
  let others = false
  for (const kind of kinds) {
    signal?.throwIfAborted()
    for (const one of both) noteKind[kind](one)
    others = matchKind(scratch, kind, others)
  }
  const ownIds = left!.own && right!.own
  findChanges(scratch, ownIds)
  const found = listDifferences(scratch)
  scratch.exec('commit')
  input.examine?.(scratch)
  for (const side of unsaid) {
    warnings.add(
      'compare.not_said',
      sides[side].name,
      'It leaves some dates and account fields open; those were not compared.',
    )
  }
  const underOtherIds = ownIds
    ? 0
    : Number(scratch.first("select count(*) as n from things where other_id = 1 and kind <> 'sidecar'")?.n)
  return {
    operation: 'compare',
    quick,
    equal: found.total === 0,
    left: countSide(scratch, 'left', sides.left, damaged.left),
    right: countSide(scratch, 'right', sides.right, damaged.right),
    ...found,
    underOtherIds,
    warnings: warnings.collected(),
    leftOut: createNotices().collected(),
  }
}

function describe(side: Side, sides: Readonly<Record<Side, ArchiveContents | Contents>>): ComparedContents {
  const contents = sides[side]
  const own = !('staged' in contents) || contents.staged.dialect === 'strongroom'
  return { side, contents, own, label: contents.name }
}

function countSide(scratch: Scratch, side: Side, contents: ArchiveContents | Contents, damaged: number): ComparedSide {
  const counts = new Map<string, number>()
  const rows = scratch.rows(
    `select case kind when 'node' then json_extract(fields, '$.type') else kind end as thing, count(*) as n from things
     where side = ? group by 1`,
    sideNumber[side],
  )
  for (const { thing, n } of rows) counts.set(String(thing), Number(n))
  const count = (thing: string): number => counts.get(thing) ?? 0
  const files = scratch.first(
    'select count(*) as n, coalesce(sum(size), 0) as bytes from files where side = ? and sha256 is not null',
    sideNumber[side],
  )
  return {
    name: contents.name,
    type: 'staged' in contents ? 'archive' : 'instance',
    created: 'staged' in contents ? originOf(contents.staged).created : null,
    users: count('user'),
    groups: count('group'),
    tags: count('tag'),
    folders: count('folder'),
    documents: count('document'),
    versions: count('version'),
    pages: count('page'),
    sidecars: count('sidecar'),
    files: Number(files?.n),
    bytes: Number(files?.bytes),
    damaged,
  }
}
