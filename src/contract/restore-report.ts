import type { Report } from './reports.ts'
import type { RestorePlan } from './restore-plan.ts'
import type { TrashContents } from './trash.ts'

/** What a restore brought back, or an import of a living Papermerge brought in; `archive` is where it came from. */
export interface RestoreReport extends Report {
  readonly operation: 'restore' | 'import-papermerge'
  readonly archive: string
  /** Which program wrote the archive, as it says itself. */
  readonly writer: string
  /** When it was made, as it says itself; null where it does not. */
  readonly created: string | null
  /** What became of everything that the archive holds. */
  readonly plan: RestorePlan
  /** The archive of what was replaced; null where nothing was, or none was wanted. */
  readonly restorePoint: string | null
  /** These and the next count what the archive holds. */
  readonly users: number
  /** Users of the instance who had nothing and took on what the archive says of them. */
  readonly adopted: number
  readonly groups: number
  readonly folders: number
  readonly documents: number
  readonly versions: number
  readonly pages: number
  readonly tags: number
  readonly sidecars: number
  /** What the archive holds in the trash, not counted above. */
  readonly trash: TrashContents
  /** Bytes of the files written. */
  readonly bytes: number
  /** True where every file was held against a hash that the archive carries. */
  readonly proved: boolean
}
