import type { Report } from './reports.ts'

/** An archive of what an instance held before it was replaced. */
export interface RestorePoint {
  readonly name: string
  readonly path: string
  readonly size: number
}

/** Those that there are, or that were removed. */
export interface RestorePointsReport extends Report {
  readonly operation: 'restore-points'
  readonly points: readonly RestorePoint[]
}
