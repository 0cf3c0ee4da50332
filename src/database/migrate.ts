import { sql, type TableMetadata } from 'kysely'
import { StrongroomError } from '../errors.ts'
import type { Timestamp } from '../std/clock.ts'
import { fates } from './archived.ts'
import type { Database, Db, MigrationNote, Tx } from './database.ts'
import { columnTypes, dialectOf } from './dialect.ts'
import { allMigrations, type Migration } from './migrations.ts'

export interface SchemaOptions {
  /** The steps of the schema; the program's own unless a test gives others. */
  readonly migrations?: readonly Migration[]
}

const historyTable = 'schema_migrations'
const historyColumns = ['applied_at', 'name', 'version']

/**
 * The version of the schema: 0 where there is none. A version higher than this program knows is returned as it is. Throws
 * `database.foreign` for tables of another program under our names, `database.damaged` for half a schema of ours.
 */
export async function readSchemaVersion(db: Db, database: string, options: SchemaOptions): Promise<number> {
  const { migrations = allMigrations } = options
  const tables = await ownTables(db)
  const history = tables.find(({ name }) => name === historyTable)
  const found = tables.map(({ name }) => name).join(', ')
  if (history === undefined) {
    if (tables.length === 0) return 0
    throw notOurs(db, database, found, `it has tables (${found}) and no list of migrations`)
  }
  if (
    history.columns
      .map(({ name }) => name)
      .toSorted()
      .join() !== historyColumns.join()
  ) {
    throw notOurs(db, database, historyTable, 'its list of migrations has other columns')
  }

  const applied = await db.selectFrom(historyTable).select(['version', 'name']).orderBy('version').execute()
  if (applied.length === 0 && tables.length > 1) throw damaged(database, `it has tables (${found}) and no migrations`)
  for (const [index, { version, name }] of applied.entries()) {
    if (version !== index + 1) throw damaged(database, `migration ${index + 1} is missing from its list`)
    const known = migrations[index]
    if (known !== undefined && known.name !== name) {
      throw damaged(database, `its migration ${version} is "${name}", and "${known.name}" was expected`)
    }
  }
  if (applied.length === migrations.length) {
    const missing = Object.keys(fates).filter((name) => !tables.some((table) => table.name === name))
    if (missing.length > 0) throw damaged(database, `it lacks tables: ${missing.join(', ')}`)
  }
  return applied.length
}

// A SQLite file with our mark is ours whatever it lacks; a PostgreSQL database has no mark.
const notOurs = (db: Db, database: string, found: string, reason: string): StrongroomError =>
  dialectOf(db) === 'sqlite' ? damaged(database, reason) : new StrongroomError('database.foreign', { database, found })

const damaged = (database: string, reason: string): StrongroomError =>
  new StrongroomError('database.damaged', { database, reason })

/** The tables and views under names of ours, where an unqualified name leads to. */
async function ownTables(db: Db): Promise<readonly TableMetadata[]> {
  const tables = await db.introspection.getTables()
  const ours = tables.filter(({ name }) => Object.hasOwn(fates, name))
  if (dialectOf(db) === 'sqlite') return ours
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(db)
  return ours.filter(({ schema }) => schema === rows[0]?.name)
}

/** What makes an upgrade; `prepare` and `mark` are what one kind of database needs beside it. */
export interface Upgrade {
  readonly database: Pick<Database, 'db' | 'write' | 'name'>
  readonly schema: SchemaOptions
  readonly appliedAt: Timestamp
  readonly note?: MigrationNote | undefined
  /** Called before the transaction where there is something to do; returns the path of the copy that it kept. */
  readonly prepare?: (from: number, to: number) => Promise<string | undefined>
  /** Called inside the transaction. */
  readonly mark?: () => void
}

/**
 * Brings the schema to the newest version in one transaction. The caller holds the exclusive lock. Throws `schema.newer`,
 * `database.wrong_encoding`, `database.foreign`, and what `readSchemaVersion` throws; nothing has changed then.
 */
export async function migrateSchema(upgrade: Upgrade): Promise<{ from: number; to: number; copy?: string }> {
  const { database, schema, appliedAt } = upgrade
  const { migrations = allMigrations } = schema
  const to = migrations.length
  const from = await readSchemaVersion(database.db, database.name, schema)
  if (from > to) throw new StrongroomError('schema.newer', { database: database.name, found: from, known: to })
  if (from === to) return { from, to }
  await requireUnicode(database)
  if (from === 0) await requireNoPapermerge(database)
  const copy = await upgrade.prepare?.(from, to)
  await database.write(async (tx) => {
    // Once more, for a caller that came without the lock.
    const present = await readSchemaVersion(tx, database.name, schema)
    if (present === 0) await createHistory(tx)
    for (const migration of migrations.slice(present)) {
      await migration.up(tx.$pickTables<never>(), dialectOf(tx))
      await tx
        .insertInto(historyTable)
        .values({ version: migration.version, name: migration.name, applied_at: appliedAt })
        .execute()
    }
    upgrade.mark?.()
    if (present < to) await upgrade.note?.(tx, { from: present, to })
  })
  return copy === undefined ? { from, to } : { from, to, copy }
}

async function createHistory(tx: Tx): Promise<void> {
  const { text, whole, tableOptions } = columnTypes(dialectOf(tx))
  const columns = `version ${whole} primary key, name ${text} not null, applied_at ${text} not null`
  await sql.raw(`create table if not exists ${historyTable} (${columns})${tableOptions}`).execute(tx)
}

/** The one address that is easily given for ours by mistake, while its documents are brought in. */
async function requireNoPapermerge({ db, name }: Pick<Database, 'db' | 'name'>): Promise<void> {
  const tables = await db.introspection.getTables()
  const found = tables.map((table) => table.name).filter((table) => table.startsWith('core_'))
  if (!found.includes('core_basetreenode')) return
  throw new StrongroomError('database.foreign', { database: name, found: found.slice(0, 5).join(', ') })
}

async function requireUnicode({ db, name }: Pick<Database, 'db' | 'name'>): Promise<void> {
  if (dialectOf(db) === 'sqlite') return
  const { rows } = await sql<{ encoding: string }>`select current_setting('server_encoding') as encoding`.execute(db)
  const found = rows[0]?.encoding ?? ''
  if (found !== 'UTF8') throw new StrongroomError('database.wrong_encoding', { database: name, found })
}
