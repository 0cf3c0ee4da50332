import type { ForeignDatabase } from './foreign-database.ts'
import { openForeignPostgres } from './foreign-postgres.ts'
import { openForeignSqlite } from './foreign-sqlite.ts'
import { parseDatabaseUrl } from './url.ts'

/**
 * Opens the database of another program: `postgres://…`, or `sqlite:PATH` with an absolute path. Throws
 * `database.invalid_url`, `database.unreachable`, `database.denied`, `database.busy`, `file.not_found`, and
 * `database.damaged` for a file that is no database.
 */
export async function openForeignDatabase(url: string): Promise<ForeignDatabase> {
  const address = parseDatabaseUrl(url, '.')
  return address.kind === 'sqlite' ? openForeignSqlite(address.path) : openForeignPostgres(address.url)
}
