import type { DrillOutcome } from './drill-report.ts'
import type { Report } from './reports.ts'

/** Each finding is in `leftOut`: the instance lacks what it should have, or has what nothing names. */
export interface CheckReport extends Report {
  readonly operation: 'check'
  /** Sizes only, no hashes. */
  readonly quick: boolean
  /** Files of versions and of pages that were compared. */
  readonly files: number
  readonly bytes: number
  readonly missing: number
  /** Of another size, or with another SHA-256, than when they came in. */
  readonly changed: number
  /** That could not be read. */
  readonly unreadable: number
  /** In the media folder, and named by nothing. */
  readonly orphaned: number
  /** Left by a process that died; the next command that writes removes them. */
  readonly unfinished: number
  /** The last drill, and when one last proved its archive, that many days ago; null where there was none. */
  readonly lastDrill: {
    readonly at: string
    readonly outcome: DrillOutcome
    readonly proved: string | null
    readonly daysAgo: number | null
  } | null
}
