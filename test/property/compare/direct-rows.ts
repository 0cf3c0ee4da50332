import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Client } from 'pg'
import { fates } from '../../../src/database/archived.ts'
import { sidecarKinds } from '../../../src/domain/sidecars.ts'
import type { Chance } from '../../support/chance.ts'
import type { CommandInstance } from '../../support/command-instances.ts'

/** The rows of an instance past everything that guards them, foreign keys too. */
export interface DirectRows extends AsyncDisposable {
  query(sql: string, ...parameters: readonly Value[]): Promise<readonly Row[]>
}

export type Value = string | number | null
export type Row = Readonly<Record<string, Value>>

export async function openDirectRows({ url, dataDirectory }: CommandInstance): Promise<DirectRows> {
  if (url === undefined) {
    const database = new DatabaseSync(join(dataDirectory, 'strongroom.db'), { enableForeignKeyConstraints: false })
    return {
      query: async (sql, ...parameters) =>
        database.prepare(sql.replaceAll('$', '?')).all(...(parameters as SQLInputValue[])) as Row[],
      [Symbol.asyncDispose]: async () => database.close(),
    }
  }
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('set session_replication_role = replica')
  return {
    async query(sql, ...parameters) {
      const { rows } = await client.query<Record<string, Value>>(sql, [...parameters])
      // Whole numbers of 64 bits come as texts.
      return rows.map((row) => ('size' in row && row['size'] !== null ? { ...row, size: Number(row['size']) } : row))
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

export type Table = keyof typeof fates

/** Every column that a backup carries. */
export const archivedColumns: readonly (readonly [table: Table, column: string])[] = Object.entries(fates).flatMap(
  ([table, columns]) =>
    Object.entries(columns).flatMap(([column, fate]) =>
      fate === 'archived' ? [[table as Table, column] as const] : [],
    ),
)

export const primaryKeys: Readonly<Partial<Record<Table, readonly string[]>>> = {
  memberships: ['user_id', 'group_id'],
  node_tags: ['node_id', 'tag_id'],
  sidecars: ['page_id', 'kind'],
}
const keyOf = (table: Table): readonly string[] => primaryKeys[table] ?? ['id']

/** Who refers to the id of a table. */
const references: Readonly<Partial<Record<Table, readonly (readonly [Table, string])[]>>> = {
  users: [
    ['memberships', 'user_id'],
    ['nodes', 'user_id'],
    ['tags', 'user_id'],
  ],
  groups: [['memberships', 'group_id']],
  nodes: [
    ['nodes', 'parent_id'],
    ['nodes', 'deleted_parent'],
    ['node_tags', 'node_id'],
    ['versions', 'document_id'],
  ],
  tags: [['node_tags', 'tag_id']],
  versions: [['pages', 'version_id']],
  pages: [['sidecars', 'page_id']],
}

const targets: Readonly<Record<string, Table>> = {
  user_id: 'users',
  group_id: 'groups',
  node_id: 'nodes',
  tag_id: 'tags',
  document_id: 'nodes',
  version_id: 'versions',
  page_id: 'pages',
  parent_id: 'nodes',
}

async function anotherValue(rows: DirectRows, chance: Chance, column: string, value: Value): Promise<Value> {
  const target = targets[column]
  if (target !== undefined) {
    const type = column === 'document_id' ? 'document' : column === 'parent_id' ? 'folder' : undefined
    const all = await rows.query(
      `select id from ${target} where id <> $1${type === undefined ? '' : ` and type = '${type}'`} order by id`,
      value ?? '',
    )
    return chance.pick(all)['id']!
  }
  if (column === 'id' || column === 'deleted_parent') return randomUUID()
  if (/_at$|^date_|^last_login$/.test(column)) return '2001-02-03T04:05:06.000007Z'
  if (/^is_|^pinned$|^ocr$/.test(column)) return value === 1 ? 0 : 1
  if (column === 'type') return value === 'folder' ? 'document' : 'folder'
  if (column === 'kind') return chance.pick(sidecarKinds.filter((kind) => kind !== value))
  if (column === 'ocr_status') return value === 'failed' ? 'started' : 'failed'
  if (column === 'sha256') return 'c'.repeat(64)
  if (['size', 'page_count', 'number'].includes(column)) return Number(value ?? 0) + 1 + chance.below(5)
  return `${String(value ?? '')}x`
}

/** Something done to an instance, and how it is undone. */
export interface Mutation {
  readonly what: string
  undo(): Promise<void>
}

/**
 * Changes one column of one row, whichever row takes it; what refers to a changed id follows. Throws where no row takes any
 * other value.
 */
export async function changeColumn(rows: DirectRows, chance: Chance, table: Table, column: string): Promise<Mutation> {
  const all = await rows.query(`select * from ${table} order by ${keyOf(table).join(', ')}`)
  for (let tries = 0; tries < 200; tries += 1) {
    const row = chance.pick(all)
    const value = await anotherValue(rows, chance, column, row[column]!)
    const changed = { ...row, [column]: value }
    const set = async (from: Row, to: Row): Promise<void> => {
      const where = keyOf(table).map((key, index) => `${key} = $${index + 2}`)
      const keys = keyOf(table).map((key) => from[key]!)
      await rows.query(`update ${table} set ${column} = $1 where ${where.join(' and ')}`, to[column]!, ...keys)
      for (const [referrer, by] of column === 'id' ? (references[table] ?? []) : [])
        await rows.query(`update ${referrer} set ${by} = $1 where ${by} = $2`, to[column]!, from[column]!)
    }
    try {
      await set(row, changed)
    } catch {
      continue
    }
    const key = keyOf(table)
      .map((name) => String(row[name]))
      .join(' ')
    return {
      what: `${table}.${column} of ${key} from ${JSON.stringify(row[column])} to ${JSON.stringify(value)}`,
      undo: () => set(changed, row),
    }
  }
  throw new Error(`no row of ${table} takes another ${column}`)
}
