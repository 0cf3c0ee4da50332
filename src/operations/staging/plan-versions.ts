import { normalizeName, placeOf, sidecarPath, sidecarPath3, versionPath, versionPath3 } from '../../archive/layout.ts'
import {
  sidecarKinds,
  wholeText,
  type PageRecord,
  type SidecarKind,
  type VersionRecord,
} from '../../archive/records.ts'
import { StrongroomError } from '../../errors.ts'
import { sidecarKey, versionKey } from '../../media/keys.ts'
import { mediaTypeOf } from '../../reading/media-type.ts'
import { derivedId } from './identity.ts'
import { readDate, readText } from './kept-values.ts'
import type { Planning } from './planning.ts'

interface DocumentPlace {
  readonly seq: number
  readonly u: number
  readonly own: number
  readonly n: number
  readonly id: string
  readonly userId: string
  /** Names the document in messages. */
  readonly about: string
  readonly lang: string
  /** Whether the archive gives the ids that the places of its files are made of. */
  readonly carriesIds: boolean
}

/** A version or page as the archive lists it, with the number that its files lie by. */
interface Numbered {
  readonly written: number
  readonly wanted: number
  readonly place: number
}

/** Versions and pages, and which member of the archive is the file of which. */
export function planVersions(planning: Planning): void {
  const documents = planning.scratch.rows(
    `select n.seq, n.u, n.own, n.n, n.id, n.user_id, n.title, n.lang, u.username,
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
      carriesIds: row.carries_ids === 1,
    })
  }
}

function planDocument(planning: Planning, document: DocumentPlace): void {
  const { scratch } = planning
  const { u, own, n } = document
  const listed: Numbered[] = []
  const rows =
    'select v, number, json_extract(record, ?) as wanted from raw_versions where u = ? and own = ? and n = ? order by v'
  for (const { v, number, wanted } of scratch.all(rows, '$.number', u, own, n)) {
    listed.push({ written: Number(number), wanted: Number(wanted), place: Number(v) })
  }
  const numbers = giveNumbers(listed, (from, to) => {
    planning.warning(
      'version.renumbered',
      document.about,
      `Two versions have the number ${from}; the second became version ${to}.`,
    )
  })
  for (const { written, place } of listed) {
    const row = scratch.first(
      'select file_name, record from raw_versions where u = ? and own = ? and n = ? and v = ?',
      u,
      own,
      n,
      place,
    )!
    planVersion(planning, document, {
      v: place,
      number: numbers.get(place)!,
      written,
      writtenName: row.file_name === null ? null : String(row.file_name),
      record: JSON.parse(String(row.record)) as VersionRecord,
    })
  }
}

/** The number of each, by its place: its own, or where an earlier one has that the next that nobody wants. */
function giveNumbers(
  listed: readonly Numbered[],
  onChange: (from: number, to: number) => void,
): ReadonlyMap<number, number> {
  const wanted = new Set(listed.map((entry) => entry.wanted))
  const taken = new Set<number>()
  const next = new Map<number, number>()
  const given = new Map<number, number>()
  for (const entry of listed) {
    let number = entry.wanted
    if (taken.has(number)) {
      number = next.get(number) ?? number
      while (wanted.has(number) || taken.has(number)) number += 1
      next.set(entry.wanted, number + 1)
      onChange(entry.wanted, number)
    }
    taken.add(number)
    given.set(entry.place, number)
  }
  return given
}

interface VersionPlace {
  readonly v: number
  readonly number: number
  /** What Papermerge sees, and the files lie by. */
  readonly written: number
  readonly writtenName: string | null
  readonly record: VersionRecord
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

interface PlannedFile {
  readonly fileName: string
  readonly size: number
  readonly sha256: string
  readonly mediaType: string
  /** Null where the file was lost before the backup was made. */
  readonly mediaKey: string | null
}

/** Finds the file of a version in the archive; undefined where nothing was ever uploaded. */
function planFile(
  planning: Planning,
  document: DocumentPlace,
  { record, number, written, writtenName }: VersionPlace,
  versionId: string,
  about: string,
): PlannedFile | undefined {
  const { scratch, dialect, archive, problem, warning } = planning
  const own = dialect === 'strongroom'
  const fileName = record.file_name ?? null
  if (fileName === null && (own || writtenName === null)) {
    if (!own) warning('version.no_file', about, 'No file was ever uploaded to it.')
    // Beside versions with files, such a one has an empty member, so that Papermerge finds a file for each.
    scratch.run(
      'update members set used = 1 where path = ?',
      memberPath(planning, document, { record, written, writtenName }, versionId),
    )
    return undefined
  }
  const name = fileName ?? writtenName ?? ''
  const path = memberPath(planning, document, { record, written, writtenName }, versionId)
  const mediaKey = versionKey({ userId: document.userId, documentId: document.id, number, fileName: name })
  const member = scratch.first('select size, sha256, type, media_type, used from members where path = ?', path)
  const mediaType = record.media_type ?? String(member?.media_type ?? mediaTypeOf(new Uint8Array(), name))
  const damage = own ? scratch.first('select what, reason from damage where path = ?', path) : undefined
  const told =
    record.sha256 === undefined || record.sha256 === null || record.size === undefined || record.size === null
      ? undefined
      : { size: record.size, sha256: record.sha256 }
  if (damage !== undefined && told !== undefined && damage.what !== 'changed') {
    warning('version.lost', about, `Its file was lost before the backup was made: ${String(damage.reason)}.`)
    scratch.run('update members set used = 1 where path = ?', path)
    return { fileName: name, ...told, mediaType, mediaKey: null }
  }
  if (member === undefined || member.type !== 'file') {
    problem(new StrongroomError('archive.missing_file', { archive, member: path }))
    return undefined
  }
  const found = { size: Number(member.size), sha256: String(member.sha256) }
  if (Number(member.used) === 1)
    warning('version.shared_file', about, 'Another version has the same file in the archive; both have its bytes now.')
  takeMember(planning, path, mediaKey, found.size)
  if (own) {
    if (told === undefined) return void planning.invalid(`${about} has a file without its size and hash`)
    if (damage !== undefined) {
      warning('version.damaged', about, `Its file was damaged before the backup was made: ${String(damage.reason)}.`)
    } else if (told.sha256 !== found.sha256) {
      problem(
        new StrongroomError('archive.checksum_mismatch', {
          archive,
          member: path,
          actual: found.sha256,
          expected: told.sha256,
        }),
      )
    }
    return { fileName: name, ...told, mediaType, mediaKey }
  }
  if (record.size !== undefined && record.size !== null && record.size !== 0 && record.size !== found.size) {
    const code = found.size === 0 ? 'version.empty_file' : 'version.size_differs'
    warning(code, about, `backup.json says ${record.size} bytes and the file has ${found.size}; it was taken as it is.`)
  }
  return { fileName: name, ...found, mediaType, mediaKey }
}

/** Where the file of a version lies in the archive. Papermerge goes by ids alone; only where it wrote none, its path counts. */
function memberPath(
  { dialect }: Planning,
  document: DocumentPlace,
  { record, written, writtenName }: Pick<VersionPlace, 'record' | 'written' | 'writtenName'>,
  versionId: string,
): string {
  if (dialect === 'papermerge-3') return versionPath3(versionId, writtenName ?? '')
  if (!document.carriesIds && typeof record.file_path === 'string') {
    const place = placeOf(normalizeName(record.file_path))
    if (place.kind === 'content') return place.path
  }
  return versionPath(document.userId, document.id, written, writtenName ?? '')
}

function takeMember({ scratch }: Planning, path: string, mediaKey: string, size: number): void {
  scratch.run('update members set used = 1 where path = ?', path)
  scratch.run('insert into plan_files (path, media_key, size) values (?, ?, ?)', path, mediaKey, size)
}

function planPages(
  planning: Planning,
  document: DocumentPlace,
  version: VersionPlace,
  versionId: string,
  about: string,
  lang: string,
): void {
  const { scratch, dialect, invalid, warning } = planning
  const { u, own, n } = document
  const listed: Numbered[] = []
  const rows =
    'select p, number, json_extract(record, ?) as wanted from raw_pages where u = ? and own = ? and n = ? and v = ? order by p'
  for (const { p, number, wanted } of scratch.all(rows, '$.number', u, own, n, version.v)) {
    listed.push({ written: Number(number), wanted: Number(wanted), place: Number(p) })
  }
  const numbers = giveNumbers(listed, (from, to) => {
    warning('page.renumbered', about, `Two pages have the number ${from}; the second became page ${to}.`)
  })
  for (const { place, written } of listed) {
    const row = scratch.first(
      'select record from raw_pages where u = ? and own = ? and n = ? and v = ? and p = ?',
      u,
      own,
      n,
      version.v,
      place,
    )!
    const record = JSON.parse(String(row.record)) as PageRecord
    const number = numbers.get(place)!
    if (record.id === undefined && dialect === 'strongroom') return invalid(`page ${number} of ${about} has no id`)
    const id = record.id ?? derivedId('page', versionId, number)
    if (scratch.first('select 1 as n from plan_pages where id = ?', id) !== undefined)
      return invalid(`two pages have the id ${id}`)
    scratch.run(
      'insert into plan_pages values (?, ?, ?, ?, ?)',
      id,
      versionId,
      number,
      readText(planning, about, 'language of a page', record.lang) ?? lang,
      readText(planning, about, 'text of a page', wholeText(record)) ?? '',
    )
    planSidecars(planning, document, version, { id, number, written, record })
  }
}

interface PagePlace {
  readonly id: string
  readonly number: number
  readonly written: number
  readonly record: PageRecord
}

/** Papermerge's sidecars are whatever lies in their place; ours are told, and one that is not there is a problem. */
function planSidecars(planning: Planning, document: DocumentPlace, version: VersionPlace, page: PagePlace): void {
  const { dialect } = planning
  const told = new Map(page.record.sidecars.map((sidecar) => [sidecar.kind, sidecar]))
  for (const kind of dialect === 'strongroom' ? told.keys() : sidecarKinds) {
    const path =
      dialect === 'papermerge-3'
        ? sidecarPath3(page.id, kind)
        : sidecarPath(document.userId, document.id, version.written, page.written, kind)
    if (path === undefined) continue
    const place = {
      userId: document.userId,
      documentId: document.id,
      number: version.number,
      pageNumber: page.number,
      kind,
    }
    planSidecar(planning, { pageId: page.id, kind, path, mediaKey: sidecarKey(place), told: told.get(kind) })
  }
}

interface SidecarPlace {
  readonly pageId: string
  readonly kind: SidecarKind
  readonly path: string
  readonly mediaKey: string
  readonly told: { readonly size: number; readonly sha256: string } | undefined
}

/** One that was lost before the backup is left out: it can be made again from the original. */
function planSidecar(planning: Planning, sidecar: SidecarPlace): void {
  const { scratch, archive, problem, warning } = planning
  const { pageId, kind, path, mediaKey, told } = sidecar
  const member = scratch.first("select size, sha256 from members where path = ? and type = 'file'", path)
  const damage = told === undefined ? undefined : scratch.first('select what, reason from damage where path = ?', path)
  if (damage !== undefined) {
    warning('sidecar.lost', path, `It was lost or damaged before the backup was made: ${String(damage.reason)}.`)
    if (damage.what !== 'changed') return scratch.run('update members set used = 1 where path = ?', path)
  }
  if (member === undefined) {
    if (told !== undefined) problem(new StrongroomError('archive.missing_file', { archive, member: path }))
    return
  }
  const found = { size: Number(member.size), sha256: String(member.sha256) }
  if (told !== undefined && damage === undefined && told.sha256 !== found.sha256) {
    problem(
      new StrongroomError('archive.checksum_mismatch', {
        archive,
        member: path,
        actual: found.sha256,
        expected: told.sha256,
      }),
    )
  }
  takeMember(planning, path, mediaKey, found.size)
  const { size, sha256 } = told ?? found
  scratch.run('insert into plan_sidecars values (?, ?, ?, ?, ?)', pageId, kind, size, sha256, mediaKey)
}
