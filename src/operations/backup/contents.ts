import type { ArchiveWriter } from '../../archive/archive-writer.ts'
import { pathInPart, sidecarPath } from '../../archive/layout.ts'
import { numberedComponent, shortenPath, twinKey } from '../../archive/member-names.ts'
import type { SidecarKind } from '../../archive/records.ts'
import type { NoticeCollector } from '../../contract/notices.ts'
import type { Db } from '../../database/database.ts'
import { sidecarsOf } from '../../database/queries/sidecars.ts'
import type { Scratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import type { MediaFile, MediaStore } from '../../media/media-store.ts'
import { type Timestamp, unixSeconds } from '../../std/clock.ts'
import type { Spool } from '../../std/spool.ts'
import { archivedNodes, type ArchivedNode, type ArchivedVersion } from './archived-versions.ts'

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
export async function addOriginals(input: ContentsInput): Promise<void> {
  for await (const archived of archivedNodes(input.db, input.scratch)) {
    for (const version of archived.versions) {
      if (archived.part === 'shown' || version.facts.sha256 !== null) await addOriginal(input, archived, version)
    }
  }
}

async function addOriginal(input: ContentsInput, archived: ArchivedNode, version: ArchivedVersion): Promise<void> {
  const { facts, path } = version
  const mtime = mtimeOf(facts.created_at ?? archived.node.updated_at, input.createdAt)
  const about = archived.titles.join('/')
  if (facts.media_key !== null) {
    return addStored(input, { key: facts.media_key, path, mtime, size: facts.size!, sha256: facts.sha256!, about })
  }
  await input.archive.addFile({ name: path, size: 0, mtime, content: nothing() })
  if (facts.sha256 === null) return
  await input.damage.add({
    path,
    what: 'missing',
    reason: 'the file was lost before it came into this instance',
    about,
  })
}

/** Adds what was derived from the pages. */
export async function addSidecars(input: ContentsInput): Promise<void> {
  for await (const batch of documentBatches(input)) {
    const versions = new Map(
      batch.flatMap((archived) => archived.versions.map((version) => [version.facts.id, { archived, version }])),
    )
    for (const sidecar of versions.size === 0 ? [] : await sidecarsOf(input.db, [...versions.keys()])) {
      const { archived, version } = versions.get(sidecar.version_id)!
      const { node, titles, part } = archived
      const kind = sidecar.kind as SidecarKind
      const path = pathInPart(part, sidecarPath(node.user_id, node.id, version.number, sidecar.page_number, kind))
      const mtime = mtimeOf(version.facts.created_at ?? node.updated_at, input.createdAt)
      await addStored(input, {
        key: sidecar.media_key,
        path,
        mtime,
        size: sidecar.size,
        sha256: sidecar.sha256,
        about: titles.join('/'),
      })
    }
  }
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

interface StoredToAdd {
  readonly key: string
  readonly path: string
  readonly mtime: number
  readonly size: number
  readonly sha256: string
  readonly about: string
}

async function addStored(input: ContentsInput, file: StoredToAdd): Promise<void> {
  const { media, archive, damage, onBytes, signal } = input
  signal?.throwIfAborted()
  const { path, mtime, about } = file
  let opened: MediaFile
  try {
    opened = await media.open(file.key)
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw error
    const what = error.code === 'media.missing' ? 'missing' : 'unreadable'
    await archive.addFile({ name: path, size: 0, mtime, content: nothing() })
    return damage.add({ path, what, reason: what === 'missing' ? 'the file is missing' : error.message, about })
  }
  await using stored = opened
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
  if (failure === undefined && written.sha256 === file.sha256 && written.missingBytes === 0) return
  const reason =
    failure !== undefined
      ? `it could be read only in part (${failure}); zeros stand for the rest`
      : stored.size === file.size
        ? 'its bytes are no longer those that came in'
        : `it has ${stored.size} bytes instead of ${file.size}`
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

/** A path that had to be shortened may meet another that was; `shortened` in the scratch database has them. */
export function uniquePath(scratch: Scratch, whole: readonly string[]): readonly string[] {
  const short = shortenPath(whole)
  if (short === whole) return whole
  const last = short.at(-1)!
  let components = short
  for (let number = 2; ; number += 1) {
    const key = twinKey(components.join('/'))
    if (scratch.first('select 1 as n from shortened where key = ?', key) === undefined) {
      scratch.run('insert into shortened values (?)', key)
      return components
    }
    components = [...short.slice(0, -1), numberedComponent(last, number)]
  }
}
