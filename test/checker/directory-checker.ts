import { createHash } from 'node:crypto'
import { constants, inflateRawSync } from 'node:zlib'

/**
 * Holds the directory of an archive to docs/archive-format.md, section 11: its hashes go back to the tail, each node of
 * backup.json is in it and leads to its record and its files. Shares no code with the program.
 */

export interface PlacedMember {
  readonly name: string
  readonly type: string
  readonly content: Buffer
  readonly sha256: string
}

type Page = readonly [offset: number, compressed: number, bytes: number, sha256: string]
type Range = readonly [number, number]
type NodeLine = readonly [
  id: string,
  type: string,
  title: string,
  parent: number | null,
  end: number,
  own: 0 | 1,
  record: Range,
  originals: Range,
  sidecars: Range,
]

interface Directory {
  readonly format: number
  readonly metadata: { readonly size: number; readonly head: number; readonly pages: readonly Page[] }
  readonly users: readonly {
    readonly id: string
    readonly username: string
    readonly nodes: readonly [number, number, number]
    readonly head: Range
    readonly own: Range
  }[]
  readonly nodes: { readonly count: number; readonly pages: readonly Page[] }
  readonly documents: { readonly count: number; readonly pages: readonly (readonly [string, Page])[] }
  readonly members: {
    readonly count: number
    readonly originals: number
    readonly sidecars: number
    readonly damage: number | null
    readonly pages: readonly Page[]
  }
}

