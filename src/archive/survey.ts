import { createHash } from 'node:crypto'
import { StrongroomError } from '../errors.ts'
import { linesOf } from '../std/lines.ts'
import { createSpool } from '../std/spool.ts'
import type { GunzipEnd } from './gunzip.ts'
import { breaksOff } from './breaks-off.ts'
import { checkDirectory } from './check-directory.ts'
import { checkPlaces, indexedMembers } from './check-places.ts'
import type { JsonObject, JsonRecord } from './json-records.ts'
import { isContentFolder, linkTarget, normalizeName, placeOf } from './layout.ts'
import { readDamage, readMetadata } from './metadata-reader.ts'
import type { OpenArchive } from './open-archive.ts'
import { checkFileTail, checkIndex, checkSums, formatSeen, parseSeen, type IndexFound } from './proof-check.ts'
import { readTar, type TarEnd, type TarEntry } from './tar-reader.ts'

/** A member at a place where the file of a version or a page may lie. */
export interface ContentMember {
  /** With its ids in lower case and single slashes. */
  readonly path: string
  readonly type: 'file' | 'folder'
  readonly size: number
  readonly sha256: string
  /** Its first bytes, up to 1,024. */
  readonly head: Uint8Array
}

export interface SurveyEvents {
  /** Something is wrong. Throw to stop; return to go on and learn what else is. */
  onProblem(error: StrongroomError): void
  onWarning(code: string, about: string, message: string): void
  onContent(member: ContentMember): void
  /** A record of backup.json, see records.ts. */
  onRecord(record: JsonRecord): void
  /** An entry of damage.json. */
  onDamage(value: JsonObject): void
  /** Whether an archive that breaks off, once backup.json is read, is a problem like others: what came before counts. */
  readonly salvage?: boolean
  /** Whether the index and the directory are held against what they lead to; else only against their hashes. */
  readonly places?: boolean
  /** How many bytes of the file have been read. */
  onRead(position: number): void
}

/** What an archive is, when it has been read once from one end to the other. */
export interface Survey {
  /** True for an archive of ours: its backup.json has a `strongroom` key. */
  readonly ours: boolean
  /** Regular members, and their bytes. */
  readonly files: number
  readonly bytes: number
  /** Regular members at places where nothing of a backup lies. */
  readonly strangers: number
  readonly folders: number
  readonly links: number
  /** Bytes of backup.json. */
  readonly metadataBytes: number
  /** True where every regular member agrees with SHA256SUMS, that with the index and its tail, and nothing else is wrong. */
  readonly proved: boolean
}

/** What stands in our archives beside content, and is only held against its hash. */
const ownKinds: ReadonlySet<string> = new Set(['readme', 'page', 'directory'])

/**
 * Reads an archive through once, checks all that can be checked without knowing what backup.json means, and tells what is
 * in it. Nothing is written but in `scratchFolder`. Memory does not grow with the archive.
 */
