import { createHash } from 'node:crypto'
import { DirectoryError, openDirectory, type ArchiveDirectory } from './directory.ts'
import type { DirectoryNode, DirectoryUser } from './directory-format.ts'
import { damageName, directoryPagesName } from './layout.ts'
import type { OpenArchive } from './open-archive.ts'
import type { IndexedMember } from './proof.ts'

/**
 * Holds the directory of an archive against backup.json and the index, both of which are known to be what was written: it
 * names each node, says where its record stands, and leads to its files. `metadataSha256` is that of backup.json, `indexed`
 * gives the lines of the index, each time from the first. Gives what is wrong; undefined where nothing is, or there is no
 * directory.
 */
export async function checkDirectory(
  archive: OpenArchive,
  metadataSha256: string,
  indexed: () => AsyncIterable<IndexedMember>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    const directory = await openDirectory(archive)
    if (directory === undefined) return undefined
    await checkMetadata(directory, metadataSha256)
    await checkNodes(directory, indexed, signal)
    await checkMembers(directory, indexed)
    return undefined
  } catch (error) {
    if (error instanceof DirectoryError) return `its directory is damaged (${error.message})`
    throw error
  }
}

/** What backup.json says of a node, as far as the directory repeats it. */
interface NodeRecord {
  readonly id?: string
  readonly ctype: string
  readonly title: string
  readonly versions?: readonly {
    readonly strongroom?: { readonly sha256?: string }
    readonly pages: readonly { readonly strongroom?: { readonly sidecars?: readonly unknown[] } }[]
  }[]
  readonly strongroom: { readonly id?: string; readonly title?: string; readonly parent: string | null }
}

/** Its slices are those of backup.json, so that nobody is shown another one. */
async function checkMetadata(directory: ArchiveDirectory, expected: string): Promise<void> {
  const hash = createHash('sha256')
  for await (const chunk of directory.metadata(0, directory.metadataBytes)) hash.update(chunk)
  if (hash.digest('hex') !== expected) throw new DirectoryError('it leads to another backup.json')
}

async function checkNodes(
  directory: ArchiveDirectory,
  indexed: () => AsyncIterable<IndexedMember>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { originals, sidecars } = directory.firstMember
  const names = { originals: namesFrom(indexed(), originals), sidecars: namesFrom(indexed(), sidecars) }
  const documents = createTally()
  const before = { originals: 0, sidecars: 0 }
  let number = 0
  let end = directory.metadataHead
  for (const [index, user] of directory.users.entries()) {
    if (user.nodes[0] !== number)
      throw new DirectoryError(`the nodes of ${user.username} do not begin where they should`)
    await expectText(directory, end, user.head[0], index === 0 ? '' : ',')
    await checkUser(directory, user)
    const ends = createEnds()
    const lists = [createList(directory, user.head[1]), createList(directory, user.own[1])] as const
    for (; number < user.nodes[2]; number += 1) {
      signal?.throwIfAborted()
      const node = await directory.node(number)
      const record = await lists[node.own].next(node)
      await checkNode(directory, user, number, node, record)
      ends.meet(number, node)
      for (const kind of ['originals', 'sidecars'] as const) {
        if (node[kind][0] !== before[kind] || node[kind][1] !== countOf(kind, node, record))
          throw new DirectoryError(`it counts the ${kind} of ${node.title} wrongly`)
        before[kind] += node[kind][1]
        for (let file = 0; file < node[kind][1]; file += 1) await expectName(names[kind], node)
      }
      if (node.type === 'document') documents.add(node.id, number)
    }
    ends.close(number)
    await expectText(directory, lists[0].end(), user.own[0], '')
    end = lists[1].end() + 3
    await expectText(directory, lists[1].end(), end, ']}}')
  }
  await expectText(directory, end, directory.metadataBytes, ']}')
  if (number !== directory.nodeCount) throw new DirectoryError('it has nodes of nobody')
  await checkDocuments(directory, documents)
}

/** What stands around the nodes of a user is the rest of his object. */
async function checkUser(directory: ArchiveDirectory, { id, username, head, own }: DirectoryUser): Promise<void> {
  const text = `${await textOf(directory, ...head)}${await textOf(directory, ...own)}]}}`
  const user = parse<{ id?: string; username?: string; strongroom?: { username?: string } }>(text)
  if (user.id !== id || (user.strongroom?.username ?? user.username) !== username)
    throw new DirectoryError(`it leads to another user than ${username}`)
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T
  } catch {
    throw new DirectoryError('it leads to something in backup.json that is no record')
  }
}

/** The objects of one list of backup.json, which stand one behind the other. */
function createList(directory: ArchiveDirectory, start: number) {
  let end = start
  let isFirst = true
  return {
    end: () => end,
    async next({ record: [at, bytes] }: DirectoryNode): Promise<NodeRecord> {
      await expectText(directory, end, at, isFirst ? '' : ',')
      isFirst = false
      end = at + bytes
      return parse<NodeRecord>(await textOf(directory, at, end))
    },
  }
}

