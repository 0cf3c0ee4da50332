import type { Report } from './reports.ts'

export interface ImportReport extends Report {
  readonly operation: 'import'
  readonly username: string
  /** The path of the folder that took the files. */
  readonly into: string
  /** Documents that are new. */
  readonly added: number
  /** New versions of documents that were there already. */
  readonly newVersions: number
  /** Files whose bytes are the last version of the document at their place. */
  readonly unchanged: number
  /** Folders that are new. */
  readonly folders: number
  /** Of the files that were added and of the new versions. */
  readonly bytes: number
}