export async function surveyArchive(
  archive: OpenArchive,
  scratchFolder: string,
  listener: SurveyEvents,
  signal?: AbortSignal,
): Promise<Survey> {
  let sound = true
  const events: SurveyEvents = {
    ...listener,
    onProblem(error) {
      sound = false
      listener.onProblem(error)
    },
  }
  await using sums = await createSpool(scratchFolder)
  const counts = { files: 0, bytes: 0, strangers: 0, folders: 0, links: 0, metadataBytes: 0 }
  let dotSlash = 0
  const seen = {
    metadata: false,
    metadataWhole: false,
    metadataFirst: false,
    metadataSha256: '',
    ours: false,
    sums: undefined as string | undefined,
    index: undefined as IndexFound | undefined,
    afterIndex: false,
    unclaimedIndex: false,
  }
  const ends: { gzip?: GunzipEnd; tar?: TarEnd } = {}
  const problem = (code: 'archive.damaged' | 'archive.bad_metadata', reason: string): void =>
    events.onProblem(new StrongroomError(code, { archive: archive.name, reason }))

  const tar = archive.tar(
    (end) => (ends.gzip = end),
    (position) => events.onRead(position),
  )
  try {
    for await (const entry of readTar(tar, archive.name, (end) => (ends.tar = end))) {
      signal?.throwIfAborted()
      await takeEntry(entry)
    }
  } catch (error) {
    if (listener.salvage !== true || !seen.metadataWhole || !breaksOff(error)) throw error
    events.onProblem(error)
  }
  await archive.assertUnchanged()
  reportEnds()
  if (!seen.metadata) events.onProblem(new StrongroomError('archive.no_metadata', { archive: archive.name }))
  // No other program writes an index: without this a change of one letter would make our archive one that carries no hashes.
  if (seen.unclaimedIndex && !seen.ours && sound) {
    problem(
      'archive.damaged',
      'it has the index of a Strongroom archive, and its backup.json does not say that it is one',
    )
  }
  const proved = seen.ours && (await checkProof())
  return { ours: seen.ours, proved: proved && sound, ...counts }

  async function takeEntry(entry: TarEntry): Promise<void> {
    const name = normalizeName(entry.name)
    if (entry.name.startsWith('./')) dotSlash += 1
    if (seen.index !== undefined) seen.afterIndex = true
    const refusal = refuse(entry, name)
    if (refusal !== undefined) {
      events.onProblem(
        new StrongroomError('archive.hostile', {
          archive: archive.name,
          member: entry.name.slice(0, 1000),
          reason: refusal,
        }),
      )
      return
    }
    if (entry.type === 'folder') {
      counts.folders += 1
      const place = placeOf(name.replace(/\/$/, ''))
      if (place.kind === 'content')
        events.onContent({ path: place.path, type: 'folder', size: 0, sha256: '', head: new Uint8Array() })
      return
    }
    if (entry.type !== 'file') {
      counts.links += 1
      return
    }
    await takeFile(entry, name)
  }

  async function takeFile(entry: TarEntry, name: string): Promise<void> {
    counts.files += 1
    counts.bytes += entry.size
    const place = placeOf(name)
    if (place.kind === 'metadata') return takeMetadata(entry, name)
    if (seen.ours && place.kind === 'sums') {
      seen.sums = await checkSums(entry.content(), sums, archive.name, events)
      return note(entry, name, seen.sums)
    }
    if (seen.ours && place.kind === 'index') {
      seen.index = await checkIndex(entry.content(), sums, archive.name, events)
      return
    }
    if (seen.ours && place.kind === 'damage') {
      return note(entry, name, await readDamage(entry.content(), archive.name, events, signal))
    }
    if (place.kind === 'index') seen.unclaimedIndex = true
    const used = place.kind === 'content' || (seen.ours && ownKinds.has(place.kind))
    if (!used) counts.strangers += 1
    if (!used && !seen.ours) return
    const { sha256, head } = await readContent(entry, signal)
    if (place.kind === 'content') events.onContent({ path: place.path, type: 'file', size: entry.size, sha256, head })
    await note(entry, name, sha256)
  }

  async function note({ position }: TarEntry, name: string, sha256: string): Promise<void> {
    if (seen.ours) await sums.write(formatSeen(sha256, position, name))
  }

  async function takeMetadata(entry: TarEntry, name: string): Promise<void> {
    if (seen.metadata) return problem('archive.bad_metadata', 'the archive has two of them')
    seen.metadata = true
    seen.metadataFirst = counts.files === 1
    counts.metadataBytes = entry.size
    const sha256 = await readMetadata(entry.content(), archive.name, { ...events, onOurs: recognize }, signal)
    seen.metadataWhole = true
    seen.metadataSha256 = sha256
    await note(entry, name, sha256)
  }

  function recognize(): void {
    seen.ours = true
    if (!seen.metadataFirst)
      problem('archive.damaged', 'backup.json is not its first member: it was packed again by another program')
  }

  function reportEnds(): void {
    const { gzip, tar: end } = ends
    if (gzip?.trailing === 'garbage') {
      events.onWarning(
        'archive.trailing_bytes',
        archive.name,
        `${gzip.trailingBytes} bytes that belong to nothing follow the end of the archive.`,
      )
    }
    if (end !== undefined && !end.endMarker) {
      events.onWarning(
        'archive.no_end_marker',
        archive.name,
        'The tar lacks the zeros at its end; all its members are complete.',
      )
    }
    if (end !== undefined && end.hiddenBytes > 0) {
      const message = 'data follows the end of the tar, which most programs never see'
      if (seen.ours) problem('archive.damaged', message)
      else
        events.onWarning(
          'archive.hidden_bytes',
          archive.name,
          `After the end of the tar, data follows that most programs never see.`,
        )
    }
    if (dotSlash > 0) {
      events.onWarning(
        'archive.repacked',
        archive.name,
        'Its names begin with "./": it was packed again by another program.',
      )
    }
    if (counts.strangers > 0) {
      events.onWarning(
        'archive.strangers',
        archive.name,
        `${counts.strangers} files lie where a backup has none; they were ignored.`,
      )
    }
  }

  async function checkProof(): Promise<boolean> {
    const { index } = seen
    if (seen.sums === undefined || index === undefined || seen.afterIndex) {
      const missing =
        seen.sums === undefined
          ? 'SHA256SUMS is missing'
          : index === undefined
            ? 'its index is missing'
            : 'its index is not its last member'
      events.onProblem(new StrongroomError('archive.truncated', { archive: archive.name, reason: missing }))
      return false
    }
    if (index.sumsSha256 !== seen.sums) {
      problem('archive.damaged', 'SHA256SUMS is not the one that the index names')
      return false
    }
    const tail = await checkFileTail(archive, index, ends.gzip?.compressedBytes ?? 0, events)
    if (!index.sound || !tail.sound) return false
    return tail.offset === undefined || events.places !== true || (await checkWays(tail.offset))
  }

  /** Whether the index and the directory lead to what they name. */
  async function checkWays(indexOffset: number): Promise<boolean> {
    const met = async function* () {
      for await (const line of linesOf(sums.chunks())) yield parseSeen(line)
    }
    const indexed = () => indexedMembers(archive, indexOffset)
    const reason =
      (await checkPlaces(archive, indexOffset, met(), signal)) ??
      (await checkDirectory(archive, seen.metadataSha256, indexed, signal))
    if (reason !== undefined) problem('archive.damaged', reason)
    return reason === undefined
  }
}

