import type { Scratch } from '../../database/scratch.ts'
import type { Findings } from './findings.ts'
import type { Dialect, Staged } from './staged.ts'

/** What the planning steps share. */
export interface Planning extends Findings {
  readonly scratch: Scratch
  readonly archive: string
  readonly dialect: Dialect
  readonly unread: Staged['unread']
  /** The number of our format; 0 for an archive of Papermerge. */
  readonly format: number
  /** The records say something that cannot be. */
  invalid(reason: string): void
  /** A file that the records name is not there. */
  missing(member: string, about: string): void
}