async function checkNode(
  directory: ArchiveDirectory,
  user: DirectoryUser,
  number: number,
  { id, type, title, parent }: DirectoryNode,
  record: NodeRecord,
): Promise<void> {
  const { strongroom } = record
  const isSame =
    id === (record.id ?? strongroom.id) && type === record.ctype && title === (strongroom.title ?? record.title)
  if (!isSame) throw new DirectoryError(`it leads to another record than that of ${title}`)
  if (parent !== null && (parent >= number || parent < user.nodes[0]))
    throw new DirectoryError(`it has ${title} before the folder that holds it`)
  const holder = parent === null ? null : (await directory.node(parent)).id
  if (holder !== strongroom.parent) throw new DirectoryError(`it has ${title} in another folder`)
}

/** Holds the ends of folders against what lies in them. */
function createEnds() {
  const open: { readonly number: number; readonly node: DirectoryNode }[] = []
  /** What comes next lies in the folder `parent`, so that those below it have ended. */
  function close(next: number, parent: number | null = null): void {
    while (open.length > 0 && open.at(-1)!.number !== parent) {
      const { node } = open.pop()!
      if (node.end !== next) throw new DirectoryError(`it has another end of ${node.title}`)
    }
    if (parent !== null && open.length === 0) throw new DirectoryError('it has a folder apart from what it holds')
  }
  return {
    close,
    meet(number: number, node: DirectoryNode): void {
      close(number, node.parent)
      open.push({ number, node })
    },
  }
}

function countOf(kind: 'originals' | 'sidecars', { own }: DirectoryNode, { versions = [] }: NodeRecord): number {
  if (kind === 'originals')
    return own === 0 ? versions.length : versions.filter(({ strongroom }) => strongroom?.sha256 !== undefined).length
  return versions
    .flatMap(({ pages }) => pages)
    .reduce((sum, { strongroom }) => sum + (strongroom?.sidecars?.length ?? 0), 0)
}

async function* namesFrom(indexed: AsyncIterable<IndexedMember>, first: number): AsyncGenerator<string, undefined> {
  let number = 0
  for await (const { name } of indexed) {
    if (number >= first) yield name
    number += 1
  }
  return undefined
}

async function expectName(names: AsyncIterator<string, undefined>, { id, title }: DirectoryNode): Promise<void> {
  const { value: name = '' } = await names.next()
  if (!name.includes(`/document_${id}/`)) throw new DirectoryError(`it leads to ${name} for ${title}`)
}

/** What stands between records, but for white space. */
async function expectText(directory: ArchiveDirectory, from: number, to: number, expected: string): Promise<void> {
  // Longer than any of it.
  const isLong = to - from > 100
  if (from > to || isLong || (await textOf(directory, from, to)).trim() !== expected)
    throw new DirectoryError('it leaves out something that backup.json has')
}

async function textOf(directory: ArchiveDirectory, from: number, to: number): Promise<string> {
  const parts: Buffer[] = []
  for await (const chunk of directory.metadata(from, to)) parts.push(Buffer.from(chunk))
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  return bytes.toString('utf8')
}

/** Tells whether two lists have the same entries, whatever their order: the sum of their hashes. */
function createTally() {
  let [count, sum] = [0, 0n]
  return {
    add(id: string, number: number): void {
      count += 1
      sum += createHash('sha256').update(`${id} ${number}`).digest().readBigUInt64BE(0)
    },
    result: (): string => `${count} ${sum}`,
  }
}

async function checkDocuments(directory: ArchiveDirectory, expected: { readonly result: () => string }): Promise<void> {
  const found = createTally()
  let last = ''
  for await (const { id, number } of directory.documents()) {
    if (id <= last) throw new DirectoryError('its documents are in no order')
    last = id
    found.add(id, number)
  }
  if (found.result() !== expected.result()) throw new DirectoryError('its list of documents is not that of its nodes')
}

/** It has the places of the index, up to its own two members. */
async function checkMembers(directory: ArchiveDirectory, indexed: () => AsyncIterable<IndexedMember>): Promise<void> {
  const places = directory.places()[Symbol.asyncIterator]()
  let number = 0
  let damage: number | null = null
  for await (const { name, offset, within } of indexed()) {
    const { value } = await places.next()
    if (name === directoryPagesName && value === undefined) {
      if (damage !== directory.damage) throw new DirectoryError(`it does not lead to ${damageName}`)
      return
    }
    if (value?.offset !== offset || value.within !== within)
      throw new DirectoryError('it names another place of a member than the index')
    if (name === damageName) damage = number
    number += 1
  }
  throw new DirectoryError('it names members that the index has not')
}
