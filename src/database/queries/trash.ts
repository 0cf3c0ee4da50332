import { sql, type RawBuilder, type SqlBool } from 'kysely'
import { formatPath } from '../../domain/paths.ts'
import type { Timestamp } from '../../std/clock.ts'
import type { Db, Tx } from '../database.ts'
import type { NodeRow } from '../schema.ts'
import { pathOf, updateNode } from './nodes.ts'

/** What of the trash is meant: all of it, or that of one user, or what was there at a moment already. */
export interface TrashChoice {
  readonly userId?: string | undefined
  readonly until?: Timestamp | undefined
}

/** How much some folders and documents are. */
export interface Held {
  readonly folders: number
  readonly documents: number
  readonly versions: number
  readonly pages: number
  readonly sidecars: number
  /** Of the files of all versions, as acknowledged. */
  readonly originalBytes: number
  /** Of all sidecars. */
  readonly sidecarBytes: number
}

const chosen = ({ userId, until }: TrashChoice): RawBuilder<SqlBool> => sql<SqlBool>`
  deleted_at is not null
  ${userId === undefined ? sql`` : sql`and user_id = ${userId}`}
  ${until === undefined ? sql`` : sql`and deleted_at <= ${until}`}`

/** The table `trashed` of the ids of what was chosen and of all that lies below it. */
const trashed = (choice: TrashChoice): RawBuilder<unknown> => sql`
  trashed (id) as (
    select id from nodes where ${chosen(choice)}
    union all
    select nodes.id from nodes join trashed on nodes.parent_id = trashed.id
  )`

/** Something in the trash, with how much it and all below it are. */
export interface TrashedNode extends NodeRow {
  readonly deleted_at: Timestamp
  readonly deleted_from: string
  readonly username: string
  readonly folders: number
  readonly documents: number
  readonly versions: number
  /** Bytes of the files of all versions. */
  readonly bytes: number
}

/** What was moved to the trash: by user, the latest first. */
export async function listTrash(db: Db, choice: TrashChoice = {}): Promise<TrashedNode[]> {
  const { rows } = await sql<TrashedNode>`
    with recursive below (root, id, type) as (
      select id, id, type from nodes where ${chosen(choice)}
      union all
      select below.root, nodes.id, nodes.type from nodes join below on nodes.parent_id = below.id
    ),
    held (root, versions, bytes) as (
      select below.root, count(*), cast(coalesce(sum(versions.size), 0) as bigint)
      from below join versions on versions.document_id = below.id group by below.root
    ),
    counted (root, folders, documents) as (
      select root, sum(case when type = 'folder' then 1 else 0 end), sum(case when type = 'document' then 1 else 0 end)
      from below group by root
    )
    select nodes.*, users.username, counted.folders, counted.documents,
      coalesce(held.versions, 0) as versions, coalesce(held.bytes, 0) as bytes
    from counted
    join nodes on nodes.id = counted.root
    join users on users.id = nodes.user_id
    left join held on held.root = counted.root
    order by users.username, nodes.deleted_at desc, nodes.deleted_from, nodes.id`.execute(db)
  return rows
}

/** Counts what was chosen and all that lies below it; `items` is how many things were moved there. */
export async function countTrash(db: Db, choice: TrashChoice = {}): Promise<Held & { readonly items: number }> {
  const { rows } = await sql<Held & { items: number }>`
    with recursive ${trashed(choice)},
    held as (select versions.id, size from trashed join versions on document_id = trashed.id),
    leaves as (select pages.id from held join pages on version_id = held.id),
    derived as (select size from leaves join sidecars on page_id = leaves.id)
    select
      (select count(*) from nodes where ${chosen(choice)}) as items,
      (select count(*) from trashed join nodes on nodes.id = trashed.id where type = 'folder') as folders,
      (select count(*) from trashed join nodes on nodes.id = trashed.id where type = 'document') as documents,
      (select count(*) from held) as versions,
      (select count(*) from leaves) as pages,
      (select count(*) from derived) as sidecars,
      (select cast(coalesce(sum(size), 0) as bigint) from held) as "originalBytes",
      (select cast(coalesce(sum(size), 0) as bigint) from derived) as "sidecarBytes"`.execute(db)
  return rows[0]!
}

/** Who moved there what was chosen, by username. */
export async function ownersOfTrash(db: Db, choice: TrashChoice): Promise<{ id: string; username: string }[]> {
  const { rows } = await sql<{ id: string; username: string }>`
    select id, username from users where id in (select user_id from nodes where ${chosen(choice)})
    order by username`.execute(db)
  return rows
}

/** What a user moved to the trash from that path, the latest first. */
export const findTrashed = (db: Db, userId: string, path: string): Promise<NodeRow[]> =>
  db
    .selectFrom('nodes')
    .selectAll()
    .where('user_id', '=', userId)
    .where('deleted_at', 'is not', null)
    .where('deleted_from', '=', path)
    .orderBy('deleted_at', 'desc')
    .orderBy('id')
    .execute()

/** Whether anything is in the trash of anybody. */
export async function hasTrash(db: Db): Promise<boolean> {
  return (await db.selectFrom('nodes').select('id').where('deleted_at', 'is not', null).limit(1).execute()).length > 0
}

/** Whether a node is in the trash, by itself or with a folder above it. False where there is no such node. */
export async function isInTrash(db: Db, nodeId: string): Promise<boolean> {
  const [top] = await pathOf(db, nodeId)
  return top !== undefined && top.deleted_at !== null
}

/** Moves a node with all below it to the trash of its user. False where there is no such node, or it is there already. */
export async function moveToTrash(tx: Tx, nodeId: string, now: Timestamp): Promise<boolean> {
  const line = await pathOf(tx, nodeId)
  if (line.length === 0 || line[0]!.deleted_at !== null) return false
  return updateNode(tx, nodeId, {
    parent_id: null,
    deleted_at: now,
    deleted_parent: line.at(-2)?.id ?? null,
    deleted_from: formatPath(line.map(({ title }) => title)),
  })
}

/** Removes what was chosen and all below it, with its versions, pages, sidecars and tags. Returns how many nodes it removed. */
export async function deleteTrash(tx: Tx, choice: TrashChoice): Promise<number> {
  const { numAffectedRows } = await sql`
    with recursive ${trashed(choice)} delete from nodes where id in (select id from trashed)`.execute(tx)
  return Number(numAffectedRows ?? 0)
}

/** Lists every file of what was chosen in `discarded_files`, before `deleteTrash` removes what names them. */
export async function discardFilesOfTrash(tx: Tx, choice: TrashChoice): Promise<void> {
  await sql`
    insert into discarded_files (media_key)
    with recursive ${trashed(choice)},
    held (id) as (select versions.id from versions join trashed on versions.document_id = trashed.id)
    select media_key from versions join held on versions.id = held.id where media_key is not null
    union
    select sidecars.media_key
    from sidecars join pages on pages.id = sidecars.page_id join held on pages.version_id = held.id
    where true
    on conflict (media_key) do nothing`.execute(tx)
}
