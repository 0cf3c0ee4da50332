import { access, constants } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { onFile } from '../std/files.ts'
import { toSqliteError } from './driver-errors.ts'
import { tablesFrom, type ForeignDatabase, type ForeignRow } from './foreign-database.ts'
import { applicationId } from './sqlite.ts'

const waitMilliseconds = 5000
/** After how many rows others have a turn: node:sqlite gives them one after the other without ever waiting. */
const rowsAtOnce = 200

const columnsOfTables = `select t.name as table_name, c.name as column_name
  from sqlite_schema t join pragma_table_info(t.name) c where t.type in ('table', 'view')`

/**
 * Opens a SQLite file read-only, in one read transaction. Another program that writes waits meanwhile, unless its file is in
 * WAL mode.
 */
export async function openForeignSqlite(path: string): Promise<ForeignDatabase> {
  await onFile(path, 'read', () => access(path, constants.R_OK))
  const translate = (error: unknown): unknown =>
    toSqliteError(error, { database: path, seconds: waitMilliseconds / 1000 })
  let connection: DatabaseSync | undefined
  try {
    connection = new DatabaseSync(path, { readOnly: true, timeout: waitMilliseconds })
    // A read after BEGIN, for only that takes the moment that the transaction then shows.
    connection.exec('pragma query_only = on; begin; select count(*) from sqlite_schema')
    const opened = connection
    const all = (sql: string): ForeignRow[] => opened.prepare(sql).all() as ForeignRow[]
    const tables = tablesFrom(all(columnsOfTables))
    const marked = all('pragma application_id')[0]?.['application_id'] === applicationId
    return {
      kind: 'sqlite',
      name: path,
      tables,
      marked,
      async *rows(sql) {
        try {
          const statement = opened.prepare(sql)
          // A number too large for JavaScript would be thrown.
          statement.setReadBigInts(true)
          let given = 0
          for (const row of statement.iterate()) {
            yield withNumbers(row)
            given += 1
            if (given % rowsAtOnce === 0) await nextTurn()
          }
        } catch (error) {
          throw translate(error)
        }
      },
      [Symbol.asyncDispose]: () => Promise.resolve(opened.close()),
    }
  } catch (error) {
    connection?.close()
    throw translate(error)
  }
}

function withNumbers(row: Record<string, unknown>): ForeignRow {
  const read: Record<string, ForeignRow[string]> = {}
  for (const [name, value] of Object.entries(row)) {
    read[name] = typeof value === 'bigint' ? numberOf(value) : (value as ForeignRow[string])
  }
  return read
}

const numberOf = (value: bigint): number | null => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : null
}
