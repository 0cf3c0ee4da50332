import { constants, inflateRawSync } from 'node:zlib'
import { reasonOf } from '../std/text.ts'
import {
  membersInPage,
  nodesInPage,
  parseDirectory,
  parseNode,
  parsePlace,
  sha256Of,
  sliceBytes,
  type Directory,
  type DirectoryNode,
  type DirectoryUser,
  type Page,
} from './directory-format.ts'
import { inflate } from './gunzip.ts'
import { directoryName } from './layout.ts'
import type { OpenArchive } from './open-archive.ts'
import { fileTailBytes, indexTailOf, parseDirectoryTail, type MemberPlace } from './proof.ts'
import { breaksOff } from './breaks-off.ts'
import { letGo } from '../std/let-go.ts'
import { readTar, type TarEntry } from './tar-reader.ts'

/** The directory is not there, or is not what was written: what it leads to is found by reading everything. */
export class DirectoryError extends Error {}

/**
 * Finds what is wanted of an archive, reading no more than what leads there. All that it gives but the contents of members was
 * held against hashes that go back to the tail of the file. Everything throws DirectoryError where the directory is damaged,
 * and `file.…` where the file cannot be read.
 */
export interface ArchiveDirectory {
  readonly users: readonly DirectoryUser[]
  readonly nodeCount: number
  /** Regular members of the archive. */
  readonly files: number
  readonly metadataBytes: number
  readonly metadataHead: number
  /** The numbers of the first original and the first sidecar among the members. */
  readonly firstMember: { readonly originals: number; readonly sidecars: number }
  /** The number of damage.json among the members; null where there is none. */
  readonly damage: number | null
  /** A node by its number, from 0. */
  node(number: number): Promise<DirectoryNode>
  /** The number of a document, by its id in lower case; undefined for one that is not there. */
  documentWithId(id: string): Promise<number | undefined>
  /** All documents, by id. */
  documents(): AsyncIterable<{ readonly id: string; readonly number: number }>
  /** The places of all members before its own. */
  places(): AsyncGenerator<MemberPlace, undefined>
  /** The number of what lies in a folder, or at the top level of a user, outside the trash, with just this title. */
  childOf(user: DirectoryUser, parent: number | null, title: string): Promise<number | undefined>
  /** The number after that of the last node that lies below this one. */
  endOf(number: number): Promise<number>
  /** Bytes of backup.json, in chunks; each is valid until the next is asked for. */
  metadata(from: number, to: number): AsyncIterable<Uint8Array>
  /** The regular members with these numbers, as `readTar` gives them. */
  members(from: number, to: number): AsyncIterable<TarEntry>
}

/** How many pages of tables are kept, read: some megabytes. */
const tablePagesKept = 16
/** Slices of backup.json: the one at hand for each of the two lists of a user, and the one before it. */
const slicesKept = 4
/** Longer ones are written by nobody. */
const longestPage = 64 * 1024 * 1024
const longestDirectory = 64 * 1024 * 1024
const leastRead = 16 * 1024
const mostRead = 1024 * 1024

/**
 * Reads the directory of an archive of ours. Gives undefined for an archive that has none, as it is another program's, an
 * older one, or was compressed again; throws DirectoryError for one that is damaged.
 */
export async function openDirectory(archive: OpenArchive): Promise<ArchiveDirectory | undefined> {
  if (archive.compression !== 'gzip') return undefined
  const start = Math.max(0, archive.innerSize - fileTailBytes)
  const end = await readable(() => archive.bytes(start, fileTailBytes))
  const tail = indexTailOf(end)
  const place = tail === undefined ? undefined : parseDirectoryTail(tail)
  if (place === undefined) return undefined
  return createDirectory(archive, await readDirectory(archive, place))
}

async function readDirectory(archive: OpenArchive, { offset, sha256 }: { offset: number; sha256: string }) {
  const bytes = await readable(async () => {
    const parts: Uint8Array[] = []
    for await (const { name, size, content } of entriesAt(archive, { offset, within: 0 })) {
      if (name !== directoryName || size > longestDirectory) break
      for await (const chunk of content()) parts.push(Uint8Array.from(chunk))
      break
    }
    return Buffer.concat(parts)
  })
  const directory = sha256Of(bytes) === sha256 ? parseDirectory(bytes.toString('utf8')) : undefined
  if (directory === undefined) throw new DirectoryError('it is not the one that was written')
  return directory
}

