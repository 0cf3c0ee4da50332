import type { JsonObject } from '../../archive/json-records.ts'
import { storable } from '../../archive/records.ts'
import type { ForeignRow } from '../../database/foreign-database.ts'
import { rowsOf, type Reading } from './reading.ts'
import { columnsOf, inOrderOfRows } from './tables.ts'
import { flagIn, idIn, momentIn, textIn } from './values.ts'

/** Folders, documents and tags. */
export async function readNodes(reading: Reading): Promise<void> {
  await takeNodes(reading)
  findPaths(reading)
  keepNodes(reading)
  await readTags(reading)
}

/** What a node is, its ctype says only since 2.1.0; the table that has its other half says it always. */
async function takeNodes(reading: Reading): Promise<void> {
  const { database, scratch, findings, leftOut } = reading
  const node = columnsOf(database, 'core_basetreenode', 'n', {
    id: 'id',
    title: 'text',
    parent_id: 'id',
    user_id: 'id',
    lang: 'text',
    created_at: 'moment',
    updated_at: 'moment',
    ctype: 'text',
  })
  const document = columnsOf(database, 'core_document', 'd', { ocr: 'flag', ocr_status: 'text' })
  let n = 0
  const query = `select ${node}, ${document}, d.basetreenode_ptr_id is not null as is_document,
    f.basetreenode_ptr_id is not null as is_folder from core_basetreenode n
    left join core_document d on d.basetreenode_ptr_id = n.id left join core_folder f on f.basetreenode_ptr_id = n.id`
  for await (const row of rowsOf(reading, query)) {
    const id = idIn(row, 'id') ?? ''
    const user = scratch.first('select u from source_users where id = ?', idIn(row, 'user_id'))
    const isDocument = flagIn(row, 'is_document') === true
    const isFolder = !isDocument && (flagIn(row, 'is_folder') === true || textIn(row, 'ctype') === 'folder')
    const { text: title, altered } = storable(textIn(row, 'title'))
    if (altered) {
      findings.warning('text.replaced', title, 'The title held characters that cannot be stored; they became U+FFFD.')
    }
    if (user === undefined || !(isDocument || isFolder)) {
      const reason = user === undefined ? 'it belongs to no user' : 'it is neither a folder nor a document'
      leftOut('papermerge.broken_row', title, `The node ${id} cannot be brought in: ${reason}.`)
      continue
    }
    scratch.run(
      'insert into source_nodes values (?, ?, ?, ?, ?, ?, null, ?)',
      id,
      user.u!,
      n,
      idIn(row, 'parent_id'),
      title,
      Number(isFolder),
      JSON.stringify(isFolder ? commonOf(row) : { id, ...commonOf(row), ...documentOf(row), versions: [] }),
    )
    n += 1
  }
}

/** A backup gives folders no id, so they get the one that they would get out of it. */
const commonOf = (row: ForeignRow): JsonObject => ({
  created_at: momentIn(row, 'created_at'),
  updated_at: momentIn(row, 'updated_at'),
  tags: [],
})

const documentOf = (row: ForeignRow): JsonObject => ({
  lang: textIn(row, 'lang'),
  ocr: flagIn(row, 'ocr') ?? null,
  ocr_status: textIn(row, 'ocr_status'),
})

/** The breadcrumb of each node. One whose folder is not there, or is another user's, stands at the top. */
function findPaths({ scratch, findings, invalid }: Reading): void {
  const inFolder = 'p.id = n.parent_id and p.u = n.u and p.folder = 1 and p.id <> n.id'
  for (const { id, title } of scratch.rows(
    `select id, title from source_nodes n where parent_id is not null and not exists (select 1 from source_nodes p where ${inFolder})`,
  )) {
    const message = `The folder that held it (node ${String(id)}) is not there; it stands beside the home now.`
    findings.warning('papermerge.parent_missing', String(title), message)
  }
  scratch.exec(`
    create table source_paths (id text primary key, path text not null) without rowid;
    insert into source_paths
      with recursive reached (id, u, path) as (
        select id, u, title from source_nodes n where not exists (select 1 from source_nodes p where ${inFolder})
        union all
        select n.id, n.u, p.path || '/' || n.title from reached p
          join source_nodes f on f.id = p.id and f.folder = 1
          join source_nodes n on n.parent_id = p.id and n.u = p.u)
      select id, path from reached;
    update source_nodes set path = s.path from source_paths s where s.id = source_nodes.id;
    drop table source_paths`)
  for (const { title } of scratch.all('select title from source_nodes where path is null limit 3')) {
    invalid(`${String(title)} lies within itself`)
  }
}

function keepNodes({ scratch, keep }: Reading): void {
  for (const { u, n, title, folder, path, record } of scratch.rows('select * from source_nodes order by n')) {
    const value = {
      ...(JSON.parse(String(record)) as JsonObject),
      title: String(title),
      ctype: folder === 1 ? 'folder' : 'document',
      breadcrumb: `${String(path)}${folder === 1 ? '/' : ''}`,
    }
    keep('users.nodes', [Number(u), Number(n)], value, `the node at ${String(path).slice(0, 200)}`)
  }
}

async function readTags(reading: Reading): Promise<void> {
  const { database, scratch, keep } = reading
  const tag = columnsOf(database, 'core_tag', 't', {
    name: 'text',
    user_id: 'id',
    bg_color: 'text',
    fg_color: 'text',
    description: 'text',
    pinned: 'flag',
  })
  const valueOf = (row: ForeignRow): JsonObject => {
    const value: JsonObject = { pinned: flagIn(row, 'pinned') ?? null }
    for (const name of ['name', 'bg_color', 'fg_color', 'description']) value[name] = textIn(row, name)
    return value
  }
  let t = 0
  for await (const row of rowsOf(reading, `select ${tag} from core_tag t order by t.name`)) {
    const user = scratch.first('select u from source_users where id = ?', idIn(row, 'user_id'))
    if (user === undefined) continue
    keep('users.tags', [Number(user.u), t], valueOf(row), `the tag ${String(row['name'])}`)
    t += 1
  }
  // Whatever else may have a tag, as the automates of older releases, is no node.
  const placed = columnsOf(database, 'core_coloredtag', 'c', { object_id: 'id' })
  const query = `select ${placed}, ${tag} from core_coloredtag c join core_tag t on t.id = c.tag_id order by ${inOrderOfRows(database, 'c')}`
  for await (const row of rowsOf(reading, query)) {
    const node = scratch.first('select u, n from source_nodes where id = ?', idIn(row, 'object_id'))
    if (node === undefined) continue
    keep('users.nodes.tags', [Number(node.u), Number(node.n), t], valueOf(row), `the tag ${String(row['name'])}`)
    t += 1
  }
}
