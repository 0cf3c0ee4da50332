import { sql } from 'kysely'
import type { Tx } from '../../database/database.ts'

/**
 * Takes everything out of an instance that an archive will replace: its rows now, and their files when nobody reads them any
 * more.
 */
export async function emptyInstance(tx: Tx): Promise<void> {
  for (const table of ['versions', 'sidecars'] as const) {
    await sql`insert into discarded_files (media_key) select media_key from ${sql.table(table)} where media_key is not null
      on conflict (media_key) do nothing`.execute(tx)
  }
  await tx.deleteFrom('users').execute()
  await tx.deleteFrom('groups').execute()
}