/** What cannot be decompressed or decrypted is told as of the directory. */
async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (breaksOff(error)) throw new DirectoryError(reasonOf(error))
    throw error
  }
}

/** The entries of the tar from a place on, decompressed `mostBytes` at a time: memory that an early end leaves behind. */
export async function* entriesAt(
  archive: OpenArchive,
  { offset, within }: MemberPlace,
  mostBytes?: number,
): AsyncGenerator<TarEntry> {
  const nothing = (): void => undefined
  async function* tar(): AsyncGenerator<Uint8Array> {
    let left = within
    for await (const chunk of inflate(chunksFrom(archive, offset), archive.name, mostBytes).chunks) {
      const passed = Math.min(left, chunk.length)
      left -= passed
      if (passed < chunk.length) yield chunk.subarray(passed)
    }
  }
  yield* readTar(tar(), archive.name, nothing)
}

/** Little at first, for most of what is looked for is small, and never much more than was needed so far. */
async function* chunksFrom(archive: OpenArchive, offset: number): AsyncGenerator<Uint8Array> {
  for (let position = offset; position < archive.innerSize;) {
    const wanted = Math.max(leastRead, Math.min(mostRead, Math.floor((position - offset) / 2)))
    const chunk = await archive.bytes(position, Math.min(wanted, archive.innerSize - position))
    if (chunk.length === 0) return
    position += chunk.length
    yield chunk
    letGo(chunk)
  }
}

