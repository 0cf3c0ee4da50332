import type { JsonObject } from '../../archive/json-records.ts'
import type { OnProgress } from '../../contract/reports.ts'
import type { ForeignDatabase, ForeignRow } from '../../database/foreign-database.ts'
import type { Scratch } from '../../database/scratch.ts'
import type { Findings } from '../staging/findings.ts'

/** What the steps of the reading share. */
export interface Reading {
  readonly database: ForeignDatabase
  readonly scratch: Scratch
  readonly findings: Findings
  readonly leftOut: Findings['warning']
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
  /** Keeps a record; `about` names its row where something is wrong with it. */
  keep(path: string, places: readonly number[], value: JsonObject, about: string): void
  /** Throws, or notes, that the database says something that cannot be. */
  invalid(reason: string): void
}

/** The rows of a query, as long as nobody wants it to end. */
export async function* rowsOf({ database, signal }: Reading, sql: string): AsyncGenerator<ForeignRow> {
  for await (const row of database.rows(sql)) {
    signal?.throwIfAborted()
    yield row
  }
}

export async function countOf(reading: Reading, table: string): Promise<number> {
  if (!reading.database.tables.has(table)) return 0
  for await (const row of rowsOf(reading, `select count(*) as n from ${table}`)) return Number(row['n'])
  return 0
}
