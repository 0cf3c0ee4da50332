import { normalizeName, pathInPart, placeOf, versionPath, versionPath3 } from '../../archive/layout.ts'
import { StrongroomError } from '../../errors.ts'
import { versionKey } from '../../media/keys.ts'
import { mediaTypeOf } from '../../reading/media-type.ts'
import type { DocumentPlace, VersionPlace } from './places.ts'
import type { Planning } from './planning.ts'

interface PlannedFile {
  readonly fileName: string
  readonly size: number
  readonly sha256: string
  readonly mediaType: string
  /** Null where the file was lost before the backup was made. */
  readonly mediaKey: string | null
}

/** Finds the file of a version in the archive; undefined where nothing was ever uploaded. */
export function planFile(
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
  if (planning.unread.originals && told !== undefined) {
    if (damage !== undefined) warning('version.damaged', about, damagedEarlier(damage.reason))
    takeMember(planning, path, mediaKey, told.size)
    return { fileName: name, ...told, mediaType, mediaKey }
  }
  // Who goes on at a problem has a version without its file, as one that was lost.
  const lost = told === undefined ? undefined : { fileName: name, ...told, mediaType, mediaKey: null }
  if (member?.type === 'damaged') return lost
  if (member === undefined || member.type !== 'file') {
    planning.missing(path, about)
    return lost
  }
  const found = { size: Number(member.size), sha256: String(member.sha256) }
  if (Number(member.used) === 1)
    warning('version.shared_file', about, 'Another version has the same file; both have its bytes now.')
  if (own) {
    if (told === undefined) return void planning.invalid(`${about} has a file without its size and hash`)
    if (damage !== undefined) {
      warning('version.damaged', about, damagedEarlier(damage.reason))
    } else if (told.sha256 !== found.sha256) {
      const hashes = { actual: found.sha256, expected: told.sha256 }
      problem(new StrongroomError('archive.checksum_mismatch', { archive, member: path, ...hashes }))
      return lost
    } else if (told.size !== found.size) {
      planning.invalid(`${about} has ${told.size} bytes, and its file has ${found.size}`)
    }
    takeMember(planning, path, mediaKey, found.size)
    return { fileName: name, ...told, mediaType, mediaKey }
  }
  takeMember(planning, path, mediaKey, found.size)
  if (record.size !== undefined && record.size !== null && record.size !== 0 && record.size !== found.size) {
    const code = found.size === 0 ? 'version.empty_file' : 'version.size_differs'
    warning(code, about, `Its record says ${record.size} bytes and the file has ${found.size}; it was taken as it is.`)
  }
  return { fileName: name, ...found, mediaType, mediaKey }
}

const damagedEarlier = (reason: unknown): string =>
  `Its file was damaged before the backup was made: ${String(reason)}.`

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
  return pathInPart(document.part, versionPath(document.userId, document.id, written, writtenName ?? ''))
}

/** Notes that a member becomes a file of the media store. */
export function takeMember({ scratch }: Planning, path: string, mediaKey: string, size: number): void {
  scratch.run('update members set used = 1 where path = ?', path)
  scratch.run('insert into plan_files (path, media_key, size) values (?, ?, ?)', path, mediaKey, size)
}
