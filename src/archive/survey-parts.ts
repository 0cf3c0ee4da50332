import { StrongroomError } from '../errors.ts'
import type { ArchiveDirectory } from './directory.ts'
import type { DirectoryUser } from './directory-format.ts'
import { normalizeName, placeOf } from './layout.ts'
import { readDamage, readMetadata } from './metadata-reader.ts'
import { readContent, type Survey, type SurveyEvents } from './survey.ts'
import type { TarEntry } from './tar-reader.ts'

/** From the first number to before the second. */
export type Range = readonly [from: number, to: number]

/** Nodes of one user, in the order of the walk. */
export interface UserParts {
  readonly user: DirectoryUser
  /** Apart from each other, in rising order; with all folders that lead to what is in them. */
  readonly nodes: readonly Range[]
  /** Those whose files are wanted. */
  readonly withFiles: readonly Range[]
}

/** Which kinds of files are wanted of the nodes whose files are. */
export type WantedFiles = 'none' | 'originals' | 'all'

/** What is wanted of an archive. */
export interface Parts {
  /** Undefined for all users with all that they have. */
  readonly users: readonly UserParts[] | undefined
  readonly files: WantedFiles
}

/**
 * Reads of an archive what is wanted, and tells it as `surveyArchive` would tell an archive that holds nothing else. What it
 * reads of backup.json is proved, members are not before they are held against it. Throws DirectoryError.
 */
export async function surveyParts(
  archive: string,
  directory: ArchiveDirectory,
  parts: Parts,
  events: SurveyEvents,
  signal?: AbortSignal,
): Promise<Survey> {
  const counts = { bytes: 0, metadataBytes: 0 }
  let ours = false
  async function* metadata(): AsyncGenerator<Uint8Array> {
    for await (const chunk of metadataOf(directory, parts.users)) {
      counts.metadataBytes += chunk.length
      events.onRead(counts.metadataBytes + counts.bytes)
      yield chunk
    }
  }
  await readMetadata(metadata(), archive, { ...events, onOurs: () => (ours = true) }, signal)
  if (directory.damage !== null) {
    for await (const entry of directory.members(directory.damage, directory.damage + 1))
      await readDamage(entry.content(), archive, events, signal)
  }
  for await (const entry of wantedMembers(directory, parts)) {
    signal?.throwIfAborted()
    const place = placeOf(normalizeName(entry.name))
    if (place.kind !== 'content') {
      const reason = `its directory leads to ${entry.name.slice(0, 1000)}, which is no file of a document`
      events.onProblem(new StrongroomError('archive.damaged', { archive, reason }))
      continue
    }
    const { sha256, head } = await readContent(entry, signal)
    counts.bytes += entry.size
    events.onRead(counts.metadataBytes + counts.bytes)
    events.onContent({ path: place.path, type: 'file', size: entry.size, sha256, head })
  }
  return { ours, proved: false, files: directory.files, strangers: 0, folders: 0, links: 0, ...counts }
}

/** The members with the files that are wanted, in their order. */
export async function* wantedMembers(
  directory: ArchiveDirectory,
  { users, files }: Parts,
): AsyncGenerator<TarEntry, void, undefined> {
  if (users === undefined || files === 'none') return
  const kinds = files === 'all' ? (['originals', 'sidecars'] as const) : (['originals'] as const)
  for (const kind of kinds) {
    for (const [from, to] of users.flatMap(({ withFiles }) => withFiles)) {
      if (from >= to) continue
      const first = await directory.node(from)
      const last = await directory.node(to - 1)
      const base = directory.firstMember[kind]
      yield* directory.members(base + first[kind][0], base + last[kind][0] + last[kind][1])
    }
  }
}

/** A backup.json that says nothing but what is wanted. */
async function* metadataOf(
  directory: ArchiveDirectory,
  users: readonly UserParts[] | undefined,
): AsyncGenerator<Uint8Array> {
  if (users === undefined) {
    yield* directory.metadata(0, directory.metadataBytes)
    return
  }
  yield* directory.metadata(0, directory.metadataHead)
  for (const [index, { user, nodes }] of users.entries()) {
    if (index > 0) yield comma
    yield* directory.metadata(...user.head)
    yield* recordsOf(directory, nodes, 0)
    yield* directory.metadata(...user.own)
    yield* recordsOf(directory, nodes, 1)
    yield endOfUser
  }
  yield endOfMetadata
}

const comma = Buffer.from(',')
const endOfUser = Buffer.from(']}}')
const endOfMetadata = Buffer.from(']}')

/** The objects of nodes that stand in one list of their user, with commas between them. */
async function* recordsOf(
  directory: ArchiveDirectory,
  nodes: readonly Range[],
  own: 0 | 1,
): AsyncGenerator<Uint8Array> {
  let isFirst = true
  for (const [from, to] of nodes) {
    for (let number = from; number < to; number += 1) {
      const node = await directory.node(number)
      if (node.own !== own) continue
      const [at, bytes] = node.record
      if (!isFirst) yield comma
      isFirst = false
      yield* directory.metadata(at, at + bytes)
    }
  }
}
