import type { Db } from '../database/database.ts'
import { findUserByName } from '../database/queries/users.ts'
import type { UserRow } from '../database/schema.ts'
import { StrongroomError } from '../errors.ts'
import { assertName } from './laws.ts'

/** The user of that name. Throws `user.not_found`, and `text.…` for what can be no user name. */
export async function requireUser(db: Db, username: string): Promise<UserRow> {
  assertName('user name', username)
  const user = await findUserByName(db, username)
  if (user === undefined) throw new StrongroomError('user.not_found', { username })
  return user
}
