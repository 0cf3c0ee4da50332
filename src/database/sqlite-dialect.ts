import { setTimeout as pause } from 'node:timers/promises'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'
import { StrongroomError } from '../errors.ts'
import type { Translate } from './driver-errors.ts'

export interface SqliteDialectOptions {
  readonly connection: DatabaseSync
  readonly translate: Translate
  /** How long a transaction waits for the writers of other processes before it begins. */
  readonly busySeconds: number
}

const statementCacheSize = 200
const busyPollMilliseconds = 20

/**
 * How long a statement waits inside SQLite, stopping this process: for what lasts an instant, as another process that
 * opens or closes the database.
 */
export const statementWaitMilliseconds = 1000

/** Kysely over one connection of node:sqlite, which the caller opens and closes. One transaction at a time. */
export const sqliteDialect = (options: SqliteDialectOptions): Dialect => ({
  createAdapter: () => new SqliteAdapter(),
  createDriver: () => createDriver(options),
  createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
})

function createDriver({ connection: database, translate, busySeconds }: SqliteDialectOptions): Driver {
  let transaction: 'none' | 'open' | 'failed' = 'none'
  const connection = createConnection(database, translate, {
    // As PostgreSQL has it: after an error a transaction does nothing more and is not committed. SQLite would go on, and
    // where the disk was full it would go on outside the transaction.
    before() {
      if (transaction === 'failed') throw wentOn()
    },
    onError() {
      if (transaction === 'open') transaction = 'failed'
    },
  })
  return {
    init: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve(connection),
    // At once the writer, so that no statement inside can meet another one; and waiting without blocking this process,
    // which may hold the transaction that is waited for.
    async beginTransaction() {
      await beginImmediate(database, translate, busySeconds)
      transaction = 'open'
    },
    async commitTransaction() {
      if (transaction === 'failed') throw wentOn()
      translating(translate, () => database.exec('commit'))
      transaction = 'none'
    },
    async rollbackTransaction() {
      transaction = 'none'
      // A full disk and an input/output error have ended the transaction already.
      if (database.isTransaction) translating(translate, () => database.exec('rollback'))
    },
    releaseConnection: () => Promise.resolve(),
    destroy: () => Promise.resolve(),
  }
}

const wentOn = (): StrongroomError =>
  new StrongroomError('program.fault', { reason: 'a transaction went on after an error and was undone' })

async function beginImmediate(database: DatabaseSync, translate: Translate, busySeconds: number): Promise<void> {
  const deadline = performance.now() + busySeconds * 1000
  for (;;) {
    try {
      // Without the wait inside SQLite that every other statement has.
      database.exec('pragma busy_timeout = 0; begin immediate')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw translate(error)
    } finally {
      database.exec(`pragma busy_timeout = ${statementWaitMilliseconds}`)
    }
    await pause(busyPollMilliseconds)
  }
}

/** True where another connection holds what was asked for (SQLITE_BUSY in all its forms). */
export const isBusy = (error: unknown): boolean => {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : undefined
  return typeof code === 'number' && (code & 0xff) === 5
}

function translating<T>(translate: Translate, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw translate(error)
  }
}

interface Watch {
  before(): void
  onError(): void
}

function createConnection(database: DatabaseSync, translate: Translate, watch: Watch): DatabaseConnection {
  const statements = new Map<string, StatementSync>()

  // The least recently used statement goes first: a Map keeps its keys in the order in which they were set.
  function prepare(text: string): StatementSync {
    const kept = statements.get(text)
    const statement = kept ?? database.prepare(text)
    if (kept !== undefined) statements.delete(text)
    statements.set(text, statement)
    if (statements.size > statementCacheSize) statements.delete(statements.keys().next().value!)
    return statement
  }

  function execute<R>(query: CompiledQuery): QueryResult<R> {
    const statement = prepare(query.sql)
    const parameters = query.parameters as readonly SQLInputValue[]
    if (statement.columns().length > 0) return { rows: statement.all(...parameters) as R[] }
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  return {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      watch.before()
      try {
        return execute<R>(query)
      } catch (error) {
        watch.onError()
        throw translate(error)
      }
    },
    streamQuery() {
      throw new StrongroomError('program.fault', { reason: 'rows are read in batches by their keys, not as a stream' })
    },
  }
}
