import { sql, type Kysely } from 'kysely'
import { columnTypes, type Dialect } from '../dialect.ts'

/** The audit: what happened to the instance. It names users and things as they were called, and outlives them. */
export async function audit(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { text, serial, tableOptions } = columnTypes(dialect)
  await sql
    .raw(
      `create table audit (
        number ${serial},
        at ${text} not null,
        action ${text} not null,
        username ${text},
        about ${text} not null,
        details ${text} not null
      )${tableOptions}`,
    )
    .execute(db)
}
