import type { AuditAction } from '../contract/audit.ts'
import type { Database, Tx } from '../database/database.ts'
import { findGroupByName, insertGroups, insertMemberships, membershipsOf } from '../database/queries/groups.ts'
import { insertNodes } from '../database/queries/nodes.ts'
import { countActiveSuperusers, findUserByName, insertUsers, listUsers, updateUser } from '../database/queries/users.ts'
import type { UserRow } from '../database/schema.ts'
import { rootTitles } from '../domain/roots.ts'
import { StrongroomError } from '../errors.ts'
import type { Clock } from '../std/clock.ts'
import type { Ids } from '../std/ids.ts'
import { noteInAudit } from './audit.ts'
import { requireUser } from './find-user.ts'
import { folderRow } from './folder-row.ts'
import { assertName, assertText } from './laws.ts'
import { hashPassword, unusablePassword, verifyPassword } from './passwords.ts'

/** A user as others may see them: all but the password's hash. */
export type Account = Omit<UserRow, 'password'> & { readonly groups: readonly string[] }

export interface NewUser {
  readonly username: string
  /** Null makes an account that no password opens. */
  readonly password: string | null
  readonly email?: string
  readonly superuser?: boolean
  /** By name; one that does not exist yet is made. */
  readonly groups?: readonly string[]
}

type Change = Extract<AuditAction, 'user.password_changed' | 'user.disabled' | 'user.enabled'>

/** Accounts. Every verb may throw `text.…` for what can be no name, and all but `add` and `list` `user.not_found`. */
export function createUsers({ database, clock, ids }: { database: Database; clock: Clock; ids: Ids }) {
  /** Makes an account with its home and its inbox. Throws `user.exists`, `user.empty_password`. Returns its id. */
  async function add(user: NewUser): Promise<string> {
    const { username, email = '', superuser = false, groups = [] } = user
    assertName('user name', username)
    assertText('e-mail address', email)
    for (const group of groups) assertName('group name', group)
    const password = user.password === null ? unusablePassword() : await hashPassword(user.password)
    const id = ids.next()
    const now = clock.now()
    await database.write(async (tx) => {
      if ((await findUserByName(tx, username)) !== undefined) throw new StrongroomError('user.exists', { username })
      const row: UserRow = {
        id,
        username,
        password,
        email,
        first_name: '',
        last_name: '',
        is_active: 1,
        is_superuser: superuser ? 1 : 0,
        is_staff: superuser ? 1 : 0,
        date_joined: now,
        last_login: null,
        created_at: now,
        updated_at: now,
      }
      await insertUsers(tx, [row])
      const roots = rootTitles.map((title) => folderRow({ id: ids.next(), userId: id, parentId: null, title, now }))
      await insertNodes(tx, roots)
      await join(tx, id, groups)
      await noteInAudit(tx, now, [
        { action: 'user.added', username, about: username, details: { id, superuser, groups: [...new Set(groups)] } },
      ])
    })
    return id
  }

  async function join(tx: Tx, userId: string, names: readonly string[]): Promise<void> {
    for (const name of new Set(names)) {
      const known = await findGroupByName(tx, name)
      const group = known ?? { id: ids.next(), name }
      if (known === undefined) await insertGroups(tx, [group])
      await insertMemberships(tx, [{ user_id: userId, group_id: group.id }])
    }
  }

  /** All accounts by name, byte by byte. */
  async function list(): Promise<Account[]> {
    const rows = await listUsers(database.db)
    const memberships = await membershipsOf(
      database.db,
      rows.map(({ id }) => id),
    )
    return rows.map(({ password: _, ...row }) => ({
      ...row,
      groups: memberships.filter((one) => one.user_id === row.id).map((one) => one.name),
    }))
  }

  async function change(action: Change, username: string, changes: Partial<Omit<UserRow, 'id'>>): Promise<void> {
    await database.write(async (tx) => {
      const user = await requireUser(tx, username)
      const losesSuperuser = changes.is_active === 0 && user.is_active === 1 && user.is_superuser === 1
      if (losesSuperuser && (await countActiveSuperusers(tx)) === 1)
        throw new StrongroomError('user.last_superuser', { username })
      const now = clock.now()
      await updateUser(tx, user.id, { ...changes, updated_at: now })
      await noteInAudit(tx, now, [{ action, username, about: username, details: {} }])
    })
  }

  /** Throws `user.empty_password`. */
  async function setPassword(input: { username: string; password: string }): Promise<void> {
    const password = await hashPassword(input.password)
    await change('user.password_changed', input.username, { password })
  }

  /** Throws `user.last_superuser`. */
  const disable = ({ username }: { username: string }): Promise<void> =>
    change('user.disabled', username, { is_active: 0 })

  const enable = ({ username }: { username: string }): Promise<void> =>
    change('user.enabled', username, { is_active: 1 })

  /** Whether the password is that of the account; whether the account is active is another question. */
  async function checkPassword(input: { username: string; password: string }): Promise<boolean> {
    const user = await requireUser(database.db, input.username)
    return verifyPassword(input.password, user.password)
  }

  return { add, list, setPassword, disable, enable, checkPassword }
}
