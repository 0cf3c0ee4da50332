import { constants } from 'node:fs'
import { access, open } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { StrongroomError } from '../errors.ts'
import { systemCode } from '../std/files.ts'
import { reasonOf } from '../std/text.ts'
import type { Database, Tx } from './database.ts'
import { toSqliteError, type Translate } from './driver-errors.ts'
import { keepCopy } from './sqlite-copy.ts'
import { lockDirectory } from './sqlite-lock.ts'
import { migrateSchema, readSchemaVersion, type SchemaOptions } from './migrate.ts'
import type { Schema } from './schema.ts'
import { sqliteDialect, statementWaitMilliseconds } from './sqlite-dialect.ts'
import { createTurns } from './turns.ts'

export interface SqliteOptions extends SchemaOptions {
  readonly path: string
  readonly dataDirectory: string
  readonly busySeconds: number
  /** Whether a file that does not exist is made; without it that is `schema.missing`. */
  readonly create: boolean
}

/** "STRG": what a SQLite file of ours says of itself in its header (PRAGMA application_id). */
export const applicationId = 0x53545247

/**
 * Opens a database file. Throws `schema.missing` where there is none and none may be made, `database.foreign` for the file
 * of another program, `database.damaged` for what is no SQLite database, `database.denied`, `database.unreachable`.
 */
export async function openSqlite(options: SqliteOptions): Promise<Database> {
  const { path, busySeconds, dataDirectory } = options
  const context = { database: path, seconds: busySeconds }
  const translate: Translate = (error) => toSqliteError(error, context)
  await requireFile(path, options.create)

  const connections = new Set<DatabaseSync>()
  const connect = (settings: { readOnly: boolean }): DatabaseSync => {
    const connection = new DatabaseSync(path, { readOnly: settings.readOnly, timeout: statementWaitMilliseconds })
    connections.add(connection)
    connection.exec('pragma synchronous = full; pragma temp_store = file; pragma cache_size = -4000')
    return connection
  }
  const disconnect = (connection: DatabaseSync): void => {
    connections.delete(connection)
    connection.close()
  }
  const queriesOn = (connection: DatabaseSync): Kysely<Schema> =>
    new Kysely<Schema>({ dialect: sqliteDialect({ connection, translate, busySeconds }) })

  const opening = (): { reader: DatabaseSync; writer: DatabaseSync } => {
    try {
      const writer = connect({ readOnly: false })
      requireOurs(writer, path)
      // An empty file gets its journal mode when the schema is made: until then it may turn out to be another's.
      if (applicationIdOf(writer) === applicationId) writer.exec('pragma journal_mode = wal')
      const reader = connect({ readOnly: false })
      reader.exec('pragma query_only = on')
      return { reader, writer }
    } catch (error) {
      for (const connection of connections) connection.close()
      throw translate(error)
    }
  }
  const { reader, writer } = opening()
  const db = queriesOn(reader)
  const writing = queriesOn(writer)
  const turns = createTurns()

  async function write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const end = await turns.take(busySeconds)
    if (end === undefined) throw new StrongroomError('database.busy', { ...context })
    try {
      return await writing.transaction().execute(work)
    } finally {
      end()
    }
  }

  return {
    dialect: 'sqlite',
    name: path,
    db,
    write,
    async snapshot(work) {
      const connection = translating(translate, () => connect({ readOnly: true }))
      try {
        // A read after BEGIN, for only that takes the moment that the transaction then shows.
        translating(translate, () => connection.exec('begin; select count(*) from sqlite_schema'))
        return await work(queriesOn(connection))
      } finally {
        disconnect(connection)
      }
    },
    lock: (mode, waitSeconds) => lockDirectory(dataDirectory, mode, waitSeconds),
    schemaVersion: () => readSchemaVersion(db, path, options),
    migrate: (appliedAt, note) =>
      migrateSchema({
        database: { db, write, name: path },
        schema: options,
        appliedAt,
        note,
        prepare: async (from, to) => {
          if (from > 0) return keepCopy(writer, path, to, translate)
          translating(translate, () => writer.exec('pragma journal_mode = wal'))
          return undefined
        },
        mark: () => translating(translate, () => writer.exec(`pragma application_id = ${applicationId}`)),
      }),
    async [Symbol.asyncDispose]() {
      for (const connection of [...connections]) translating(translate, () => disconnect(connection))
    },
  }
}

function translating<T>(translate: Translate, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw translate(error)
  }
}

/** Sees to it that there is a file that this process may use; a new one is its owner's alone. */
async function requireFile(path: string, create: boolean): Promise<void> {
  try {
    await access(path, constants.R_OK | constants.W_OK)
    return
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new StrongroomError('database.denied', { database: path, reason: reasonOf(error) }, { cause: error })
    }
    if (!create) throw new StrongroomError('schema.missing', { database: path }, { cause: error })
  }
  try {
    // Never opened where it exists: closing any handle of a file ends all locks that this process holds on it.
    await (await open(path, 'wx', 0o600)).close()
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return
    const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
    throw new StrongroomError(
      denied
        ? 'database.denied'
        : code === 'ENOSPC' || code === 'EDQUOT'
          ? 'database.no_space'
          : 'database.unreachable',
      { database: path, reason: reasonOf(error) },
      { cause: error },
    )
  }
}

const applicationIdOf = (connection: DatabaseSync): number =>
  Number(connection.prepare('pragma application_id').get()?.['application_id'])

function requireOurs(connection: DatabaseSync, path: string): void {
  const id = applicationIdOf(connection)
  if (id === applicationId) return
  const tables = connection.prepare("select name from sqlite_schema where type = 'table' order by name limit 5").all()
  if (id === 0 && tables.length === 0) return
  const found = tables.length > 0 ? tables.map(({ name }) => String(name)).join(', ') : `application id ${id}`
  throw new StrongroomError('database.foreign', { database: path, found })
}
