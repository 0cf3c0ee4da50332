import { createHash } from 'node:crypto'
import type { Db } from '../../database/database.ts'
import { listUsers } from '../../database/queries/users.ts'
import type { TagRow, UserRow } from '../../database/schema.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'

const rowsAtOnce = 2000

/** What of a user a restore compares; the rest changes by itself. */
export const userFields = [
  'username',
  'password',
  'email',
  'first_name',
  'last_name',
  'is_active',
  'is_superuser',
  'is_staff',
] as const

/** Notes the users, tags and nodes of an instance in `scratch`, for the comparison with what was planned. */
export async function noteLive(db: Db, scratch: Scratch): Promise<void> {
  scratch.exec(`
    create table live_users (id text primary key, username text not null unique, owns integer not null, fields text not null) without rowid;
    create table live_tags (id text primary key, user_id text not null, name text not null, look text not null) without rowid;
    create index live_tags_name on live_tags (user_id, name);
    create table live_nodes (id text primary key, user_id text not null, parent_id text, type text not null, title text not null,
      deleted integer not null, trashed integer not null default 0, seen text not null) without rowid;
    create index live_nodes_place on live_nodes (user_id, coalesce(parent_id, ''), title);
    create index live_nodes_parent on live_nodes (parent_id);
    begin`)
  await noteTags(db, scratch)
  await noteNodes(db, scratch)
  for (const user of await listUsers(db)) noteUser(scratch, user)
  scratch.exec('commit')
}

function noteUser(scratch: Scratch, user: UserRow): void {
  const owns =
    scratch.first('select 1 as n from live_tags where user_id = ?', user.id) !== undefined ||
    scratch.first(
      "select 1 as n from live_nodes where user_id = ? and not (parent_id is null and deleted = 0 and type = 'folder' and title in ('.home', '.inbox'))",
      user.id,
    ) !== undefined
  scratch.run('insert into live_users values (?, ?, ?, ?)', user.id, user.username, Number(owns), fieldsOf(user))
}

const fieldsOf = (user: UserRow): string =>
  JSON.stringify(Object.fromEntries(userFields.map((key) => [key, user[key]])))

async function noteTags(db: Db, scratch: Scratch): Promise<void> {
  for (let after = ''; ;) {
    const tags = await db
      .selectFrom('tags')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(rowsAtOnce)
      .execute()
    for (const tag of tags)
      scratch.run('insert into live_tags values (?, ?, ?, ?)', tag.id, tag.user_id, tag.name, lookOf(tag))
    if (tags.length < rowsAtOnce) return
    after = tags.at(-1)!.id
  }
}

/** What a tag looks like, to be compared. */
export const lookOf = (tag: TagRow | ScratchRow): string =>
  JSON.stringify([tag['bg_color'], tag['fg_color'], tag['description'], tag['pinned']])

async function noteNodes(db: Db, scratch: Scratch): Promise<void> {
  for (let after = ''; ;) {
    const nodes = await db
      .selectFrom('nodes')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(rowsAtOnce)
      .execute()
    for (const node of nodes) {
      const { id, user_id, parent_id, type, title, deleted_at } = node
      const seen = hashOf([user_id, parent_id, type, title, deleted_at, node.lang, node.ocr, node.ocr_status])
      scratch.run(
        'insert into live_nodes (id, user_id, parent_id, type, title, deleted, seen) values (?, ?, ?, ?, ?, ?, ?)',
        id,
        user_id,
        parent_id,
        type,
        title,
        Number(deleted_at !== null),
        seen,
      )
    }
    if (nodes.length < rowsAtOnce) break
    after = nodes.at(-1)!.id
  }
  scratch.exec(`
    update live_nodes set trashed = 1 where id in (
      with recursive gone (id) as (
        select id from live_nodes where deleted = 1
        union all
        select n.id from live_nodes n join gone g on n.parent_id = g.id)
      select id from gone)`)
}

/** A short text that is the same for the same values. */
export const hashOf = (values: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(values)).digest('base64url')
