import type { ForeignDatabase } from '../../database/foreign-database.ts'
import { StrongroomError } from '../../errors.ts'

/** The columns without which nothing can be said: those that a Papermerge of 2.1 has in all its releases. */
const needed: Readonly<Record<string, readonly string[]>> = {
  core_user: ['id', 'username', 'password'],
  core_basetreenode: ['id', 'title', 'parent_id', 'user_id'],
  core_folder: ['basetreenode_ptr_id'],
  core_document: ['basetreenode_ptr_id'],
  core_documentversion: ['id', 'document_id', 'number', 'file_name'],
  core_page: ['id', 'document_version_id', 'number', 'text'],
  core_tag: ['id', 'name', 'user_id'],
  core_coloredtag: ['object_id', 'tag_id'],
}

/** Tables that came with 3.3, or with 3.4, which dropped the prefix. 3.0 to 3.2 is told by its media folder. */
const newerTables = [
  'core_customfield',
  'core_customfieldvalue',
  'core_documenttype',
  'custom_fields',
  'document_types',
  'document_versions',
  'alembic_version',
]

/**
 * Sees to it that this is the database of a Papermerge 2.1. Throws `papermerge.own_database`, `papermerge.other_version`,
 * `papermerge.not_papermerge`.
 */
export function assertPapermerge({ name: database, tables, marked }: ForeignDatabase): void {
  if (marked || (tables.has('schema_migrations') && tables.has('pending_files'))) {
    throw new StrongroomError('papermerge.own_database', { database })
  }
  const newer = newerTables.some((table) => tables.has(table))
  const isPapermerge = tables.has('core_basetreenode') || tables.has('nodes')
  if (newer && isPapermerge) throw new StrongroomError('papermerge.other_version', { database, version: '3' })
  if (tables.has('core_basetreenode') && !tables.has('core_documentversion')) {
    throw new StrongroomError('papermerge.other_version', { database, version: '2.0 or older' })
  }
  const names = [...tables.keys()].toSorted()
  const found = names.length === 0 ? 'no table' : `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`
  for (const [table, columns] of Object.entries(needed)) {
    const present = tables.get(table)
    if (present === undefined) {
      throw new StrongroomError('papermerge.not_papermerge', {
        database,
        reason: `it has no table ${table}; found was ${found}`,
      })
    }
    const missing = columns.find((column) => !present.has(column))
    if (missing === undefined) continue
    throw new StrongroomError('papermerge.not_papermerge', { database, reason: `its ${table} has no ${missing}` })
  }
}

/** How a value is to come out of a column. */
type As = 'text' | 'id' | 'flag' | 'moment' | 'whole'

/**
 * The columns of a table that a query asks for; null stands for one that this release of Papermerge does not have. Django
 * keeps UUIDs as 32 hex digits and moments as text in UTC on SQLite, and as types of their own on PostgreSQL.
 */
export function columnsOf(
  { kind, tables }: ForeignDatabase,
  table: string,
  alias: string,
  columns: Readonly<Record<string, As>>,
): string {
  const present = tables.get(table)
  return Object.entries(columns)
    .map(([name, as]) => {
      if (present?.has(name) !== true) return `null as "${name}"`
      const column = `${alias}."${name}"`
      const value =
        kind === 'sqlite'
          ? column
          : {
              text: `${column}::text`,
              id: `${column}::text`,
              flag: `${column}::int`,
              moment: moment(column),
              whole: column,
            }[as]
      return `${value} as "${name}"`
    })
    .join(', ')
}

const moment = (column: string): string => `(${column} at time zone 'UTC')::text`

/** Rows as they came to be, where nothing else orders them: how Papermerge itself sees those that are alike. */
export const inOrderOfRows = ({ kind }: ForeignDatabase, alias: string): string =>
  kind === 'sqlite' ? `${alias}.rowid` : `${alias}.ctid`
