import { pathInPart, sidecarPath, sidecarPath3 } from '../../archive/layout.ts'
import { sidecarKinds, wholeText, type PageRecord, type SidecarKind } from '../../archive/records.ts'
import { StrongroomError } from '../../errors.ts'
import { sidecarKey } from '../../media/keys.ts'
import { derivedId } from './identity.ts'
import { readText } from './kept-values.ts'
import { giveNumbers, type Numbered } from './numbers.ts'
import { takeMember } from './plan-files.ts'
import type { DocumentPlace, VersionPlace } from './places.ts'
import type { Planning } from './planning.ts'

/** The pages of a version, and what was derived from them. */
export function planPages(
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
  const rows = 'select p, number, wanted from raw_pages where u = ? and own = ? and n = ? and v = ? order by p'
  for (const { p, number, wanted } of scratch.all(rows, u, own, n, version.v)) {
    listed.push({ written: Number(number), wanted: Number(wanted), place: Number(p) })
  }
  const numbers = giveNumbers(listed, (from, to) => {
    warning('page.renumbered', about, `Two pages have the number ${from}; the second became page ${to}.`)
  })
  const records = 'select p, number, record from raw_pages where u = ? and own = ? and n = ? and v = ? order by p'
  for (const row of scratch.rows(records, u, own, n, version.v)) {
    const record = JSON.parse(String(row.record)) as PageRecord
    const number = numbers.get(Number(row.p))!
    if (record.id === undefined && dialect === 'strongroom') return invalid(`page ${number} of ${about} has no id`)
    const id = record.id ?? derivedId('page', versionId, number)
    const inserted = scratch.change(
      'insert into plan_pages values (?, ?, ?, ?, ?) on conflict (id) do nothing',
      id,
      versionId,
      number,
      readText(planning, about, 'language of a page', record.lang) ?? lang,
      readText(planning, about, 'text of a page', wholeText(record)) ?? '',
    )
    if (inserted === 0) return invalid(`two pages have the id ${id}`)
    planSidecars(planning, document, version, { id, number, written: Number(row.number), record })
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
        : pathInPart(document.part, sidecarPath(document.userId, document.id, version.written, page.written, kind))
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
  const { path, told } = sidecar
  const member = scratch.first("select size, sha256 from members where path = ? and type = 'file'", path)
  const damage = told === undefined ? undefined : scratch.first('select what, reason from damage where path = ?', path)
  if (damage !== undefined) {
    warning('sidecar.lost', path, `It was lost or damaged before the backup was made: ${String(damage.reason)}.`)
    if (damage.what !== 'changed') return scratch.run('update members set used = 1 where path = ?', path)
  }
  if (planning.unread.sidecars && told !== undefined) return takeSidecar(planning, sidecar, told.size, told)
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
  } else if (told !== undefined && damage === undefined && told.size !== found.size) {
    planning.invalid(`${path} has ${told.size} bytes in backup.json, and ${found.size} in the archive`)
  }
  takeSidecar(planning, sidecar, found.size, told ?? found)
}

function takeSidecar(
  planning: Planning,
  { pageId, kind, path, mediaKey }: SidecarPlace,
  memberBytes: number,
  { size, sha256 }: { readonly size: number; readonly sha256: string },
): void {
  takeMember(planning, path, mediaKey, memberBytes)
  planning.scratch.run('insert into plan_sidecars values (?, ?, ?, ?, ?)', pageId, kind, size, sha256, mediaKey)
}
