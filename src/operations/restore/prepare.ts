import { createHash } from 'node:crypto'
import type { ArchiveSource } from '../../archive/open-archive.ts'
import { createNotices, type NoticeCollector } from '../../contract/notices.ts'
import type { OnProgress } from '../../contract/reports.ts'
import type { ChosenParts } from '../../contract/restore-parts.ts'
import type { ConflictChoice, RestorePlan } from '../../contract/restore-plan.ts'
import type { Db } from '../../database/database.ts'
import type { Scratch } from '../../database/scratch.ts'
import { keepDecided } from '../merge/keep-decided.ts'
import { keepTree } from '../merge/list-items.ts'
import { planMerge } from '../merge/plan-merge.ts'
import { countPlan, planRestore, type Plan } from '../staging/plan.ts'
import type { Staged } from '../staging/staged.ts'
import { knownUserIds } from './adopt-users.ts'
import { choiceOf, chooseParts } from './choose-parts.ts'
import type { SourceInput } from './open-source.ts'
import type { Source } from './source.ts'

/** What is to be restored, and how. */
export interface RestoreInput {
  /** A path, a stream that carries the archive, or a living Papermerge. */
  readonly archive: SourceInput
  /** What opens an encrypted archive. */
  readonly keys?: ArchiveSource['keys']
  /** What to do with what is there, and different; `fail` where nothing is chosen. */
  readonly onConflict?: ConflictChoice
  /** Whether the instance is to become exactly what the archive is. */
  readonly replace?: boolean
  /** Whether what is damaged in the archive is left out and the rest restored. */
  readonly keepGoing?: boolean
  /** What of the archive is wanted; all of it without. */
  readonly parts?: ChosenParts
  /** The digest of the plan that is to be carried out, and of no other. */
  readonly planDigest?: string
}

export interface PreparedRestore {
  readonly staged: Staged
  /** What of the source is wanted. */
  readonly contents: Plan
  /** What becomes of it. */
  readonly plan: RestorePlan
  /** Of the files that will be written. */
  readonly bytes: number
  /** What the disk must have free. */
  readonly bytesNeeded: number
  readonly warnings: NoticeCollector
  readonly leftOut: NoticeCollector
}

/**
 * Reads an archive through, relates it, and decides what becomes of it in the instance. Nothing is changed; what is to be
 * written and inserted lies in `scratch`. `identified` makes the plan's digest tell this archive from every other.
 */
export async function prepareRestore(
  db: Db,
  source: Source,
  scratch: Scratch,
  input: RestoreInput & {
    readonly identified: boolean
    /** Whether each item will be asked for, with `allItems`. */
    readonly listed?: boolean
    readonly onProgress: OnProgress
  },
  signal: AbortSignal | undefined,
): Promise<PreparedRestore> {
  const { keepGoing = false, replace = false, onConflict = 'fail', onProgress } = input
  const parts = input.parts ?? null
  const warnings = createNotices()
  const leftOut = createNotices()
  const choice = parts === null ? {} : { choice: choiceOf(parts) }
  const notes = { keepGoing, warning: warnings.add, leftOut: leftOut.add, ...choice }
  const { staged, findings } = await source.stage(scratch, notes, onProgress, signal)
  const whole = planRestore(staged, findings, replace ? new Map() : await knownUserIds(db))
  if (parts !== null) chooseParts(scratch, source.name, parts)
  const contents = parts === null ? whole : countPlan(scratch)
  const plan = await planMerge(db, scratch, { onConflict, replace, parts }, warnings.add)
  const digest = input.identified ? digestOf(plan.digest, await source.identity(scratch), keepGoing) : plan.digest
  if (input.listed === true) keepTree(scratch)
  keepDecided(scratch, parts?.versions ?? 'all')
  const bytes = Number(scratch.first('select coalesce(sum(size), 0) as n from plan_files')?.n)
  // Rows and their indexes take about as much as the text they come from, and the journal of the database as much again.
  const rows = parts === null ? staged.survey.metadataBytes : bytesOfRows(scratch)
  const bytesNeeded = bytes + 2 * rows
  return { staged, contents, plan: { ...plan, digest }, bytes, bytesNeeded, warnings, leftOut }
}

/** About what backup.json has of the rows that are left. */
const bytesOfRows = (scratch: Scratch): number =>
  Number(
    scratch.first(
      `select (select coalesce(sum(octet_length(text) + 500), 0) from plan_versions) +
         (select coalesce(sum(octet_length(text) + 200), 0) from plan_pages) + (select 500 * count(*) from plan_nodes) as n`,
    )?.n,
  )

const digestOf = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex')
