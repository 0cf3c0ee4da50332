import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { parseMoment } from '../../src/archive/moments.ts'
import { createPostgresDatabase, dropPostgresDatabase } from './databases.ts'
import { unpackArchive } from './odd-archives.ts'

/**
 * A Papermerge 2.1 as it stands on its disks: the tables that Django's migrations make of it, and its media folder. Made from
 * Papermerge's migrations, not from what the program expects.
 */

type ColumnType = 'uuid' | 'text' | 'flag' | 'moment' | 'whole' | 'serial'

const user = {
  id: 'uuid',
  password: 'text',
  last_login: 'moment',
  is_superuser: 'flag',
  username: 'text',
  first_name: 'text',
  last_name: 'text',
  email: 'text',
  is_staff: 'flag',
  is_active: 'flag',
  date_joined: 'moment',
  created_at: 'moment',
  updated_at: 'moment',
  home_folder_id: 'uuid',
  inbox_folder_id: 'uuid',
} as const

const tables: Readonly<Record<string, Readonly<Record<string, ColumnType>>>> = {
  django_migrations: { id: 'serial', app: 'text', name: 'text', applied: 'moment' },
  django_content_type: { id: 'serial', app_label: 'text', model: 'text' },
  auth_group: { id: 'serial', name: 'text' },
  auth_group_permissions: { id: 'serial', group_id: 'whole', permission_id: 'whole' },
  core_user: user,
  core_user_groups: { id: 'serial', user_id: 'uuid', group_id: 'whole' },
  core_user_user_permissions: { id: 'serial', user_id: 'uuid', permission_id: 'whole' },
  core_basetreenode: {
    id: 'uuid',
    title: 'text',
    lang: 'text',
    created_at: 'moment',
    updated_at: 'moment',
    parent_id: 'uuid',
    user_id: 'uuid',
    ctype: 'text',
  },
  core_folder: { basetreenode_ptr_id: 'uuid' },
  core_document: { basetreenode_ptr_id: 'uuid', ocr: 'flag', ocr_status: 'text' },
  core_documentversion: {
    id: 'uuid',
    lang: 'text',
    number: 'whole',
    file_name: 'text',
    size: 'whole',
    page_count: 'whole',
    short_description: 'text',
    text: 'text',
    document_id: 'uuid',
  },
  core_page: {
    id: 'uuid',
    number: 'whole',
    page_count: 'whole',
    text: 'text',
    norm_doc_title: 'text',
    norm_folder_title: 'text',
    norm_breadcrump: 'text',
    norm_text: 'text',
    lang: 'text',
    image: 'text',
    document_version_id: 'uuid',
  },
  core_tag: {
    slug: 'text',
    id: 'uuid',
    bg_color: 'text',
    fg_color: 'text',
    description: 'text',
    pinned: 'flag',
    name: 'text',
    user_id: 'uuid',
  },
  core_coloredtag: { id: 'serial', object_id: 'uuid', content_type_id: 'whole', tag_id: 'uuid' },
}

type Value = string | number | boolean | null
type Row = Readonly<Record<string, Value>>

interface Server {
  readonly url: string
  run(sql: string, parameters?: readonly (string | number | null)[]): Promise<void>
  /** As Django keeps it there. */
  value(type: ColumnType, value: Value): string | number | null
  readonly types: Readonly<Record<ColumnType, string>>
  placeholder(position: number): string
  close(): Promise<void>
}

/** Django keeps moments in UTC: as text without a zone on SQLite. */
const asText = (moment: string): string => (parseMoment(moment) ?? moment).replace('T', ' ').replace(/Z$/, '')

function sqliteServer(folder: string): Server {
  const path = join(folder, 'papermerge.db')
  const database = new DatabaseSync(path)
  return {
    url: `sqlite:${path}`,
    run: async (sql, parameters = []) => void database.prepare(sql).run(...parameters),
    value: (type, value) =>
      value === null
        ? null
        : type === 'uuid'
          ? String(value).replaceAll('-', '')
          : type === 'moment'
            ? asText(String(value))
            : typeof value === 'boolean'
              ? Number(value)
              : value,
    types: {
      uuid: 'char(32)',
      text: 'text',
      flag: 'bool',
      moment: 'datetime',
      whole: 'integer',
      serial: 'integer not null primary key autoincrement',
    },
    placeholder: () => '?',
    close: async () => database.close(),
  }
}

async function postgresServer(): Promise<Server> {
  const url = await createPostgresDatabase()
  const client = new Client({ connectionString: url })
  await client.connect()
  return {
    url,
    run: async (sql, parameters = []) => void (await client.query(sql, [...parameters])),
    value: (type, value) =>
      typeof value === 'boolean' ? String(value) : type === 'moment' && value !== null ? String(value) : value,
    types: {
      uuid: 'uuid',
      text: 'text',
      flag: 'boolean',
      moment: 'timestamp with time zone',
      whole: 'bigint',
      serial: 'serial primary key',
    },
    placeholder: (position) => `$${position}`,
    async close() {
      await client.end()
      await dropPostgresDatabase(url)
    },
  }
}

