import type { Db, Tx } from '../../database/database.ts'
import { insertMemberships, membershipsOf } from '../../database/queries/groups.ts'
import { deleteUser, insertUsers, listUsers } from '../../database/queries/users.ts'
import type { Flag, UserRow } from '../../database/schema.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { staysSuperuser } from '../merge/keep-superusers.ts'

type Warn = (code: string, about: string, message: string) => void

/** The ids of the instance's users by their names: a user whose id the archive lacks keeps the one he has. */
export async function knownUserIds(db: Db): Promise<ReadonlyMap<string, string>> {
  return new Map((await listUsers(db)).map((user) => [user.username, user.id]))
}

/**
 * Inserts the planned users. One whose name the instance has already takes on the archive's id, password and fields; what
 * the archive does not say stays as the instance has it, and what neither says gets the safe value. Returns how many were
 * there already.
 */
export async function adoptUsers(tx: Tx, scratch: Scratch, warn: Warn): Promise<number> {
  const present = await listUsers(tx)
  const byName = new Map(present.map((user) => [user.username, user]))
  const planned = [...scratch.rows('select * from plan_users order by u')]
  const adopted = planned.flatMap((row) => byName.get(String(row.username)) ?? [])
  const memberships = new Map<string, string[]>()
  for (const user of adopted) {
    memberships.set(
      user.username,
      (await membershipsOf(tx, [user.id])).map((row) => row.group_id),
    )
    await deleteUser(tx, user.id)
  }
  const rows = planned.map((row) => {
    const user = toUser(row, byName.get(String(row.username)), warn)
    return staysSuperuser(scratch, Number(row.u)) ? { ...user, is_active: 1 as const, is_superuser: 1 as const } : user
  })
  await insertUsers(tx, rows)
  for (const user of rows) {
    const groups = memberships.get(user.username) ?? []
    await insertMemberships(
      tx,
      groups.map((group_id) => ({ user_id: user.id, group_id })),
    )
  }
  return adopted.length
}

function toUser(row: ScratchRow, present: UserRow | undefined, warn: Warn): UserRow {
  const username = String(row.username)
  const text = (key: 'email' | 'first_name' | 'last_name'): string =>
    row[key] === null ? (present?.[key] ?? '') : String(row[key])
  const date = (key: 'date_joined' | 'last_login' | 'created_at' | 'updated_at'): string | null =>
    row[key] === null ? (present?.[key] ?? null) : String(row[key])
  const missing: string[] = []
  const flag = (key: 'is_active' | 'is_superuser' | 'is_staff'): Flag => {
    if (row[key] !== null) return row[key] === 1 ? 1 : 0
    if (present === undefined) missing.push(key)
    return present?.[key] ?? 0
  }
  const user: UserRow = {
    id: String(row.id),
    username,
    password: String(row.password),
    email: text('email'),
    first_name: text('first_name'),
    last_name: text('last_name'),
    is_active: flag('is_active'),
    is_superuser: flag('is_superuser'),
    is_staff: flag('is_staff'),
    date_joined: date('date_joined'),
    last_login: date('last_login'),
    created_at: date('created_at'),
    updated_at: date('updated_at'),
  }
  if (missing.includes('is_active')) {
    warn(
      'user.not_active',
      username,
      'The archive does not say whether this account is active, so it is not: "strongroom user enable" opens it.',
    )
  }
  if (missing.includes('is_superuser')) {
    warn('user.not_superuser', username, 'The archive does not say whether this user is a superuser, so he is none.')
  }
  return user
}
