import { createHash } from 'node:crypto'
import type { Json } from './drf-fields.ts'
import { RestoreRaises, restoreDatabase } from './papermerge-database.ts'
import type { RestoredDatabase } from './papermerge-database.ts'
import { PythonError, readAsPython } from './python-tar.ts'
import type { TarMember } from './python-tar.ts'

/**
 * What Papermerge 2.1.9's `restore` would do with an archive, worked out without it: where it would raise, and what it
 * would lose, alter or write where it should not although it ends with exit code 0. Shares no code with the program.
 * Creation and change dates of users and nodes are always lost by the real program and are not reported.
 */
export interface PapermergeVerdict {
  /** Why the real restore ends with an exception; empty where it ends well. */
  readonly raises: readonly string[]
  /** What it loses, alters or misplaces, as far as it comes. */
  readonly loses: readonly string[]
  /** What lies in its database and media folder afterwards. */
  readonly database: {
    readonly users: number
    readonly tags: number
    readonly folders: number
    readonly documents: number
    readonly versions: number
    readonly filesPresent: number
  }
}

// CPython's limit is 1,000 frames, of which the restore command itself takes some tens.
const depthLimit = 900

function decodeJson(bytes: Buffer): string {
  const starts = (...head: readonly number[]): boolean => head.every((byte, index) => bytes[index] === byte)
  let encoding = 'utf-8'
  if (starts(0xff, 0xfe) || (bytes.length > 1 && bytes[0] !== 0 && bytes[1] === 0)) encoding = 'utf-16le'
  else if (starts(0xfe, 0xff) || (bytes.length > 1 && bytes[0] === 0)) encoding = 'utf-16be'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    throw new RestoreRaises(['UnicodeDecodeError in backup.json'])
  }
}

function parseJson(bytes: Buffer): Json {
  let depth = 0
  let inText = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (inText) {
      if (byte === 0x5c) at += 1
      else if (byte === 0x22) inText = false
    } else if (byte === 0x22) inText = true
    else if (byte === 0x5b || byte === 0x7b) depth += 1
    else if (byte === 0x5d || byte === 0x7d) depth -= 1
    if (depth > depthLimit) throw new RestoreRaises(['RecursionError: maximum recursion depth exceeded'])
  }
  try {
    return JSON.parse(decodeJson(bytes)) as Json
  } catch (error) {
    if (error instanceof RestoreRaises) throw error
    throw new RestoreRaises([`JSONDecodeError: ${error instanceof Error ? error.message : String(error)}`])
  }
}

const lastNamed = (members: readonly TarMember[], name: string): number =>
  members.findLastIndex((member) => member.name === name)

/** `TarFile.extractfile('backup.json')`: the last of that name, through links inside the archive. */
function findMetadata(members: readonly TarMember[]): number {
  let index = lastNamed(members, 'backup.json')
  if (index < 0) throw new RestoreRaises(["KeyError: filename 'backup.json' not found"])
  for (let hops = 0; hops < 40; hops += 1) {
    const member = members[index]
    if (member === undefined) throw new RestoreRaises(['KeyError: the link backup.json leads nowhere'])
    if (member.type === 'file' || member.type === 'unknown') return index
    if (member.type !== 'link' && member.type !== 'symlink') break
    const folder =
      member.type === 'symlink' && member.name.includes('/') ? `${member.name.replace(/\/[^/]*$/, '')}/` : ''
    index = lastNamed(member.type === 'link' ? members.slice(0, index) : members, folder + member.linkName)
  }
  throw new RestoreRaises(['AttributeError: backup.json is no file'])
}

async function readMetadata(path: string, wanted: number): Promise<Json> {
  let index = 0
  for await (const { read } of readAsPython(path)) {
    if (index === wanted) {
      const parts: Buffer[] = []
      await read((part) => parts.push(Buffer.from(part)))
      return parseJson(Buffer.concat(parts))
    }
    index += 1
  }
  throw new RestoreRaises(['backup.json vanished'])
}

interface ListedMember extends TarMember {
  readonly sha256: string
}

async function listMembers(path: string): Promise<ListedMember[]> {
  const members: ListedMember[] = []
  for await (const { member, read } of readAsPython(path)) {
    const hash = createHash('sha256')
    await read((part) => hash.update(part))
    // Half a million members are possible: what is not needed below is let go.
    members.push({ ...member, pax: new Map(), header: Buffer.alloc(0), sha256: hash.digest('hex') })
  }
  return members
}

