import { createHash } from 'node:crypto'
import type { OpenArchive } from '../../archive/open-archive.ts'
import { createNotices, type NoticeCollector } from '../../contract/notices.ts'
import type { OnProgress } from '../../contract/reports.ts'
import type { ConflictChoice, RestorePlan } from '../../contract/restore-plan.ts'
import type { Db } from '../../database/database.ts'
import type { Scratch } from '../../database/scratch.ts'
import { keepDecided } from '../merge/keep-decided.ts'
import { keepTree } from '../merge/list-items.ts'
import { planMerge } from '../merge/plan-merge.ts'
import { planRestore, type Plan } from '../staging/plan.ts'
import { salvagingFindings, stageArchive, strictFindings, type StagedArchive } from '../staging/stage.ts'
import { knownUserIds } from './adopt-users.ts'

/** What is to be restored, and how. */
export interface RestoreInput {
  /** A path, or a stream that carries the archive. */
  readonly archive: string | AsyncIterable<Uint8Array>
  /** What to do with what is there, and different; `fail` where nothing is chosen. */
  readonly onConflict?: ConflictChoice
  /** Whether the instance is to become exactly what the archive is. */
  readonly replace?: boolean
  /** Whether what is damaged in the archive is left out and the rest restored. */
  readonly keepGoing?: boolean
  /** The digest of the plan that is to be carried out, and of no other. */
  readonly planDigest?: string
}

export interface PreparedRestore {
  readonly staged: StagedArchive
  /** What the archive holds. */
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
  archive: OpenArchive,
  scratch: Scratch,
  input: RestoreInput & {
    readonly scratchDirectory: string
    readonly identified: boolean
    /** Whether each item will be asked for, with `allItems`. */
    readonly listed?: boolean
    readonly onProgress: OnProgress
  },
  signal: AbortSignal | undefined,
): Promise<PreparedRestore> {
  const { keepGoing = false, replace = false, onConflict = 'fail', scratchDirectory, onProgress } = input
  const warnings = createNotices()
  const leftOut = createNotices()
  const findings = keepGoing ? salvagingFindings(scratch, warnings.add, leftOut.add) : strictFindings(warnings.add)
  const staged = await stageArchive(archive, scratch, scratchDirectory, findings, onProgress, signal)
  const contents = planRestore(staged, findings, replace ? new Map() : await knownUserIds(db))
  const plan = await planMerge(db, scratch, { onConflict, replace }, warnings.add)
  const digest = input.identified ? digestOf(plan.digest, await archive.sha256(), keepGoing) : plan.digest
  if (input.listed === true) keepTree(scratch)
  keepDecided(scratch)
  const bytes = Number(scratch.first('select coalesce(sum(size), 0) as n from plan_files')?.n)
  // Rows and their indexes take about as much as the text they come from, and the journal of the database as much again.
  const bytesNeeded = bytes + 2 * staged.survey.metadataBytes
  return { staged, contents, plan: { ...plan, digest }, bytes, bytesNeeded, warnings, leftOut }
}

const digestOf = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex')
