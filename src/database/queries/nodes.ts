import { sql, type RawBuilder } from 'kysely'
import type { Db, Tx } from '../database.ts'
import { textIs } from '../dialect.ts'
import { insertMany, readInPieces } from '../insert-many.ts'
import type { NodeRow } from '../schema.ts'

export const findNode = (db: Db, id: string): Promise<NodeRow | undefined> =>
  db.selectFrom('nodes').selectAll().where('id', '=', id).executeTakeFirst()

/** The child of that title; `parentId` null is the top level of the user. */
export const findChild = (
  db: Db,
  userId: string,
  parentId: string | null,
  title: string,
): Promise<NodeRow | undefined> =>
  db
    .selectFrom('nodes')
    .selectAll()
    .where('user_id', '=', userId)
    .where(sql<string>`coalesce(parent_id, '')`, '=', parentId ?? '')
    .where(textIs(db, 'title', title))
    .executeTakeFirst()

/** Children after the title `after`, at most `limit`, by title, byte by byte; without bounds all of them. */
export function childrenOf(
  db: Db,
  userId: string,
  parentId: string | null,
  bounds: { after?: string; limit?: number } = {},
): Promise<NodeRow[]> {
  const { after, limit } = bounds
  return db
    .selectFrom('nodes')
    .selectAll()
    .where('user_id', '=', userId)
    .where(sql<string>`coalesce(parent_id, '')`, '=', parentId ?? '')
    .$if(after !== undefined, (query) => query.where('title', '>', after ?? ''))
    .orderBy('title')
    .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
    .execute()
}

export async function hasChildren(db: Db, nodeId: string): Promise<boolean> {
  return (await db.selectFrom('nodes').select('id').where('parent_id', '=', nodeId).limit(1).execute()).length > 0
}

/** Parents have to come before their children. */
export const insertNodes = (tx: Tx, rows: readonly NodeRow[]): Promise<void> => insertMany(tx, 'nodes', rows)

/** Returns false where there is no such node. */
export async function updateNode(
  tx: Tx,
  id: string,
  changes: Partial<Omit<NodeRow, 'id' | 'user_id' | 'type'>>,
): Promise<boolean> {
  if (Object.keys(changes).length === 0) return (await findNode(tx, id)) !== undefined
  const { numUpdatedRows } = await tx.updateTable('nodes').set(changes).where('id', '=', id).executeTakeFirst()
  return numUpdatedRows > 0n
}

const subtree = (nodeId: string): RawBuilder<unknown> => sql`
  with recursive subtree (id) as (
    select id from nodes where id = ${nodeId}
    union all
    select nodes.id from nodes join subtree on nodes.parent_id = subtree.id
  )`

/** Removes a node and all below it, with its versions, pages, sidecars and tags. Returns how many nodes it removed. */
export async function deleteSubtree(tx: Tx, nodeId: string): Promise<number> {
  const { numAffectedRows } = await sql`
    ${subtree(nodeId)} delete from nodes where id in (select id from subtree)`.execute(tx)
  return Number(numAffectedRows ?? 0)
}

/** Lists every file of a node and of all below it in `discarded_files`, before `deleteSubtree` removes what names them. */
export async function discardFilesOfSubtree(tx: Tx, nodeId: string): Promise<void> {
  await sql`
    insert into discarded_files (media_key)
    ${subtree(nodeId)},
    held (id) as (select versions.id from versions join subtree on versions.document_id = subtree.id)
    select media_key from versions join held on versions.id = held.id where media_key is not null
    union
    select sidecars.media_key
    from sidecars join pages on pages.id = sidecars.page_id join held on pages.version_id = held.id
    where true
    on conflict (media_key) do nothing`.execute(tx)
}

/** How many documents and folders a node and all below it are. */
export async function countSubtree(db: Db, nodeId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`${subtree(nodeId)} select count(*) as count from subtree`.execute(db)
  return rows[0]?.count ?? 0
}

/** A node and all above it, the top level first; empty where there is no such node. */
export async function pathOf(db: Db, nodeId: string): Promise<{ id: string; title: string }[]> {
  const { rows } = await sql<{ id: string; title: string }>`
    with recursive line (id, parent_id, title, height) as (
      select id, parent_id, title, 0 from nodes where id = ${nodeId}
      union all
      select nodes.id, nodes.parent_id, nodes.title, height + 1 from nodes join line on nodes.id = line.parent_id
    )
    select id, title from line order by height desc`.execute(db)
  return rows
}

/** True where `nodeId` is `ancestorId` or lies anywhere below it. */
export async function isWithin(db: Db, nodeId: string, ancestorId: string): Promise<boolean> {
  return (await pathOf(db, nodeId)).some(({ id }) => id === ancestorId)
}

/** Which of these ids belong to nodes. */
export async function existingNodeIds(db: Db, ids: readonly string[]): Promise<string[]> {
  const rows = await readInPieces(ids, (piece) =>
    db.selectFrom('nodes').select('id').where('id', 'in', piece).orderBy('id').execute(),
  )
  return rows.map(({ id }) => id)
}