function createDirectory(archive: OpenArchive, directory: Directory): ArchiveDirectory {
  const { metadata, users, nodes, documents, members } = directory
  const tables = createKept<readonly unknown[]>(tablePagesKept)
  const slices = createKept<Buffer>(slicesKept, letGo)

  async function readPage([offset, length, bytes, sha256]: Page): Promise<Buffer> {
    if (bytes > longestPage || length > longestPage) throw new DirectoryError('a page of it is too long')
    const compressed = await readable(() => archive.bytes(offset, length))
    const page = decompress(compressed, bytes)
    letGo(compressed)
    if (page.length < bytes || sha256Of(page) !== sha256) throw new DirectoryError('a page of it is damaged')
    return page
  }

  /** A page of a table as `parse` reads it. */
  function pageOf<T>(page: Page | undefined, parse: (text: Buffer) => readonly T[]): Promise<readonly T[]> {
    if (page === undefined) throw new DirectoryError('it leads to nothing')
    const parsed = async (): Promise<readonly T[]> => {
      const bytes = await readPage(page)
      const lines = parse(bytes)
      letGo(bytes)
      return lines
    }
    return tables.get(page, parsed) as Promise<readonly T[]>
  }

  async function node(number: number): Promise<DirectoryNode> {
    const page = await pageOf(nodes.pages[Math.floor(number / nodesInPage)], (bytes) => linesIn(bytes).map(parseNode))
    const found = page[number % nodesInPage]
    if (found === undefined) throw new DirectoryError('a line of it cannot be read')
    return found
  }

  async function documentWithId(id: string): Promise<number | undefined> {
    const at = countBefore(documents.pages.length, (index) => documents.pages[index]![0] <= id) - 1
    if (at < 0) return undefined
    const lines = await pageOf(documents.pages[at]![1], linesIn)
    const line = lines[countBefore(lines.length, (index) => lines[index]!.slice(0, id.length) < id)]
    return line?.startsWith(`${id} `) === true ? Number(line.slice(id.length + 1)) : undefined
  }

  /** The number of what lies in `parent` and leads to `number`; undefined where that does not lie below it. */
  async function childAbove(number: number, parent: number | null): Promise<number | undefined> {
    for (let at = number; ;) {
      const above = (await node(at)).parent
      if (above === parent) return at
      if (above === null || (parent !== null && above < parent) || above >= at) return undefined
      at = above
    }
  }

  async function endOf(number: number): Promise<number> {
    const { end } = await node(number)
    if (end <= number) throw new DirectoryError('its nodes are in no order')
    return end
  }

  async function childOf(user: DirectoryUser, parent: number | null, title: string): Promise<number | undefined> {
    const wanted = Buffer.from(title)
    let [low, high] = parent === null ? [user.nodes[0], user.nodes[1]] : [parent + 1, await endOf(parent)]
    while (low < high) {
      const child = await childAbove(Math.floor((low + high) / 2), parent)
      if (child === undefined) throw new DirectoryError('its nodes are in no order')
      const order = Buffer.compare(Buffer.from((await node(child)).title), wanted)
      if (order === 0) return child
      if (order < 0) low = await endOf(child)
      else high = child
    }
    return undefined
  }

  async function* metadataBytes(from: number, to: number): AsyncGenerator<Uint8Array> {
    for (let at = from; at < to;) {
      const number = Math.floor(at / sliceBytes)
      const page = metadata.pages[number]
      if (page === undefined) throw new DirectoryError('it leads to nothing')
      const slice = await slices.get(page, () => readPage(page))
      const part = slice.subarray(at - number * sliceBytes, to - number * sliceBytes)
      if (part.length === 0) throw new DirectoryError('it leads behind the end of backup.json')
      yield part
      at += part.length
    }
  }

  async function* membersBetween(from: number, to: number): AsyncGenerator<TarEntry> {
    if (from >= to) return
    const page = await pageOf(members.pages[Math.floor(from / membersInPage)], linesIn)
    const place = placeIn(page[from % membersInPage])
    let left = to - from
    for await (const entry of entriesAt(archive, place)) {
      if (entry.type !== 'file') throw new DirectoryError('it leads to something that is no file')
      yield entry
      left -= 1
      if (left === 0) return
    }
    throw new DirectoryError('it leads behind the end of the archive')
  }

  async function* documentLines() {
    for (const [, page] of documents.pages) {
      for (const line of await pageOf(page, linesIn)) {
        const [id = '', number] = line.split(' ')
        yield { id, number: Number(number) }
      }
    }
  }

  async function* places(): AsyncGenerator<MemberPlace, undefined> {
    for (const page of members.pages) yield* (await pageOf(page, linesIn)).map(placeIn)
    return undefined
  }

  return {
    users,
    nodeCount: nodes.count,
    // Behind those that it knows: its own two, SHA256SUMS and the index.
    files: members.count + 4,
    metadataBytes: metadata.size,
    metadataHead: metadata.head,
    firstMember: { originals: members.originals, sidecars: members.sidecars },
    damage: members.damage,
    node,
    documentWithId,
    documents: documentLines,
    places,
    childOf,
    endOf,
    metadata: metadataBytes,
    members: membersBetween,
  }
}

/** Keeps the pages that were used last; `drop` is told of each that is kept no longer. */
function createKept<T>(most: number, drop?: (page: T) => void) {
  const kept = new Map<Page, Promise<T>>()
  return {
    get(page: Page, read: () => Promise<T>): Promise<T> {
      const reading = kept.get(page) ?? read()
      kept.delete(page)
      kept.set(page, reading)
      for (const oldest of kept.keys()) {
        if (kept.size <= most) break
        if (drop !== undefined) kept.get(oldest)!.then(drop, () => undefined)
        kept.delete(oldest)
      }
      return reading
    },
  }
}

/** The first `bytes` of what a page decompresses to, which may end in some zeros more. */
function decompress(compressed: Buffer, bytes: number): Buffer {
  try {
    const most = bytes + 1024
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: most, chunkSize: most }
    return inflateRawSync(compressed, options).subarray(0, bytes)
  } catch (error) {
    throw new DirectoryError(`a page of it is damaged (${reasonOf(error)})`)
  }
}

function placeIn(line: string | undefined): MemberPlace {
  const place = parsePlace(line ?? '')
  if (place === undefined) throw new DirectoryError('a line of it cannot be read')
  return place
}

const linesIn = (page: Buffer): readonly string[] => page.toString('utf8').split('\n').slice(0, -1)

/** How many of the numbers from 0 on hold, where those that do come first. */
function countBefore(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) low = middle + 1
    else high = middle
  }
  return low
}
