import type { ArchiveWriter } from '../../archive/archive-writer.ts'
import { pathInPart, sidecarPath } from '../../archive/layout.ts'
import type { SidecarKind } from '../../archive/records.ts'
import type { NoticeCollector } from '../../contract/notices.ts'
import type { Db } from '../../database/database.ts'
import { sidecarsOf, type PlacedSidecar } from '../../database/queries/sidecars.ts'
import type { Scratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import type { MediaFile, MediaStore } from '../../media/media-store.ts'
import { type Timestamp, unixSeconds } from '../../std/clock.ts'
import type { Spool } from '../../std/spool.ts'
import { uniquePath } from '../unique-path.ts'
import { archivedNodes, versionsWithMember, type ArchivedNode, type ArchivedVersion } from './archived-versions.ts'

export interface ContentsInput {
  readonly db: Db
  readonly scratch: Scratch
  readonly media: MediaStore
  readonly archive: ArchiveWriter
  readonly createdAt: Timestamp
  readonly damage: DamageList
  readonly onBytes: (bytes: number) => void
  readonly signal: AbortSignal | undefined
}

/** What could not be read as it once was. Each entry is told in the report and inside the archive. */
export interface DamageList {
  readonly count: number
  add(entry: {
    readonly path: string
    readonly what: Damage
    readonly reason: string
    readonly about: string
  }): Promise<void>
}

/** `missing` and `unreadable` leave an empty member behind; what is `changed` is in the archive as it was found. */
type Damage = 'missing' | 'unreadable' | 'changed'

/** Collects damage as the entries of strongroom/damage.json. */
export function createDamageList(out: Spool, leftOut: NoticeCollector): DamageList {
  let count = 0
  return {
    get count() {
      return count
    },
    async add({ path, what, reason, about }) {
      await out.write(`${count === 0 ? '{"format":1,"damaged":[' : ','}\n${JSON.stringify({ path, what, reason })}`)
      count += 1
      leftOut.add(`original.${what}`, about, `${path}: ${reason}.`)
    },
  }
}

/** Adds the files of all versions, in the order of the nodes. */
export const addOriginals = (input: ContentsInput): Promise<void> => addStored(input, originals(input))

async function* originals(input: ContentsInput): AsyncGenerator<FileToAdd> {
  for await (const archived of archivedNodes(input.db, input.scratch)) {
    for (const { facts, path } of versionsWithMember(archived)) {
      const mtime = mtimeOf(facts.created_at ?? archived.node.updated_at, input.createdAt)
      const stored =
        facts.media_key === null ? undefined : { key: facts.media_key, size: facts.size!, sha256: facts.sha256! }
      yield { path, mtime, about: archived.titles.join('/'), stored, lost: facts.sha256 !== null }
    }
  }
}

/** Adds what was derived from the pages. */
export const addSidecars = (input: ContentsInput): Promise<void> => addStored(input, sidecars(input))

async function* sidecars(input: ContentsInput): AsyncGenerator<FileToAdd> {
  for await (const batch of documentBatches(input)) {
    const places = batch.flatMap((archived) => archived.versions.map((version) => ({ archived, version })))
    const ids = places.map(({ version }) => version.facts.id)
    const found = ids.length === 0 ? [] : await sidecarsOf(input.db, ids)
    const ofVersion = Map.groupBy(found, (sidecar) => sidecar.version_id)
    for (const { archived, version } of places) {
      for (const sidecar of ofVersion.get(version.facts.id) ?? []) yield sidecarToAdd(input, archived, version, sidecar)
    }
  }
}

function sidecarToAdd(
  { createdAt }: ContentsInput,
  { node, titles, part }: ArchivedNode,
  { number, facts }: ArchivedVersion,
  { kind, media_key: key, page_number: page, sha256, size }: PlacedSidecar,
): FileToAdd {
  const path = pathInPart(part, sidecarPath(node.user_id, node.id, number, page, kind as SidecarKind))
  const mtime = mtimeOf(facts.created_at ?? node.updated_at, createdAt)
  return { path, mtime, about: titles.join('/'), stored: { key, size, sha256 }, lost: false }
}

const documentsAtOnce = 100

async function* documentBatches({ db, scratch }: ContentsInput): AsyncGenerator<ArchivedNode[]> {
  let batch: ArchivedNode[] = []
  for await (const archived of archivedNodes(db, scratch)) {
    if (archived.node.type !== 'document') continue
    batch.push(archived)
    if (batch.length < documentsAtOnce) continue
    yield batch
    batch = []
  }
  yield batch
}

interface FileToAdd {
  readonly path: string
  readonly mtime: number
  readonly about: string
  /** Undefined where the instance has no file. */
  readonly stored: { readonly key: string; readonly size: number; readonly sha256: string } | undefined
  /** Whether it should have one. */
  readonly lost: boolean
}

async function addStored(input: ContentsInput, files: AsyncIterable<FileToAdd>): Promise<void> {
  for await (const file of files) {
    const opened = file.stored === undefined ? undefined : await openStored(input.media, file.stored.key)
    if (opened !== undefined && !(opened instanceof StrongroomError)) await addOpened(input, file, opened)
    else await addEmpty(input, file, opened)
  }
}

async function openStored(media: MediaStore, key: string): Promise<MediaFile | StrongroomError> {
  try {
    return await media.open(key)
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw error
    return error
  }
}

async function addEmpty(
  { archive, damage, signal }: ContentsInput,
  { path, mtime, about, lost }: FileToAdd,
  error: StrongroomError | undefined,
): Promise<void> {
  signal?.throwIfAborted()
  await archive.addFile({ name: path, size: 0, mtime, content: nothing() })
  if (error === undefined) {
    if (!lost) return
    const reason = 'the file was lost before it came into this instance'
    return damage.add({ path, what: 'missing', reason, about })
  }
  const what = error.code === 'media.missing' ? 'missing' : 'unreadable'
  return damage.add({ path, what, reason: what === 'missing' ? 'the file is missing' : error.message, about })
}

async function addOpened(input: ContentsInput, file: FileToAdd, opened: MediaFile): Promise<void> {
  await using stored = opened
  const { archive, damage, onBytes, signal } = input
  signal?.throwIfAborted()
  const { path, mtime, about } = file
  const { size, sha256 } = file.stored!
  let failure: string | undefined
  const content = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of stored.chunks()) {
        signal?.throwIfAborted()
        yield chunk
        onBytes(chunk.length)
      }
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      failure = error.message
    }
  }
  const written = await archive.addFile({ name: path, size: stored.size, mtime, content: content() })
  if (failure === undefined && written.sha256 === sha256 && written.missingBytes === 0) return
  const reason =
    failure !== undefined
      ? `it could be read only in part (${failure}); zeros stand for the rest`
      : stored.size === size
        ? 'its bytes are no longer those that came in'
        : `it has ${stored.size} bytes instead of ${size}`
  await damage.add({ path, what: 'changed', reason, about })
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** No member is younger than its archive: programs warn of what lies in the future, and tar's field ends in 2242. */
const mtimeOf = (moment: Timestamp | null, createdAt: Timestamp): number =>
  unixSeconds(moment === null || moment > createdAt ? createdAt : moment)

/** Adds the folders of the users, with a link to the last version of each document in its place; nothing of the trash. */
export async function addFolders(
  input: ContentsInput,
  folders: ReadonlyMap<string, string>,
  type: 'symbolic' | 'hard',
): Promise<void> {
  const { db, scratch, archive, createdAt, signal } = input
  scratch.exec('create table shortened (key text primary key) without rowid')
  for await (const { node, links, versions, part } of archivedNodes(db, scratch)) {
    signal?.throwIfAborted()
    if (part === 'trash') continue
    const whole = [folders.get(node.user_id)!, ...links]
    const components = uniquePath(scratch, whole)
    const name = components.join('/')
    const mtime = mtimeOf(node.updated_at, createdAt)
    if (node.type === 'folder') {
      await archive.addFolder({ name, mtime })
      continue
    }
    const last = part === 'shown' ? versions.at(-1) : undefined
    if (last === undefined) continue
    if (type === 'hard') await archive.addLink({ name, target: last.path, mtime, type: 'hardlink' })
    else
      await archive.addLink({ name, target: '../'.repeat(components.length - 1) + last.path, mtime, type: 'symlink' })
  }
}
