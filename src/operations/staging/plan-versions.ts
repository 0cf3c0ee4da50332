import { wholeText, type VersionRecord } from '../../archive/records.ts'
import { derivedId } from './identity.ts'
import { readDate, readText } from './kept-values.ts'
import { giveNumbers, type Numbered } from './numbers.ts'
import { planFile } from './plan-files.ts'
import { planPages } from './plan-pages.ts'
import type { DocumentPlace, VersionPlace } from './places.ts'
import type { Planning } from './planning.ts'

/** Versions and pages, and which member of the archive is the file of which. */
export function planVersions(planning: Planning): void {
  const documents = planning.scratch.rows(
    `select n.seq, n.u, n.own, n.n, n.id, n.user_id, n.title, n.lang, n.in_trash, u.username,
       u.carries_id and json_extract(r.record, '$.id') is not null as carries_ids
     from plan_nodes n join plan_users u on u.u = n.u join raw_nodes r on r.u = n.u and r.own = n.own and r.n = n.n
     where n.type = 'document' order by n.seq`,
  )
  for (const row of documents) {
    planDocument(planning, {
      seq: Number(row.seq),
      u: Number(row.u),
      own: Number(row.own),
      n: Number(row.n),
      id: String(row.id),
      userId: String(row.user_id),
      about: `${String(row.username)}: ${String(row.title)}`,
      lang: String(row.lang),
      part: row.in_trash === 1 ? 'trash' : row.own === 1 && planning.format > 1 ? 'hidden' : 'shown',
      carriesIds: row.carries_ids === 1,
    })
  }
}

function planDocument(planning: Planning, document: DocumentPlace): void {
  const { scratch } = planning
  const { u, own, n } = document
  const listed: Numbered[] = []
  const rows = 'select v, number, wanted from raw_versions where u = ? and own = ? and n = ? order by v'
  for (const { v, number, wanted } of scratch.all(rows, u, own, n)) {
    listed.push({ written: Number(number), wanted: Number(wanted), place: Number(v) })
  }
  const numbers = giveNumbers(listed, (from, to) => {
    planning.warning(
      'version.renumbered',
      document.about,
      `Two versions have the number ${from}; the second became version ${to}.`,
    )
  })
  const records = 'select v, number, file_name, record from raw_versions where u = ? and own = ? and n = ? order by v'
  for (const { v, number, file_name, record } of scratch.rows(records, u, own, n)) {
    planVersion(planning, document, {
      v: Number(v),
      number: numbers.get(Number(v))!,
      written: Number(number),
      writtenName: file_name === null ? null : String(file_name),
      record: JSON.parse(String(record)) as VersionRecord,
    })
  }
}

function planVersion(planning: Planning, document: DocumentPlace, version: VersionPlace): void {
  const { scratch, dialect, invalid } = planning
  const { record, number } = version
  const about = `${document.about} (version ${number})`
  if (record.id === undefined && dialect === 'strongroom') return invalid(`${about} has no id`)
  const id = record.id ?? derivedId('version', document.id, number)
  if (scratch.first('select 1 as n from plan_versions where id = ?', id) !== undefined)
    return invalid(`two versions have the id ${id}`)
  const file = planFile(planning, document, version, id, about)
  const lang = readText(planning, about, 'language', record.lang) ?? document.lang
  scratch.run(
    'insert into plan_versions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    id,
    document.id,
    number,
    file?.fileName ?? null,
    file?.size ?? null,
    file?.sha256 ?? null,
    file?.mediaType ?? null,
    record.page_count ?? null,
    lang,
    readText(planning, about, 'description', record.short_description) ?? '',
    readText(planning, about, 'text', wholeText(record)) ?? '',
    readDate(planning, about, 'created_at', record.created_at),
    file?.mediaKey ?? null,
  )
  planPages(planning, document, version, id, about, lang)
}
