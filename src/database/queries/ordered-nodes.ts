import { sql, type Kysely } from 'kysely'
import type { Db } from '../database.ts'
import { columnTypes, dialectOf, hexOf, textKey } from '../dialect.ts'
import type { Flag, NodeRow, Schema } from '../schema.ts'

/** A row of the temporary table `ordered_nodes`. */
export interface OrderedNodeRow {
  /** 1, 2, 3 … in the order of the walk. */
  ordinal: number
  node_id: string
  user_id: string
  /** The ordinal of the folder that holds the node, always a lower one; null where the depth is 0. */
  parent_ordinal: number | null
  /** 0 at the top level, and for what was moved to the trash. */
  depth: number
  /** 1 for what is in the trash, with a folder or by itself. */
  trashed: Flag
  /** What a backup calls the node where others cannot hold its title; for its writer to fill. */
  safe_title: string | null
  /** What a backup calls the node in the folder tree for people, and that name in the form in which twins are equal. */
  link_name: string | null
  link_key: string | null
}

/** A node with its place. */
export type OrderedNode = NodeRow & Omit<OrderedNodeRow, 'node_id'>

export type OrderedDb = Kysely<Schema & { ordered_nodes: OrderedNodeRow }>

/** The same connection, for queries that name `ordered_nodes` too. */
export const withOrderedNodes = (db: Db): OrderedDb => db.$extendTables<{ ordered_nodes: OrderedNodeRow }>()

/**
 * Makes the temporary table `ordered_nodes` of all nodes, or of those of one user: users by username, then each tree from
 * the top down, a folder before what it holds, siblings by title, all compared by their UTF-8 bytes. With `trash` what is in
 * the trash of a user follows in the same way; without it is left out. Once in a snapshot. Returns how many nodes there are.
 */
export async function orderNodes(db: Db, options: { userId?: string; trash?: boolean } = {}): Promise<number> {
  const { text, whole } = columnTypes(dialectOf(db))
  // The tables vanish with the snapshot: SQLite's with its connection, PostgreSQL's with its transaction.
  for (const statement of [
    `create temporary table sibling_places (
      node_id ${text} primary key, user_id ${text} not null, parent_id ${text}, trashed ${whole} not null,
      place ${text} not null)`,
    `create temporary table ordered_nodes (
      ordinal ${whole} primary key, node_id ${text} not null unique, user_id ${text} not null, parent_ordinal ${whole},
      depth ${whole} not null, trashed ${whole} not null, safe_title ${text}, link_name ${text}, link_key ${text})`,
  ]) {
    await sql.raw(statement).execute(db)
  }
  await placeSiblings(db, options.userId)
  await walk(db, options.trash === true)
  for (const column of ['safe_title', 'link_key']) {
    const key = textKey(dialectOf(db), column)
    await sql.raw(`create index ordered_nodes_${column} on ordered_nodes (parent_ordinal, ${key})`).execute(db)
  }
  await analyze(db, 'ordered_nodes')
  const { rows } = await sql<{ count: number }>`select count(*) as count from ordered_nodes`.execute(db)
  return rows[0]?.count ?? 0
}

/**
 * Gives each node its place among its siblings as a text: the number in hexadecimal, and before it how many digits it has.
 * Such texts sort as the numbers do, and joined from the top down they sort as the walk goes, for none is the beginning of
 * another one. They stay short where titles are long and trees deep.
 */
async function placeSiblings(db: Db, userId: string | undefined): Promise<void> {
  const numbered = sql`
    select id, user_id, parent_id, case when deleted_at is null then 0 else 1 end as trashed,
      row_number() over (
        partition by user_id, coalesce(parent_id, ''), deleted_at is null order by title, deleted_at, id
      ) as number
    from nodes
    ${userId === undefined ? sql`` : sql`where user_id = ${userId}`}`
  const digits = hexOf(db, sql.ref<number>('number'))
  await sql`
    insert into sibling_places (node_id, user_id, parent_id, trashed, place)
    select id, user_id, parent_id, trashed, cast(length(${digits}) as text) || ${digits} from (${numbered}) as numbered`.execute(
    db,
  )
  await sql`create index sibling_places_parent on sibling_places (parent_id)`.execute(db)
  await analyze(db, 'sibling_places')
}

async function walk(db: Db, trash: boolean): Promise<void> {
  await sql`
    with recursive tree (node_id, user_id, depth, trashed, way) as (
      select node_id, user_id, cast(0 as bigint), trashed, place from sibling_places
      where parent_id is null ${trash ? sql`` : sql`and trashed = 0`}
      union all
      select child.node_id, child.user_id, tree.depth + 1, tree.trashed, tree.way || child.place
      from tree join sibling_places as child on child.parent_id = tree.node_id
    )
    insert into ordered_nodes (ordinal, node_id, user_id, depth, trashed)
    select row_number() over (order by users.username, tree.trashed, tree.way), tree.node_id, tree.user_id, tree.depth,
      tree.trashed
    from tree join users on users.id = tree.user_id`.execute(db)
  await analyze(db, 'ordered_nodes')
  await sql`
    update ordered_nodes set parent_ordinal = (
      select parent.ordinal
      from sibling_places join ordered_nodes as parent on parent.node_id = sibling_places.parent_id
      where sibling_places.node_id = ordered_nodes.node_id
    )
    where depth > 0`.execute(db)
  await sql`drop table sibling_places`.execute(db)
}

// PostgreSQL counts the rows of a temporary table only when it is told to, and plans for a few until then.
async function analyze(db: Db, table: string): Promise<void> {
  if (dialectOf(db) === 'postgres') await sql`analyze ${sql.table(table)}`.execute(db)
}

/** The nodes after `afterOrdinal` (0 for the first), at most `limit`, in the order of the walk. */
export const readOrderedNodes = (db: Db, afterOrdinal: number, limit: number): Promise<OrderedNode[]> =>
  withOrderedNodes(db)
    .selectFrom('ordered_nodes')
    .innerJoin('nodes', 'nodes.id', 'ordered_nodes.node_id')
    .selectAll('nodes')
    .select(['ordinal', 'parent_ordinal', 'depth', 'trashed', 'safe_title', 'link_name', 'link_key'])
    .where('ordinal', '>', afterOrdinal)
    .orderBy('ordinal')
    .limit(limit)
    .execute()
