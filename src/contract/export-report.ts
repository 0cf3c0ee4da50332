import type { Report } from './reports.ts'

/** What a person took along. */
export interface ExportReport extends Report {
  readonly operation: 'export'
  readonly username: string
  /** The folder, or the zip file. */
  readonly to: string
  readonly format: 'folder' | 'zip'
  readonly folders: number
  /** Files of documents that are there now. */
  readonly documents: number
  /** Files that were written, with those that say what is known of the documents. */
  readonly files: number
  readonly bytes: number
  /** Files that were there already with the same bytes. */
  readonly unchanged: number
  /** Of the files that were written, those that took the place of another. */
  readonly replaced: number
}
