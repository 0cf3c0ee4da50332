import type { Database } from './database.ts'
import type { SchemaOptions } from './migrate.ts'
import { parseDatabaseUrl } from './url.ts'

export interface OpenDatabaseOptions extends SchemaOptions {
  /** `postgres://…`, `postgresql://…` or `sqlite:PATH`; without it, `strongroom.db` in the data directory. */
  readonly url?: string | undefined
  readonly dataDirectory: string
  /** A schema of a PostgreSQL database to work in; see createScratchSchema. */
  readonly namespace?: string | undefined
  /** How long a write waits for other writers; 5 unless told otherwise. */
  readonly busyTimeoutSeconds?: number
  /** Whether a SQLite file that does not exist is made, as `migrate` needs it. Its folder must exist. */
  readonly create?: boolean
}

/**
 * Opens an instance's database without changing it. Throws `database.invalid_url`, `database.unreachable`,
 * `database.denied`, `database.foreign`, `database.damaged`, and `schema.missing` for a SQLite file that does not exist.
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { dataDirectory, migrations, namespace, create = false, busyTimeoutSeconds: busySeconds = 5 } = options
  const address = parseDatabaseUrl(options.url, dataDirectory)
  const schema = migrations === undefined ? {} : { migrations }
  // Of the two drivers only the one that is used is loaded.
  if (address.kind === 'sqlite') {
    const { openSqlite } = await import('./sqlite.ts')
    return openSqlite({ path: address.path, dataDirectory, busySeconds, create, ...schema })
  }
  const { openPostgres } = await import('./postgres.ts')
  return openPostgres({ url: address.url, busySeconds, ...schema, ...(namespace === undefined ? {} : { namespace }) })
}
