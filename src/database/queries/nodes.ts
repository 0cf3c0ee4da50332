import { sql } from 'kysely'
import type { Db, Tx } from '../database.ts'
import { textIs } from '../dialect.ts'
import { insertMany, readInPieces } from '../insert-many.ts'
import type { NodeRow } from '../schema.ts'

/** The node of that id, in the trash or not. */
export const findNode = (db: Db, id: string): Promise<NodeRow | undefined> =>
  db.selectFrom('nodes').selectAll().where('id', '=', id).executeTakeFirst()

/** The child of that title; `parentId` null is the top level of the user, without what is in the trash. */
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
    .where('deleted_at', 'is', null)
    .where(textIs(db, 'title', title))
    .executeTakeFirst()

/** Children, none of them in the trash by itself, after the title `after`, at most `limit`, by title, byte by byte; without bounds all of them. */
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
    .where('deleted_at', 'is', null)
    .$if(after !== undefined, (query) => query.where('title', '>', after ?? ''))
    .orderBy('title')
    .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
    .execute()
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

/** How many documents and folders a node and all below it are. */
export async function countSubtree(db: Db, nodeId: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with recursive subtree (id) as (
      select id from nodes where id = ${nodeId}
      union all
      select nodes.id from nodes join subtree on nodes.parent_id = subtree.id
    )
    select count(*) as count from subtree`.execute(db)
  return rows[0]?.count ?? 0
}

/** A node as part of a path. */
export type PathNode = Pick<NodeRow, 'id' | 'title' | 'deleted_at'>

/**
 * A node and all above it, the top level first, or first what was moved to the trash; empty where there is no such node.
 */
export async function pathOf(db: Db, nodeId: string): Promise<PathNode[]> {
  const { rows } = await sql<PathNode>`
    with recursive line (id, parent_id, title, deleted_at, height) as (
      select id, parent_id, title, deleted_at, 0 from nodes where id = ${nodeId}
      union all
      select nodes.id, nodes.parent_id, nodes.title, nodes.deleted_at, height + 1
      from nodes join line on nodes.id = line.parent_id
    )
    select id, title, deleted_at from line order by height desc`.execute(db)
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
