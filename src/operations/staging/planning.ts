import type { Scratch } from '../../database/scratch.ts'
import type { Dialect, Findings } from './stage.ts'

/** What the planning steps share. */
export interface Planning extends Findings {
  readonly scratch: Scratch
  readonly archive: string
  readonly dialect: Dialect
  /** The number of our format; 0 for an archive of Papermerge. */
  readonly format: number
  /** backup.json says something that cannot be. */
  invalid(reason: string): void
}