const headBytes = 1024

/** Reads a member through: its hash and its first bytes. */
export async function readContent(
  entry: TarEntry,
  signal: AbortSignal | undefined,
): Promise<{ readonly sha256: string; readonly head: Uint8Array }> {
  const hash = createHash('sha256')
  let head = Buffer.alloc(0)
  for await (const chunk of entry.content()) {
    signal?.throwIfAborted()
    hash.update(chunk)
    if (head.length < headBytes) head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)])
  }
  return { sha256: hash.digest('hex'), head }
}

/** Why an entry must not be in a backup; undefined for one that may. */
function refuse(entry: TarEntry, name: string): string | undefined {
  if (entry.type === 'device') return 'it is a device or a pipe'
  if (entry.type === 'other') return 'it is of a kind that no backup has'
  if (name.startsWith('/')) return 'its name begins with a slash'
  const climbs = name.split('/').some((part) => part === '..' || part === '.')
  if (entry.type === 'file') return climbs ? 'its name leads outside its folder' : undefined
  if (!isContentFolder(name)) return undefined
  if (climbs) return 'its name leads outside its folder'
  if (entry.type === 'folder') return undefined
  // A user who is called docs has his folder here, with links to the last versions in it, as Papermerge writes them.
  const target = entry.type === 'symlink' ? linkTarget(name, entry.linkName) : undefined
  const leadsToContent = target !== undefined && placeOf(target).kind === 'content'
  return leadsToContent && placeOf(name).kind === 'stray' ? undefined : 'it is a link among the files'
}
