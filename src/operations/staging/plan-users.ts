import { storable, type HeaderRecord, type UserRecord } from '../../archive/records.ts'
import { describeHash } from '../../services/passwords.ts'
import { derivedId } from './identity.ts'
import { readDate, readText } from './kept-values.ts'
import type { Planning } from './planning.ts'

/** Users, their groups and memberships. */
export function planUsers(planning: Planning, header: HeaderRecord, knownIds: ReadonlyMap<string, string>): void {
  const { scratch, invalid } = planning
  for (const { id, name } of header.strongroom?.groups ?? []) {
    if (scratch.first('select 1 as n from plan_groups where id = ? or name = ?', id, name) !== undefined) {
      invalid(`the group ${name} stands twice`)
    } else {
      scratch.run('insert into plan_groups values (?, ?)', id, name)
    }
  }
  for (const { u, record } of scratch.rows('select u, record from raw_users order by u')) {
    planUser(planning, Number(u), JSON.parse(String(record)) as UserRecord, knownIds, header.strongroom !== undefined)
  }
}

function planUser(
  planning: Planning,
  u: number,
  user: UserRecord,
  knownIds: ReadonlyMap<string, string>,
  hasGroups: boolean,
): void {
  const { scratch, invalid, warning } = planning
  const { username } = user
  const owner = user.id ?? derivedId('user', username)
  const id = user.id ?? knownIds.get(username) ?? owner
  if (scratch.first('select 1 as n from plan_users where id = ? or username = ?', id, username) !== undefined) {
    return invalid(`the user ${username} (${id}) stands twice`)
  }
  const flag = (value: boolean | undefined): number | null => (value === undefined ? null : Number(value))
  const date = (key: 'date_joined' | 'last_login' | 'created_at' | 'updated_at'): string | null =>
    readDate(planning, username, key, user[key])
  scratch.run(
    'insert into plan_users values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    u,
    id,
    owner,
    username,
    Number(user.id !== undefined),
    readPassword(planning, username, user.password),
    readText(planning, username, 'e-mail address', user.email),
    readText(planning, username, 'first name', user.first_name),
    readText(planning, username, 'last name', user.last_name),
    flag(user.is_active),
    flag(user.is_superuser),
    flag(user.is_staff),
    date('date_joined'),
    date('last_login'),
    date('created_at'),
    date('updated_at'),
  )
  if (typeof user.email === 'string' && user.email !== '' && !/^[^\s@]+@[^\s@]+$/.test(user.email)) {
    warning('user.email_doubtful', username, 'The e-mail address is not one; it was kept as it is.')
  }
  if (hasGroups) return planMemberships(planning, id, username, user.groups)
  if (user.groups.length > 0 || user.user_permissions.length > 0) {
    const message = `Membership of ${user.groups.length} groups and ${user.user_permissions.length} permissions are only numbers of rows of another database; they cannot be restored.`
    warning('user.groups_lost', username, message)
  }
}

function planMemberships(
  { scratch, invalid }: Planning,
  userId: string,
  username: string,
  groups: readonly unknown[],
): void {
  for (const group of groups) {
    const known =
      typeof group === 'string' && scratch.first('select 1 as n from plan_groups where id = ?', group) !== undefined
    if (!known) invalid(`the user ${username} is in a group that the archive does not have`)
    else scratch.run('insert or ignore into plan_memberships values (?, ?)', userId, group)
  }
}

function readPassword({ warning }: Planning, username: string, given: string | null): string {
  const { text: hash } = storable(given)
  const kind = describeHash(hash)
  if (kind === 'unknown') {
    const message = 'The password is no hash that Strongroom can check: set a new one with "strongroom user password".'
    warning('user.password_unusable', username, message)
  }
  return hash === '' ? '!' : hash
}
