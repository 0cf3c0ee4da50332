import type { Notices, Report } from './reports.ts'

/** What was proved of an archive, and what is wrong with it. */
export interface VerifyReport extends Report {
  readonly operation: 'verify'
  readonly archive: string
  readonly writer: string
  readonly created: string | null
  /** True where a restore would take the archive as it is. */
  readonly sound: boolean
  /** True where every file was held against a hash that the archive carries. */
  readonly proved: boolean
  /** How many files the archive itself declares as lost or damaged before it was made. */
  readonly declaredDamage: number
  /** All that is wrong. */
  readonly findings: Notices
  readonly users: number
  readonly documents: number
  readonly versions: number
  readonly files: number
  readonly bytes: number
}
