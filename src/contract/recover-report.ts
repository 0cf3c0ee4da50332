/** What was cleared up after processes that died, and after removals. */
export interface RecoverReport {
  /** Files that were written for rows that never came. */
  readonly unfinished: number
  /** Files that no row named any more. */
  readonly discarded: number
}
