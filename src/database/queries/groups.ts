import type { Db, Tx } from '../database.ts'
import { textIs } from '../dialect.ts'
import { insertMany, readInPieces } from '../insert-many.ts'
import type { GroupRow, MembershipRow } from '../schema.ts'

export const findGroupByName = (db: Db, name: string): Promise<GroupRow | undefined> =>
  db
    .selectFrom('groups')
    .selectAll()
    .where(textIs(db, 'name', name))
    .executeTakeFirst()

export const findGroupById = (db: Db, id: string): Promise<GroupRow | undefined> =>
  db.selectFrom('groups').selectAll().where('id', '=', id).executeTakeFirst()

/** All of them by name, byte by byte. */
export const listGroups = (db: Db): Promise<GroupRow[]> => db.selectFrom('groups').selectAll().orderBy('name').execute()

export const insertGroups = (tx: Tx, rows: readonly GroupRow[]): Promise<void> => insertMany(tx, 'groups', rows)

export async function deleteGroup(tx: Tx, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom('groups').where('id', '=', id).executeTakeFirst()
  return numDeletedRows > 0n
}

export const insertMemberships = (tx: Tx, rows: readonly MembershipRow[]): Promise<void> =>
  insertMany(tx, 'memberships', rows)

/** Takes a user out of all groups. */
export async function clearMemberships(tx: Tx, userId: string): Promise<void> {
  await tx.deleteFrom('memberships').where('user_id', '=', userId).execute()
}

/** The groups of these users, by user and then by group name. */
export const membershipsOf = (
  db: Db,
  userIds: readonly string[],
): Promise<{ user_id: string; group_id: string; name: string }[]> =>
  readInPieces(userIds, (piece) =>
    db
      .selectFrom('memberships')
      .innerJoin('groups', 'groups.id', 'memberships.group_id')
      .select(['memberships.user_id', 'memberships.group_id', 'groups.name'])
      .where('memberships.user_id', 'in', piece)
      .orderBy('memberships.user_id')
      .orderBy('groups.name')
      .execute(),
  )