interface Node {
  readonly id?: string
  readonly ctype: string
  readonly title: string
  readonly versions?: readonly {
    readonly file_path: string
    readonly strongroom: { readonly sha256?: string }
    readonly pages: readonly {
      readonly file_path: string
      readonly strongroom: { readonly sidecars?: readonly { readonly kind: string }[] }
    }[]
  }[]
  readonly strongroom: {
    readonly id?: string
    readonly title?: string
    readonly parent: string | null
    readonly deleted_at?: string
  }
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

export function checkDirectory(file: Buffer, members: readonly PlacedMember[], problems: string[]): void {
  const root = members.find(({ name }) => name === 'strongroom/directory')
  const tail = file.subarray(file.length - 1549, file.length - 1037).toString('latin1')
  const found = /\nstrongroom directory 1 offset ([0-9a-f]{16}) sha256 ([0-9a-f]{64})\nstrongroom index/.exec(tail)
  if (root === undefined) {
    // Archives of 0.3.0 and before have none.
    if (found !== null) problems.push('directory: the tail names one, and there is none')
    return
  }
  const fault = (reason: string): unknown => problems.push(`directory: ${reason}`)
  if (found?.[2] !== root.sha256) fault('the tail has not its hash')
  const start = inflateFrom(file, Number.parseInt(found?.[1] ?? '0', 16))
  if (start.subarray(0, 100).toString('latin1').replace(/\0+$/, '') !== root.name) fault('the tail does not lead to it')
  const directory = JSON.parse(root.content.toString('utf8')) as Directory
  if (directory.format !== 1) fault(`format ${directory.format}`)
  const read = (page: Page): Buffer => readPage(file, page, fault)
  const { metadata, nodes, documents } = directory
  const whole = Buffer.concat(metadata.pages.map(read))
  if (!whole.equals(members[0]?.content ?? Buffer.alloc(0))) fault('its slices of backup.json are not backup.json')
  if (metadata.pages.slice(0, -1).some(([, , bytes]) => bytes !== 524_288)) fault('a slice has not 512 KiB')
  const lines = nodes.pages.flatMap((page) => linesOf(read(page)).map((line) => JSON.parse(line) as NodeLine))
  if (nodes.pages.slice(0, -1).some((page) => linesOf(read(page)).length !== 256)) fault('a page has not 256 nodes')
  if (lines.length !== nodes.count) fault(`${lines.length} nodes, and it counts ${nodes.count}`)
  checkNodes(directory, whole, lines, members, fault)
  const ids = documents.pages.flatMap(([first, page]) => {
    const own = linesOf(read(page))
    if (own[0]?.startsWith(`${first} `) !== true) fault(`a page of documents does not begin with ${first}`)
    return own
  })
  const wanted = lines.flatMap(([id, type], number) => (type === 'document' ? [`${id} ${number}`] : []))
  if (ids.join('\n') !== wanted.toSorted().join('\n')) fault('its documents are not those of its nodes')
  checkPlaces(directory, read, members, fault)
}

function readPage(file: Buffer, [offset, compressed, bytes, hash]: Page, fault: (reason: string) => unknown): Buffer {
  const options = { finishFlush: constants.Z_SYNC_FLUSH }
  const page = inflateRawSync(file.subarray(offset, offset + compressed), options).subarray(0, bytes)
  if (sha256(page) !== hash) fault(`the page at ${offset} is another one`)
  return page
}

const inflateFrom = (file: Buffer, offset: number): Buffer =>
  inflateRawSync(file.subarray(offset, offset + 4096), { finishFlush: constants.Z_SYNC_FLUSH })

const linesOf = (page: Buffer): string[] => page.toString('utf8').split('\n').slice(0, -1)

function checkNodes(
  { users, members: { originals, sidecars } }: Directory,
  metadata: Buffer,
  lines: readonly NodeLine[],
  members: readonly PlacedMember[],
  fault: (reason: string) => unknown,
): void {
  const files = members.filter(({ type }) => type === 'file').map(({ name }) => name)
  const json = JSON.parse(metadata.toString('utf8')) as {
    readonly users: readonly {
      readonly id: string
      readonly nodes: readonly Node[]
      readonly strongroom: { readonly nodes: readonly Node[] }
    }[]
  }
  if (users.map(({ id }) => id).join() !== json.users.map(({ id }) => id).join()) fault('other users than backup.json')
  for (const [index, { username, nodes: range, head, own }] of users.entries()) {
    const user = json.users[index]!
    const left: readonly [Node[], Node[]] = [[...user.nodes], [...user.strongroom.nodes]]
    if (
      !metadata
        .subarray(...head)
        .toString('utf8')
        .endsWith('"nodes":[')
    )
      fault(`the head of ${username}`)
    if (!/^\s*\],"strongroom":.*"nodes":\[$/s.test(metadata.subarray(...own).toString('utf8')))
      fault(`${username}: own`)
    for (let number = range[0]; number < range[2]; number += 1) {
      const [id, type, title, parent, end, list, [at, bytes], ownOriginals, ownSidecars] = lines[number]!
      const node = JSON.parse(metadata.toString('utf8', at, at + bytes)) as Node
      const { strongroom } = node
      if (JSON.stringify(node) !== JSON.stringify(left[list].shift())) fault(`${title} leads to another record`)
      const told = [strongroom.id ?? node.id, node.ctype, strongroom.title ?? node.title]
      if (told.join('\0') !== [id, type, title].join('\0')) fault(`${title} is called ${told.join(' ')}`)
      if ((parent === null ? null : lines[parent]![0]) !== strongroom.parent) fault(`${title} lies elsewhere`)
      // Siblings by their bytes, outside the trash, so that one can be found among many.
      const before = lines.slice(range[0], number).findLast(([, , , other]) => other === parent)
      if (before !== undefined && number < range[1] && Buffer.compare(Buffer.from(before[2]), Buffer.from(title)) >= 0)
        fault(`${title} stands behind ${before[2]}`)
      if (parent !== null && !(parent < number && isAbove(lines, parent, number - 1)))
        fault(`${title} does not stand below its folder`)
      if (strongroom.deleted_at !== undefined && number < range[1]) fault(`${title} is in the trash`)
      let last = number
      while (last + 1 < range[2] && isAbove(lines, number, last + 1)) last += 1
      if (end !== last + 1) fault(`${title} ends at ${end}`)
      const hasMember =
        list === 0
          ? () => true
          : ({ strongroom: version }: { strongroom: { sha256?: string } }) => version.sha256 !== undefined
      const paths = (node.versions ?? []).filter(hasMember).map((version) => version.file_path)
      const pagePaths = (node.versions ?? []).flatMap(({ pages }) =>
        pages.flatMap((page) =>
          (page.strongroom.sidecars ?? []).map(({ kind }) => page.file_path.replace(/_ocr\.svg$/, '') + kind),
        ),
      )
      const at1 = originals + ownOriginals[0]
      const at2 = sidecars + ownSidecars[0]
      if (files.slice(at1, at1 + ownOriginals[1]).join('\n') !== paths.join('\n')) fault(`the originals of ${title}`)
      if (
        files
          .slice(at2, at2 + ownSidecars[1])
          .toSorted()
          .join('\n') !== pagePaths.toSorted().join('\n')
      )
        fault(`the sidecars of ${title}`)
    }
    if (left[0].length + left[1].length > 0) fault(`it leaves out nodes of ${username}`)
  }
}

/** Whether a node is this one, or lies below it. */
function isAbove(lines: readonly NodeLine[], above: number, number: number): boolean {
  for (let at: number | null = number; at !== null; at = lines[at]![3]) if (at === above) return true
  return false
}

function checkPlaces(
  { members: { count, damage, pages } }: Directory,
  read: (page: Page) => Buffer,
  members: readonly PlacedMember[],
  fault: (reason: string) => unknown,
): void {
  const files = members.filter(({ type }) => type === 'file').map(({ name }) => name)
  if (files[count] !== 'strongroom/directory-pages') fault(`it knows ${count} members`)
  const placed = pages.flatMap((page) => linesOf(read(page)))
  const index = (members.at(-1)?.content.toString('utf8') ?? '').split('\n').slice(2, 2 + count)
  if (placed.join('\n') !== index.map((line) => line.split(' ', 2).join(' ')).join('\n'))
    fault('its places are not those of the index')
  if ((damage === null ? -1 : damage) !== files.indexOf('strongroom/damage.json')) fault(`damage.json at ${damage}`)
}
