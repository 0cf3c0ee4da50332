import type { Scratch } from '../../database/scratch.ts'
import type { Dialect, Findings } from './stage.ts'

/** What the planning steps share. */
export interface Planning extends Findings {
  readonly scratch: Scratch
  readonly archive: string
  readonly dialect: Dialect
  /** backup.json says something that cannot be. */
  invalid(reason: string): void
}
