import type { Db, Tx } from '../../database/database.ts'
import { insertMemberships, membershipsOf } from '../../database/queries/groups.ts'
import { countActiveSuperusers, deleteUser, insertUsers, listUsers } from '../../database/queries/users.ts'
import type { Flag, UserRow } from '../../database/schema.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'

type Warn = (code: string, about: string, message: string) => void

/** The ids of the instance's users by their names: a user whose id the archive lacks keeps the one he has. */
export async function knownUserIds(db: Db): Promise<ReadonlyMap<string, string>> {
  return new Map((await listUsers(db)).map((user) => [user.username, user.id]))
}

/**
 * Inserts the planned users. One whose name the instance has already takes on the archive's id, password and fields; what
 * the archive does not say stays as the instance has it, and what neither says gets the safe value. The instance never
 * loses its last active superuser. Returns how many were there already.
 */
export async function adoptUsers(tx: Tx, scratch: Scratch, warn: Warn): Promise<number> {
  const present = await listUsers(tx)
  const byName = new Map(present.map((user) => [user.username, user]))
  const superusersBefore = await countActiveSuperusers(tx)
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
  const rows = planned.map((row) => toUser(row, byName.get(String(row.username)), warn))
  const kept = await keepSuperuser(tx, rows, adopted, superusersBefore, warn)
  await insertUsers(tx, kept)
  for (const user of kept) {
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

async function keepSuperuser(
  tx: Tx,
  rows: readonly UserRow[],
  adopted: readonly UserRow[],
  superusersBefore: number,
  warn: Warn,
): Promise<readonly UserRow[]> {
  const isOne = (user: UserRow): boolean => user.is_superuser === 1 && user.is_active === 1
  const remaining = (await countActiveSuperusers(tx)) + rows.filter(isOne).length
  if (superusersBefore === 0 || remaining > 0) return rows
  const names = new Set(adopted.filter(isOne).map((user) => user.username))
  return rows.map((user) => {
    if (!names.has(user.username)) return user
    warn(
      'user.kept_superuser',
      user.username,
      'The archive would have left the instance without an active superuser; this one stays active and superuser.',
    )
    return { ...user, is_active: 1, is_superuser: 1 }
  })
}
