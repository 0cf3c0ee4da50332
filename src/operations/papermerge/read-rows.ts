import type { JsonObject } from '../../archive/json-records.ts'
import type { HeaderRecord } from '../../archive/records.ts'
import { derivedId } from '../staging/identity.ts'
import { readNodes } from './read-nodes.ts'
import { readPages, readVersions } from './read-versions.ts'
import { countOf, rowsOf, type Reading } from './reading.ts'
import { columnsOf } from './tables.ts'
import { countIn, flagIn, idIn, momentIn, textIn } from './values.ts'

/** Where each row went: by the ids of Papermerge, whose records know each other by their places. */
const tables = `
  create table source_users (id text primary key, u integer not null) without rowid;
  create table source_nodes (id text primary key, u integer not null, n integer not null, parent_id text, title text not null,
    folder integer not null, path text, record text not null) without rowid;
  create index source_nodes_parent on source_nodes (parent_id);
  create table source_versions (id text primary key, u integer not null, n integer not null, v integer not null) without rowid;
  create table source_pages (id text primary key, u integer not null, n integer not null, v integer not null,
    p integer not null) without rowid`

/**
 * Reads the rows of a Papermerge 2.1 and keeps them as the records that its own backup would have written, in the order in
 * which it would have, as far as that order decides about numbers.
 */
export async function readRows(reading: Reading): Promise<HeaderRecord> {
  const { scratch } = reading
  scratch.exec(tables)
  const { groups, memberships } = await readGroups(reading)
  await readUsers(reading, memberships)
  await readNodes(reading)
  await readVersions(reading)
  await readPages(reading)
  await warnOfPermissions(reading)
  return { version: '2.1', users: [], strongroom: { format: 0, groups } }
}

interface Groups {
  readonly groups: { readonly id: string; readonly name: string }[]
  /** The ids of the groups of each user. */
  readonly memberships: ReadonlyMap<string, readonly string[]>
}

async function readGroups(reading: Reading): Promise<Groups> {
  const { database } = reading
  const names = new Map<number, string>()
  const memberships = new Map<string, string[]>()
  if (!database.tables.has('auth_group') || !database.tables.has('core_user_groups')) return { groups: [], memberships }
  for await (const row of rowsOf(reading, 'select id, name from auth_group order by name')) {
    const name = textIn(row, 'name')
    const id = countIn(row, 'id')
    if (id !== null && name !== null && name !== '') names.set(id, name)
  }
  const members = columnsOf(database, 'core_user_groups', 'm', { user_id: 'id', group_id: 'whole' })
  for await (const row of rowsOf(reading, `select ${members} from core_user_groups m`)) {
    const name = names.get(countIn(row, 'group_id') ?? -1)
    const user = idIn(row, 'user_id')
    if (name === undefined || user === null) continue
    memberships.set(user, [...(memberships.get(user) ?? []), derivedId('group', name)])
  }
  const groups = [...names.values()].map((name) => ({ id: derivedId('group', name), name }))
  return { groups, memberships }
}

async function readUsers(reading: Reading, memberships: Groups['memberships']): Promise<void> {
  const { database, scratch } = reading
  const columns = columnsOf(database, 'core_user', 't', {
    id: 'id',
    username: 'text',
    password: 'text',
    email: 'text',
    first_name: 'text',
    last_name: 'text',
    is_superuser: 'flag',
    is_staff: 'flag',
    is_active: 'flag',
    date_joined: 'moment',
    last_login: 'moment',
    created_at: 'moment',
    updated_at: 'moment',
  })
  let u = 0
  for await (const row of rowsOf(reading, `select ${columns} from core_user t order by t.username`)) {
    const id = idIn(row, 'id')
    scratch.run('insert into source_users values (?, ?)', id, u)
    const value: JsonObject = { id, groups: memberships.get(id ?? '') ?? [], nodes: [], tags: [] }
    for (const name of ['username', 'password', 'email', 'first_name', 'last_name']) value[name] = textIn(row, name)
    for (const name of ['date_joined', 'last_login', 'created_at', 'updated_at']) value[name] = momentIn(row, name)
    for (const name of ['is_superuser', 'is_staff', 'is_active']) {
      const flag = flagIn(row, name)
      if (flag !== undefined) value[name] = flag
    }
    reading.keep('users', [u], value, `the user ${textIn(row, 'username') ?? String(id)}`)
    u += 1
  }
}

async function warnOfPermissions(reading: Reading): Promise<void> {
  const count =
    (await countOf(reading, 'core_user_user_permissions')) + (await countOf(reading, 'auth_group_permissions'))
  if (count === 0) return
  const message = `${count} permissions of users and groups have nothing in Strongroom that they could become; they stayed behind.`
  reading.findings.warning('papermerge.permissions', reading.database.name, message)
}
