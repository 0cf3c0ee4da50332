import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { toPostgresError } from './driver-errors.ts'
import { redactUrl } from './url.ts'

/** A schema of its own in a PostgreSQL database; disposing drops it with all that is in it. */
export interface ScratchSchema extends AsyncDisposable {
  readonly name: string
}

/** The first of two keys of the advisory lock that shows that the owner of a scratch schema lives: "STRG". */
const ownersKey = 0x5354_5247
const pattern = '^strongroom_drill_[0-9a-f]{32}$'

/**
 * Makes a scratch schema beside what the database holds, which it does not touch; `openDatabase` takes it as its namespace.
 * Needs the right to create a schema, as the owner of a database has it. Those of dead processes are dropped first: a lock of
 * the session tells them from those in use. Throws `database.denied`, `database.unreachable`, `database.…`.
 */
export async function createScratchSchema(url: string): Promise<ScratchSchema> {
  const translate = (error: unknown): unknown => toPostgresError(error, { database: redactUrl(url), seconds: 5 })
  const client = new Client({ connectionString: url, application_name: 'strongroom drill', keepAlive: true })
  // A lost connection says so in the next query; without a listener the event would end the process.
  client.on('error', () => {})
  const name = `strongroom_drill_${randomBytes(16).toString('hex')}`
  try {
    await client.connect()
    await client.query("set statement_timeout = 0; set lock_timeout = '5s'; set default_transaction_read_only = off")
    await dropDead(client)
    await tryLock(client, name)
    await client.query(`create schema "${name}"`)
  } catch (error) {
    await client.end().catch(() => {})
    throw translate(error)
  }
  return {
    name,
    async [Symbol.asyncDispose]() {
      try {
        await client.query(`drop schema if exists "${name}" cascade`)
      } catch (error) {
        throw translate(error)
      } finally {
        await client.end().catch(() => {})
      }
    },
  }
}

async function tryLock(client: Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as locked', [
    ownersKey,
    name,
  ])
  return rows[0]?.locked === true
}

async function dropDead(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>('select nspname as name from pg_namespace where nspname ~ $1', [
    pattern,
  ])
  for (const { name } of rows) {
    if (!(await tryLock(client, name))) continue
    // What is another user's, or still being let go by the server, is left to the next one.
    await client.query(`drop schema if exists "${name}" cascade`).catch(() => undefined)
    await client.query('select pg_advisory_unlock($1, hashtext($2))', [ownersKey, name])
  }
}
