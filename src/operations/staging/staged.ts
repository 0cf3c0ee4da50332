import type { HeaderRecord } from '../../archive/records.ts'
import type { Survey } from '../../archive/survey.ts'
import type { Scratch } from '../../database/scratch.ts'
import type { StrongroomError } from '../../errors.ts'

/** Which program's form the records have. */
export type Dialect = 'papermerge-2' | 'papermerge-3' | 'strongroom'

/** What an archive, or a living Papermerge, holds: rows in the raw_ tables, read once, not yet related to each other. */
export interface Staged {
  /** How messages name where it comes from. */
  readonly name: string
  readonly scratch: Scratch
  readonly survey: Pick<Survey, 'proved' | 'files' | 'bytes' | 'folders' | 'links' | 'strangers' | 'metadataBytes'>
  readonly header: HeaderRecord | undefined
  readonly dialect: Dialect
  /** Kinds of files that were not looked at: the records are believed of them. */
  readonly unread: { readonly originals: boolean; readonly sidecars: boolean }
  /** The error for something that cannot be. */
  invalid(reason: string): StrongroomError
  /** The error for a file that is not where it should be. */
  missing(member: string, about: string): StrongroomError
}
