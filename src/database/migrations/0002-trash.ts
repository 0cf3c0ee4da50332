import { sql, type Kysely } from 'kysely'
import { columnTypes, textKey, type Dialect } from '../dialect.ts'

/** The trash: what was moved there says when and from where, and its title is free for another one. */
export async function trash(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  const { text } = columnTypes(dialect)
  for (const statement of [
    `alter table nodes add column deleted_at ${text} check (deleted_at is null or parent_id is null)`,
    `alter table nodes add column deleted_parent ${text} check (deleted_parent is null or deleted_at is not null)`,
    `alter table nodes add column deleted_from ${text} check ((deleted_from is null) = (deleted_at is null))`,
    'drop index nodes_by_title',
    `create unique index nodes_by_title on nodes (user_id, coalesce(parent_id, ''), ${textKey(dialect, 'title')})
      where deleted_at is null`,
    'create index nodes_in_trash on nodes (user_id, deleted_at) where deleted_at is not null',
  ]) {
    await sql.raw(statement).execute(db)
  }
}
