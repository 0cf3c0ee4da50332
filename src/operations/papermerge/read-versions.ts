import type { ForeignRow } from '../../database/foreign-database.ts'
import { countOf, rowsOf, type Reading } from './reading.ts'
import { columnsOf, inOrderOfRows } from './tables.ts'
import { countIn, idIn, textIn, wholeIn } from './values.ts'

/**
 * Versions, in the order of a backup: by their numbers, and those with the same one as they came to be. That order is found
 * without the texts, so that the database does not have to sort those.
 */
export async function readVersions(reading: Reading): Promise<void> {
  const { database, scratch, onProgress, keep } = reading
  const light = columnsOf(database, 'core_documentversion', 't', { id: 'id', document_id: 'id' })
  const order = `t.document_id, t.number, ${inOrderOfRows(database, 't')}`
  let broken = 0
  let v = 0
  for await (const row of rowsOf(reading, `select ${light} from core_documentversion t order by ${order}`)) {
    const node = scratch.first('select u, n from source_nodes where id = ? and folder = 0', idIn(row, 'document_id'))
    if (node === undefined) broken += 1
    else scratch.run('insert into source_versions values (?, ?, ?, ?)', idIn(row, 'id'), node.u!, node.n!, v)
    v += 1
  }
  warnOfBroken(reading, broken, 'versions', 'document')

  const total = await countOf(reading, 'core_documentversion')
  let done = 0
  const columns = columnsOf(database, 'core_documentversion', 't', {
    id: 'id',
    number: 'whole',
    file_name: 'text',
    size: 'whole',
    page_count: 'whole',
    lang: 'text',
    short_description: 'text',
    text: 'text',
  })
  for await (const row of rowsOf(reading, `select ${columns} from core_documentversion t`)) {
    done += 1
    onProgress({ phase: 'reading the database', done, total, unit: 'documents' })
    const id = idIn(row, 'id')
    const place = scratch.first('select u, n, v from source_versions where id = ?', id)
    if (place === undefined) continue
    const fileName = textIn(row, 'file_name')
    const value = {
      number: wholeIn(row, 'number'),
      // A form of Django's may have kept an empty name where nothing was uploaded.
      file_name: fileName === '' ? null : fileName,
      size: countIn(row, 'size'),
      page_count: countIn(row, 'page_count'),
      ...textsOf(row, ['lang', 'short_description', 'text']),
      pages: [],
    }
    keep(
      'users.nodes.versions',
      [Number(place.u), Number(place.n), Number(place.v)],
      value,
      `the version ${String(id)}`,
    )
  }
}

/** Pages, in the same way. */
export async function readPages(reading: Reading): Promise<void> {
  const { database, scratch, onProgress, keep } = reading
  const light = columnsOf(database, 'core_page', 't', { id: 'id', document_version_id: 'id' })
  const order = `t.document_version_id, t.number, ${inOrderOfRows(database, 't')}`
  let broken = 0
  let p = 0
  for await (const row of rowsOf(reading, `select ${light} from core_page t order by ${order}`)) {
    const place = scratch.first('select u, n, v from source_versions where id = ?', idIn(row, 'document_version_id'))
    if (place === undefined) broken += 1
    else {
      const { u, n, v } = place
      scratch.run('insert into source_pages values (?, ?, ?, ?, ?)', idIn(row, 'id'), u!, n!, v!, p)
    }
    p += 1
  }
  warnOfBroken(reading, broken, 'pages', 'version')

  let done = 0
  const columns = columnsOf(database, 'core_page', 't', { id: 'id', number: 'whole', lang: 'text', text: 'text' })
  for await (const row of rowsOf(reading, `select ${columns} from core_page t`)) {
    done += 1
    onProgress({ phase: 'reading the texts', done, total: p, unit: 'pages' })
    const id = idIn(row, 'id')
    const place = scratch.first('select u, n, v, p from source_pages where id = ?', id)
    if (place === undefined) continue
    const places = [place.u, place.n, place.v, place.p].map(Number)
    const value = { number: wholeIn(row, 'number'), ...textsOf(row, ['lang', 'text']) }
    keep('users.nodes.versions.pages', places, value, `the page ${String(id)}`)
  }
}

const textsOf = (row: ForeignRow, names: readonly string[]): Record<string, string | null> =>
  Object.fromEntries(names.map((name) => [name, textIn(row, name)]))

function warnOfBroken({ database, findings }: Reading, count: number, what: string, owner: string): void {
  if (count === 0) return
  const message = `${count} ${what} belong to no ${owner} that is there; they were passed over.`
  findings.warning('papermerge.broken_row', database.name, message)
}
