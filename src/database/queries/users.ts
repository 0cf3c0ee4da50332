import type { Db, Tx } from '../database.ts'
import { textIs } from '../dialect.ts'
import { insertMany } from '../insert-many.ts'
import type { UserRow } from '../schema.ts'

export const findUserById = (db: Db, id: string): Promise<UserRow | undefined> =>
  db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()

export const findUserByName = (db: Db, username: string): Promise<UserRow | undefined> =>
  db
    .selectFrom('users')
    .selectAll()
    .where(textIs(db, 'username', username))
    .executeTakeFirst()

/** All of them by username, byte by byte. An instance has as many users as people, so they fit into memory. */
export const listUsers = (db: Db): Promise<UserRow[]> =>
  db.selectFrom('users').selectAll().orderBy('username').execute()

export const insertUsers = (tx: Tx, rows: readonly UserRow[]): Promise<void> => insertMany(tx, 'users', rows)

/** Returns false where there is no such user. */
export async function updateUser(tx: Tx, id: string, changes: Partial<Omit<UserRow, 'id'>>): Promise<boolean> {
  if (Object.keys(changes).length === 0) return (await findUserById(tx, id)) !== undefined
  const { numUpdatedRows } = await tx.updateTable('users').set(changes).where('id', '=', id).executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Removes a user with all that is theirs. Returns false where there is no such user. */
export async function deleteUser(tx: Tx, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom('users').where('id', '=', id).executeTakeFirst()
  return numDeletedRows > 0n
}

export async function countActiveSuperusers(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('users')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('is_active', '=', 1)
    .where('is_superuser', '=', 1)
    .executeTakeFirstOrThrow()
  return count
}
