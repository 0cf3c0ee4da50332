import { Pool, type ClientConfig, type PoolClient } from 'pg'
import { Kysely } from 'kysely'
import { StrongroomError } from '../errors.ts'
import type { Database } from './database.ts'
import { toPostgresError, type Translate } from './driver-errors.ts'
import { migrateSchema, readSchemaVersion, type SchemaOptions } from './migrate.ts'
import { clientConfig } from './postgres-client.ts'
import { postgresDialect } from './postgres-dialect.ts'
import { instanceKey, keyWithin, lockPostgres } from './postgres-lock.ts'
import type { Schema } from './schema.ts'
import { redactUrl } from './url.ts'

export interface PostgresOptions extends SchemaOptions {
  readonly url: string
  readonly busySeconds: number
  /** A schema of the database to work in, with locks of its own; without one, what its search path leads to. */
  readonly namespace?: string
}

/** Advisory locks belong to one database, so fixed keys are enough. "STRG" and a number. */
const writersKey = 0x5354_5247_0002n

/**
 * Opens a database of a PostgreSQL server, 13 or later. Throws `database.invalid_url`, `database.unreachable`,
 * `database.denied`.
 */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const { url, busySeconds, namespace } = options
  const name = namespace === undefined ? redactUrl(url) : `${redactUrl(url)} (schema ${namespace})`
  const translate: Translate = (error) => toPostgresError(error, { database: name, seconds: busySeconds })
  // No number of ours comes near 2^53.
  // No number of ours comes near 2^53.
  const config = clientConfig(url, Number)
  const pool = createPool(config, name)
  const prepared = new WeakSet<PoolClient>()

  async function acquire(): Promise<PoolClient> {
    const client = await pool.connect()
    if (prepared.has(client)) return client
    try {
      await client.query(sessionSettings(busySeconds, namespace))
    } catch (error) {
      client.release(true)
      throw error
    }
    prepared.add(client)
    return client
  }

  async function beginSnapshot(): Promise<PoolClient> {
    const client = await acquire()
    try {
      // Not read-only, for temporary tables are made inside. A query after BEGIN, for only that takes the moment that the
      // transaction then shows.
      await client.query('begin isolation level repeatable read read write')
      await client.query('select 1')
      return client
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  const db = new Kysely<Schema>({
    dialect: postgresDialect({
      acquire,
      release: (client, broken) => client.release(broken),
      translate,
      // One writer at a time, as SQLite has it: what a transaction has read stays true until it is committed.
      beginWrite: `begin isolation level read committed read write; select pg_advisory_xact_lock(${keyWithin(writersKey, namespace)})`,
    }),
  })
  const write: Database['write'] = (work) => db.transaction().execute(work)

  try {
    ;(await acquire()).release()
  } catch (error) {
    await pool.end()
    throw translate(error)
  }

  return {
    dialect: 'postgres',
    name,
    db,
    write,
    async snapshot(work) {
      const client = await beginSnapshot().catch((error: unknown) => {
        throw translate(error)
      })
      const single = postgresDialect({ acquire: async () => client, release: () => {}, translate, beginWrite: '' })
      let broken = false
      try {
        return await work(new Kysely<Schema>({ dialect: single }))
      } finally {
        await client.query('rollback').catch(() => (broken = true))
        client.release(broken)
      }
    },
    lock: (mode, waitSeconds) => lockPostgres(config, keyWithin(instanceKey, namespace), mode, waitSeconds, translate),
    schemaVersion: () => readSchemaVersion(db, name, options),
    migrate: (appliedAt, note) => migrateSchema({ database: { db, write, name }, schema: options, appliedAt, note }),
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

function createPool(config: ClientConfig, name: string): Pool {
  try {
    const pool = new Pool({ ...config, max: 10 })
    // A connection that breaks says so in the next query on it; without a listener the event would end the process.
    pool.on('connect', (client) => client.on('error', () => {}))
    pool.on('error', () => {})
    return pool
  } catch (error) {
    throw new StrongroomError('database.invalid_url', { database: name }, { cause: error })
  }
}

/**
 * What a server may have been set to would end a long transaction or a slow query; reading is the default, so that a write
 * outside a transaction fails here as it does on SQLite.
 */
const sessionSettings = (busySeconds: number, namespace: string | undefined): string =>
  [
    ...(namespace === undefined ? [] : [`set search_path = "${namespace}"`]),
    'set default_transaction_read_only = on',
    'set statement_timeout = 0',
    'set idle_in_transaction_session_timeout = 0',
    // In milliseconds; 0 would be no limit.
    `set lock_timeout = ${Math.max(1, Math.round(busySeconds * 1000))}`,
    'set standard_conforming_strings = on',
  ].join('; ')