export interface Papermerge extends AsyncDisposable {
  /** What --from is given. */
  readonly from: string
  /** What --media is given. */
  readonly media: string
  insert(table: string, row: Row): Promise<void>
  run(sql: string, parameters?: readonly (string | number | null)[]): Promise<void>
  /** Writes a file below the media folder. */
  put(path: string, content: string | Buffer): Promise<void>
  /** Everything on its disks, as path and hash; a PostgreSQL's files are not among them. */
  files(): Promise<readonly string[]>
  /** The arguments of the command that brings it in. */
  readonly args: readonly string[]
}

export const papermergeKinds = ['SQLite', 'PostgreSQL'] as const
export type PapermergeKind = (typeof papermergeKinds)[number]

/** An empty Papermerge. */
export async function createPapermerge(kind: PapermergeKind): Promise<Papermerge> {
  const folder = await mkdtemp(join(tmpdir(), 'papermerge-'))
  const media = join(folder, 'media')
  await mkdir(media)
  const server = kind === 'SQLite' ? sqliteServer(folder) : await postgresServer()
  for (const [table, columns] of Object.entries(tables)) {
    const parts = Object.entries(columns).map(([name, type]) => `"${name}" ${server.types[type]}`)
    await server.run(`create table ${table} (${parts.join(', ')})`)
  }
  return {
    from: server.url,
    media,
    args: ['import-papermerge', '--from', server.url, '--media', media],
    run: (sql, parameters) => server.run(sql, parameters),
    async insert(table, row) {
      const names = Object.keys(row)
      const places = names.map((_, index) => server.placeholder(index + 1))
      const values = names.map((name) => server.value(tables[table]![name]!, row[name]!))
      await server.run(`insert into ${table} (${names.join(', ')}) values (${places.join(', ')})`, values)
    },
    async put(path, content) {
      await mkdir(dirname(join(media, path)), { recursive: true })
      await writeFile(join(media, path), content)
    },
    async files() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
      const hashed = paths.map(
        async (path) =>
          `${path} ${createHash('sha256')
            .update(await readFile(path))
            .digest('hex')}`,
      )
      return (await Promise.all(hashed)).toSorted()
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Fills it with what one of its backups holds, so that making that backup again would give the same. */
export async function loadBackup(papermerge: Papermerge, archive: string): Promise<void> {
  const members = await unpackArchive(archive)
  const metadata = members.find(({ name }) => name === 'backup.json')!
  const { users } = JSON.parse(metadata.content.toString('utf8')) as { users: Record<string, unknown>[] }
  for (const user of users) await loadUser(papermerge, user)
  for (const { name, type, content } of members) {
    if (type === 'file' && /^(?:docs|sidecars)\//.test(name)) await papermerge.put(name, content)
  }
}

type Json = Record<string, unknown>

const lists = (value: unknown): Json[] => value as Json[]

/** The keys of a record that are columns of a table. */
const columnsIn = (table: string, record: Json): Row =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key in tables[table]!)) as Row

async function loadUser(papermerge: Papermerge, user: Json): Promise<void> {
  const user_id = String(user.id)
  await papermerge.insert('core_user', columnsIn('core_user', user))
  const tagIds = new Map<string, string>()
  for (const tag of lists(user.tags)) {
    const id = randomUUID()
    tagIds.set(String(tag.name), id)
    await papermerge.insert('core_tag', { ...columnsIn('core_tag', tag), id, user_id, slug: id })
  }
  const folderIds = new Map<string, string>()
  const nodes = lists(user.nodes)
  const pathOf = (node: Json): string => String(node.breadcrumb).replace(/\/$/, '')
  for (const node of nodes) if (node.ctype === 'folder') folderIds.set(pathOf(node), randomUUID())
  for (const node of nodes) {
    const path = pathOf(node)
    const isFolder = node.ctype === 'folder'
    const id = isFolder ? folderIds.get(path)! : String(node.id)
    const parent_id = folderIds.get(path.slice(0, Math.max(0, path.length - String(node.title).length - 1))) ?? null
    const row = { lang: 'deu', ...columnsIn('core_basetreenode', node), id, parent_id, user_id }
    await papermerge.insert('core_basetreenode', row)
    if (isFolder) await papermerge.insert('core_folder', { basetreenode_ptr_id: id })
    else await loadDocument(papermerge, id, node)
    for (const tag of lists(node.tags)) {
      const tag_id = tagIds.get(String(tag.name))!
      await papermerge.insert('core_coloredtag', { object_id: id, content_type_id: 1, tag_id })
    }
  }
}

async function loadDocument(papermerge: Papermerge, id: string, node: Json): Promise<void> {
  await papermerge.insert('core_document', { ...columnsIn('core_document', node), basetreenode_ptr_id: id })
  for (const version of lists(node.versions)) {
    const versionId = randomUUID()
    const row = { ...columnsIn('core_documentversion', version), id: versionId, document_id: id }
    await papermerge.insert('core_documentversion', row)
    for (const page of lists(version.pages)) {
      const row = { ...columnsIn('core_page', page), id: randomUUID(), document_version_id: versionId }
      await papermerge.insert('core_page', row)
    }
  }
}
