import { CompiledQuery } from 'kysely'
import { columnsOf } from './columns.ts'
import type { Tx } from './database.ts'
import { dialectOf, placeholder, type Dialect } from './dialect.ts'
import type { Schema } from './schema.ts'

// Far below what a statement may have of parameters (SQLite 32,766, PostgreSQL 65,535) with any table of ours, and more
// rows at a time are no faster.
const rowsPerStatement = 100
const textPerStatement = 1024 * 1024

/**
 * Inserts any number of rows of one table, in their order, many in a statement. The
 * text of a statement is put together here and not by Kysely, which takes longer for it than the database for the rows.
 */
export async function insertMany<T extends keyof Schema>(tx: Tx, table: T, rows: readonly Schema[T][]): Promise<void> {
  const dialect = dialectOf(tx)
  const columns = columnsOf(table)
  let batch: unknown[] = []
  let length = 0
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    const parameters = batch
    batch = []
    length = 0
    await tx.executeQuery(
      CompiledQuery.raw(statementFor(dialect, table, columns, parameters.length / columns.length), parameters),
    )
  }
  for (const row of rows) {
    for (const column of columns) {
      const value = row[column]
      if (typeof value === 'string') length += value.length
      batch.push(value)
    }
    if (batch.length >= rowsPerStatement * columns.length || length >= textPerStatement) await flush()
  }
  await flush()
}

function statementFor(dialect: Dialect, table: string, columns: readonly string[], rows: number): string {
  let position = 0
  const tuples = Array.from(
    { length: rows },
    () => `(${columns.map(() => placeholder(dialect, (position += 1))).join(',')})`,
  )
  return `insert into "${table}" (${columns.map((column) => `"${column}"`).join(',')}) values ${tuples.join(',')}`
}

const parametersPerQuery = 1000

/** Cuts what goes into an `in (…)` into pieces that every driver takes. */
export function* inPieces<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < values.length; start += parametersPerQuery) {
    yield values.slice(start, start + parametersPerQuery)
  }
}

/** Reads for any number of keys; `read` gets them in pieces, and what it finds is put together in that order. */
export async function readInPieces<K, R>(
  keys: readonly K[],
  read: (piece: readonly K[]) => Promise<R[]>,
): Promise<R[]> {
  const found: R[] = []
  for (const piece of inPieces(keys)) for (const row of await read(piece)) found.push(row)
  return found
}
