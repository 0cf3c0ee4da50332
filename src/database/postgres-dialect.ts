import type { Client, PoolClient } from 'pg'
import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'
import { StrongroomError } from '../errors.ts'
import type { Translate } from './driver-errors.ts'

export interface PostgresDialectOptions {
  /** A client that is ready for use, and what to do with it afterwards: `broken` asks for its connection to be closed. */
  readonly acquire: () => Promise<PoolClient>
  readonly release: (client: PoolClient, broken: boolean) => void
  readonly translate: Translate
  /** The statements that begin a transaction for writing. */
  readonly beginWrite: string
}

/** Kysely over pg. */
export const postgresDialect = (options: PostgresDialectOptions): Dialect => ({
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => createDriver(options),
  createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
  createQueryCompiler: () => new PostgresQueryCompiler(),
})

interface PostgresConnection extends DatabaseConnection {
  readonly client: PoolClient
  broken: boolean
}

function createDriver({ acquire, release, translate, beginWrite }: PostgresDialectOptions): Driver {
  const clientOf = (connection: DatabaseConnection): PostgresConnection => connection as PostgresConnection
  return {
    init: () => Promise.resolve(),
    async acquireConnection(): Promise<PostgresConnection> {
      const client = await translating(translate, acquire)
      return { client, broken: false, ...createConnection(client, translate) }
    },
    async beginTransaction(connection) {
      const { client } = clientOf(connection)
      try {
        await client.query(beginWrite)
      } catch (error) {
        // Kysely does not roll back what did not begin, and the first of the statements may have begun it.
        await client.query('rollback').catch(() => (clientOf(connection).broken = true))
        throw translate(error)
      }
    },
    async commitTransaction(connection) {
      const { command } = await translating(translate, () => clientOf(connection).client.query('commit'))
      // The answer to COMMIT where an earlier statement had failed and nobody let its error through.
      if (command === 'ROLLBACK') {
        throw new StrongroomError('program.fault', { reason: 'a transaction went on after an error and was undone' })
      }
    },
    async rollbackTransaction(connection) {
      // Its own failure would hide the error that led here; the server undoes what a lost connection had begun.
      await clientOf(connection)
        .client.query('rollback')
        .catch(() => (clientOf(connection).broken = true))
    },
    releaseConnection: (connection) =>
      Promise.resolve(release(clientOf(connection).client, clientOf(connection).broken)),
    destroy: () => Promise.resolve(),
  }
}

async function translating<T>(translate: Translate, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw translate(error)
  }
}

const changing: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

const createConnection = (client: Client | PoolClient, translate: Translate): DatabaseConnection => ({
  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = await translating(translate, () => client.query(query.sql, [...query.parameters]))
    const rows = (result.rows ?? []) as R[]
    return changing.has(result.command) ? { rows, numAffectedRows: BigInt(result.rowCount ?? 0) } : { rows }
  },
  streamQuery() {
    throw new StrongroomError('program.fault', { reason: 'rows are read in batches by their keys, not as a stream' })
  },
})
