import { Client } from 'pg'
import { StrongroomError } from '../errors.ts'
import { toPostgresError } from './driver-errors.ts'
import { tablesFrom, type ForeignDatabase, type ForeignRow } from './foreign-database.ts'
import { clientConfig } from './postgres-client.ts'
import { redactUrl } from './url.ts'

const lockSeconds = 5
const rowsAtOnce = 100

const columnsOfTables = `select table_name, column_name from information_schema.columns
  where table_schema = any (current_schemas(false))`

// Whatever the server or the role was set to: a long transaction goes on, and dates come as ISO.
const sessionSettings = [
  'set default_transaction_read_only = on',
  'set statement_timeout = 0',
  'set idle_in_transaction_session_timeout = 0',
  `set lock_timeout = ${lockSeconds * 1000}`,
  "set datestyle = 'ISO'",
  "set timezone = 'UTC'",
  'begin isolation level repeatable read read only',
].join('; ')

const numberOf = (text: string): number | null => {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : null
}

/** Opens a database of a PostgreSQL server in one transaction that can only read. Writers are not blocked. */
export async function openForeignPostgres(url: string): Promise<ForeignDatabase> {
  const name = redactUrl(url)
  const translate = (error: unknown): unknown => toPostgresError(error, { database: name, seconds: lockSeconds })
  const client = clientFor(url, name)
  // A connection that breaks says so in the next query on it; without a listener the event would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query(sessionSettings)
    const { rows } = await client.query<ForeignRow>(columnsOfTables)
    return {
      kind: 'postgres',
      name,
      tables: tablesFrom(rows),
      marked: false,
      async *rows(sql) {
        try {
          await client.query(`declare reading no scroll cursor for ${sql}`)
          for (;;) {
            const batch = await client.query<ForeignRow>(`fetch ${rowsAtOnce} from reading`)
            if (batch.rows.length === 0) break
            yield* batch.rows
          }
        } catch (error) {
          throw translate(error)
        } finally {
          // Not possible, nor needed, where the query failed.
          await client.query('close reading').catch(() => undefined)
        }
      },
      [Symbol.asyncDispose]: () => client.end(),
    }
  } catch (error) {
    await client.end().catch(() => undefined)
    throw translate(error)
  }
}

function clientFor(url: string, name: string): Client {
  try {
    return new Client(clientConfig(url, numberOf))
  } catch (error) {
    throw new StrongroomError('database.invalid_url', { database: name }, { cause: error })
  }
}
