import type { Report } from './reports.ts'

export interface MigrateReport extends Report {
  readonly operation: 'migrate'
  readonly dataDirectory: string
  /** The database, without a password. */
  readonly database: string
  /** The version of the schema before; 0 where there was none. */
  readonly from: number
  readonly to: number
  /** Where the copy of the database from before an upgrade lies; null where none was made. */
  readonly copy: string | null
}
