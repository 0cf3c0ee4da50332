import type { Report } from './reports.ts'
import type { TrashContents } from './trash.ts'

/** What a backup wrote. */
export interface BackupReport extends Report {
  readonly operation: 'backup'
  /** Where the archive lies; `-` for standard output. */
  readonly archive: string
  /** The moment that the archive shows. */
  readonly created: string
  readonly archiveBytes: number
  readonly encrypted: boolean
  readonly users: number
  readonly folders: number
  readonly documents: number
  readonly versions: number
  readonly tags: number
  readonly sidecars: number
  /** What is in the trash; the numbers before are without it. */
  readonly trash: TrashContents
  /** Originals and sidecars, those in the trash too, as they are. */
  readonly bytes: number
  /** Names that Papermerge will show in another form. */
  readonly renamed: number
  /** True where the archive was read back and proved. */
  readonly verified: boolean
}
