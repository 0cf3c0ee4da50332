import type { Db, Tx } from '../database.ts'
import { textIs } from '../dialect.ts'
import { insertMany, readInPieces } from '../insert-many.ts'
import type { NodeTagRow, TagRow } from '../schema.ts'

/** The tag of a user by its name. */
export const findTag = (db: Db, userId: string, name: string): Promise<TagRow | undefined> =>
  db
    .selectFrom('tags')
    .selectAll()
    .where('user_id', '=', userId)
    .where(textIs(db, 'name', name))
    .executeTakeFirst()

export const findTagById = (db: Db, id: string): Promise<TagRow | undefined> =>
  db.selectFrom('tags').selectAll().where('id', '=', id).executeTakeFirst()

/** A user's tags after the name `after`, at most `limit`, by name, byte by byte; without bounds all of them. */
export function listTags(db: Db, userId: string, bounds: { after?: string; limit?: number } = {}): Promise<TagRow[]> {
  const { after, limit } = bounds
  return db
    .selectFrom('tags')
    .selectAll()
    .where('user_id', '=', userId)
    .$if(after !== undefined, (query) => query.where('name', '>', after ?? ''))
    .orderBy('name')
    .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
    .execute()
}

/** A user's tags by name, byte by byte, each with the number of nodes that carry it and are not in the trash. */
export const listTagsWithUses = (db: Db, userId: string): Promise<(TagRow & { nodes: number })[]> =>
  db
    .withRecursive('trashed(id)', (query) =>
      query
        .selectFrom('nodes')
        .select('id')
        .where('user_id', '=', userId)
        .where('deleted_at', 'is not', null)
        .unionAll(query.selectFrom('nodes').innerJoin('trashed', 'trashed.id', 'nodes.parent_id').select('nodes.id')),
    )
    .selectFrom('tags')
    .leftJoin('node_tags', (join) =>
      join
        .onRef('node_tags.tag_id', '=', 'tags.id')
        .on('node_tags.node_id', 'not in', (query) => query.selectFrom('trashed').select('trashed.id')),
    )
    .selectAll('tags')
    .select(({ fn }) => fn.count<number>('node_tags.node_id').as('nodes'))
    .where('tags.user_id', '=', userId)
    .groupBy('tags.id')
    .orderBy('tags.name')
    .execute()

/** Returns false where there is no such tag. */
export async function updateTag(
  tx: Tx,
  id: string,
  changes: Partial<Omit<TagRow, 'id' | 'user_id'>>,
): Promise<boolean> {
  if (Object.keys(changes).length === 0) return (await findTagById(tx, id)) !== undefined
  const { numUpdatedRows } = await tx.updateTable('tags').set(changes).where('id', '=', id).executeTakeFirst()
  return numUpdatedRows > 0n
}

export const insertTags = (tx: Tx, rows: readonly TagRow[]): Promise<void> => insertMany(tx, 'tags', rows)

/** Removes a tag from all that carries it, and itself. */
export async function deleteTag(tx: Tx, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom('tags').where('id', '=', id).executeTakeFirst()
  return numDeletedRows > 0n
}

export const insertNodeTags = (tx: Tx, rows: readonly NodeTagRow[]): Promise<void> => insertMany(tx, 'node_tags', rows)

/** Puts a tag on a node. Returns false where it was there already. */
export async function tagNode(tx: Tx, nodeId: string, tagId: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('node_tags')
    .values({ node_id: nodeId, tag_id: tagId })
    .onConflict((conflict) => conflict.columns(['node_id', 'tag_id']).doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** Takes a tag off a node. Returns false where it was not there. */
export async function untagNode(tx: Tx, nodeId: string, tagId: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('node_tags')
    .where('node_id', '=', nodeId)
    .where('tag_id', '=', tagId)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** The tags of these nodes, each with its node; those of one node by name, byte by byte. */
export const tagsOf = (db: Db, nodeIds: readonly string[]): Promise<(TagRow & { node_id: string })[]> =>
  readInPieces(nodeIds, (piece) =>
    db
      .selectFrom('node_tags')
      .innerJoin('tags', 'tags.id', 'node_tags.tag_id')
      .selectAll('tags')
      .select('node_tags.node_id')
      .where('node_tags.node_id', 'in', piece)
      .orderBy('node_tags.node_id')
      .orderBy('tags.name')
      .execute(),
  )

/** Only the names of the tags of these nodes, each with its node; those of one node by name, byte by byte. */
export const tagNamesOf = (db: Db, nodeIds: readonly string[]): Promise<{ node_id: string; name: string }[]> =>
  readInPieces(nodeIds, (piece) =>
    db
      .selectFrom('node_tags')
      .innerJoin('tags', 'tags.id', 'node_tags.tag_id')
      .select(['node_tags.node_id', 'tags.name'])
      .where('node_tags.node_id', 'in', piece)
      .orderBy('node_tags.node_id')
      .orderBy('tags.name')
      .execute(),
  )

/** What these nodes carry, by the ids. */
export const tagIdsOf = (db: Db, nodeIds: readonly string[]): Promise<NodeTagRow[]> =>
  readInPieces(nodeIds, (piece) =>
    db.selectFrom('node_tags').select(['node_id', 'tag_id']).where('node_id', 'in', piece).execute(),
  )
