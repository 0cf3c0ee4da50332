import type { TreePage, TreeVersion } from '../../contract/tree.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { formatPath } from '../../domain/paths.ts'
import { nodeItems, pathOf } from '../contents/walk.ts'
import { outputPath } from '../extract/copy-files.ts'

export const csvName = 'documents.csv'

const columns = [
  'path',
  'title',
  'file',
  'version',
  'date',
  'tags',
  'pages',
  'language',
  'type',
  'size',
  'sha256',
  'created',
  'changed',
  'id',
]

/** The text of what is written beside the documents, in pieces: one of its rows of `output_files`. */
export function* describe(scratch: Scratch, row: ScratchRow): Generator<string, void, undefined> {
  if (row.kind === 'csv') yield* csvOf(scratch)
  else if (row.kind === 'text') yield* textOf(scratch, row)
  else yield jsonOf(scratch, row)
}

/** The texts of the pages, each ended by a form feed as pdftotext does; where none has one, the text of the whole version. */
function* textOf(scratch: Scratch, { version }: ScratchRow): Generator<string, void, undefined> {
  const pages = "select 1 as n from plan_pages where version_id = ? and text <> '' limit 1"
  if (scratch.first(pages, version!) === undefined) {
    yield String(scratch.first('select text from plan_versions where id = ?', version!)?.text ?? '')
    return
  }
  for (const { text } of scratch.rows('select text from plan_pages where version_id = ? order by number', version!))
    yield `${String(text)}\n\f`
}

/** What `tree --json` has of the document. */
function jsonOf(scratch: Scratch, { node }: ScratchRow): string {
  const row = scratch.first('select * from plan_nodes where seq = ?', node!)!
  const versions: (TreeVersion & { readonly pages: TreePage[] })[] = []
  let document = {}
  for (const item of nodeItems(scratch, { row, path: pathOf(scratch, row) }, false)) {
    if (item.kind === 'node') document = item.node
    else if (item.kind === 'version') versions.push({ ...item.version, pages: [] })
    else if (item.kind === 'page') versions.at(-1)?.pages.push(item.page)
  }
  return `${JSON.stringify({ ...document, versions }, null, 2)}\n`
}

const rowsOfCsv = `
  select f.path, f.state, f.media_key, n.seq, n.parent_seq, n.id, n.title, n.created_at, n.updated_at, n.lang, v.number,
    v.created_at as date, v.page_count, v.lang as version_lang, v.media_type, v.size, v.sha256
  from output_files f join plan_nodes n on n.seq = f.node join plan_versions v on v.id = f.version
  where f.kind = 'file' order by f.n`

const tagsOf = `select t.name from plan_node_tags n join plan_tags t on t.id = n.tag_id where n.node_id = ? order by t.name`

/** RFC 4180, with a byte order mark, without which Excel takes UTF-8 for something else. */
function* csvOf(scratch: Scratch): Generator<string, void, undefined> {
  yield `\uFEFF${columns.join(',')}\r\n`
  for (const row of scratch.rows(rowsOfCsv)) {
    const isThere = row.state !== 'left out' && row.media_key !== null
    const cells = [
      formatPath(pathOf(scratch, row)),
      row.title,
      isThere ? outputPath(row).join('/') : '',
      row.number,
      row.date ?? row.updated_at,
      scratch
        .all(tagsOf, row.id!)
        .map(({ name }) => String(name))
        .join('; '),
      row.page_count,
      row.version_lang === '' ? row.lang : row.version_lang,
      row.media_type,
      row.size,
      row.sha256,
      row.created_at,
      row.updated_at,
      row.id,
    ]
    yield `${cells.map((cell) => csvCell(cell ?? '')).join(',')}\r\n`
  }
}

/**
 * A cell as RFC 4180 has it. What a spreadsheet would take for a formula gets an apostrophe in front: a document may be called
 * `=HYPERLINK(…)` by whoever sent it.
 */
export function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
