import type { Report } from './reports.ts'

/** What was taken out of an archive. */
export interface ExtractReport extends Report {
  readonly operation: 'extract'
  readonly archive: string
  /** The folder that it was written to; `-` for standard output. */
  readonly to: string
  readonly folders: number
  /** Files that were written. */
  readonly files: number
  readonly bytes: number
  /** Files that were there already with the same bytes. */
  readonly unchanged: number
  /** Of the files that were written, those that took the place of another. */
  readonly replaced: number
  /** Whether the archive was read through, or only what was needed of it. */
  readonly reading: 'whole' | 'part'
  /** True where every file was held against a SHA-256 that the archive carries. */
  readonly proved: boolean
}