/** `TarFile.extract` into the media folder, for each member whose name starts with `docs` or `sidecars`. */
function extractMembers(members: readonly ListedMember[], database: RestoredDatabase, raises: string[]): number {
  const { losses } = database
  const wanted = new Map<string, string[]>()
  for (const { path, where } of database.versions) wanted.set(path, [...(wanted.get(path) ?? []), where])
  const extracted = new Map<string, { readonly kind: 'folder' | 'other'; readonly sha256: string }>()
  const present = (): number => database.versions.filter(({ path }) => extracted.has(path)).length
  for (const member of members) {
    if (!member.name.startsWith('docs') && !member.name.startsWith('sidecars')) continue
    const about = JSON.stringify(member.name.length > 300 ? `${member.name.slice(0, 300)}…` : member.name)
    const parts = member.name.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.includes('..')) {
      losses.push(`FILE WRITTEN OUTSIDE or elsewhere: ${about}`)
      continue
    }
    if (parts.some((part) => Buffer.byteLength(part) > 255) || Buffer.byteLength(member.name) > 3900) {
      raises.push(`OSError: File name too long: ${about}`)
      return present()
    }
    const name = parts.join('/')
    const blocked = parts
      .slice(1)
      .map((_, index) => parts.slice(0, index + 1).join('/'))
      .find((folder) => extracted.get(folder)?.kind === 'other')
    if (blocked !== undefined) {
      losses.push(`WRITTEN THROUGH ${JSON.stringify(blocked)}: ${about}`)
      continue
    }
    const before = extracted.get(name)
    if (member.type === 'folder') {
      losses.push(`SPECIAL FILE IN MEDIA: the folder ${about}`)
      if (before === undefined) extracted.set(name, { kind: 'folder', sha256: '' })
      continue
    }
    if (before?.kind === 'folder') {
      raises.push(`IsADirectoryError: ${about}`)
      return present()
    }
    if (member.type !== 'file' && member.type !== 'unknown') {
      losses.push(`SPECIAL FILE IN MEDIA: ${member.type} ${about}`)
      extracted.set(name, { kind: 'other', sha256: '' })
      continue
    }
    if ((member.mode & 0o7000) !== 0) losses.push(`SPECIAL MODE ${member.mode.toString(8)}: ${about}`)
    if (before !== undefined && before.sha256 !== member.sha256)
      losses.push(`OVERWRITTEN by a member of the same name: ${about}`)
    parts.slice(1).forEach((_, index) => {
      const folder = parts.slice(0, index + 1).join('/')
      if (!extracted.has(folder)) extracted.set(folder, { kind: 'folder', sha256: '' })
    })
    extracted.set(name, { kind: 'other', sha256: member.sha256 })
    const pageFolder = /^sidecars\/.*\/pages\//.exec(name)?.[0]
    const isPageFile = pageFolder !== undefined && database.pageFolders.has(pageFolder)
    if (!wanted.has(name) && !isPageFile) losses.push(`ORPHAN IN MEDIA, of no version: ${about}`)
  }
  for (const [path, places] of wanted) {
    if (!extracted.has(path)) losses.push(`${places.join(', ')}: no file at ${JSON.stringify(path)}`)
    if (places.length > 1) losses.push(`${places.join(', ')}: share the file ${JSON.stringify(path)}`)
  }
  return present()
}

/** Checks one archive. Whole members are held in memory: backup.json, and nothing else. */
export async function checkForPapermerge(path: string): Promise<PapermergeVerdict> {
  const raises: string[] = []
  const database: RestoredDatabase = {
    users: 0,
    tags: 0,
    folders: 0,
    documents: 0,
    versions: [],
    pageFolders: new Set(),
    losses: [],
  }
  let filesPresent = 0
  try {
    const members = await listMembers(path)
    restoreDatabase(await readMetadata(path, findMetadata(members)), database)
    filesPresent = extractMembers(members, database, raises)
  } catch (error) {
    if (error instanceof RestoreRaises) raises.push(...error.reasons)
    else if (error instanceof PythonError) raises.push(error.message)
    else throw error
  }
  const { users, tags, folders, documents, versions, losses } = database
  return {
    raises,
    loses: losses,
    database: { users, tags, folders, documents, versions: versions.length, filesPresent },
  }
}
