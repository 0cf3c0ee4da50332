import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { crc32, inflateRawSync } from 'node:zlib'
import { checkDirectory } from './directory-checker.ts'
import { pythonStrip } from './drf-fields.ts'
import { readAsPython } from './python-tar.ts'
import type { TarMember } from './python-tar.ts'

/**
 * Holds an archive that the program wrote to docs/archive-format.md: names, headers, order, checksums, links and the tail.
 * Shares no code with the program. Reads the whole archive into memory, so it is for tests' archives.
 */

interface Member extends TarMember {
  readonly sha256: string
  readonly content: Buffer
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
const show = (name: string): string => JSON.stringify(name)

/** One gzip member without options, whose length and checksum are right, and nothing after it. */
function checkGzip(file: Buffer, problems: string[]): Buffer {
  if (file[0] !== 0x1f || file[1] !== 0x8b || file[2] !== 8) problems.push('not gzip')
  const flags = file[3] ?? 0
  if ((flags & ~8) !== 0) problems.push(`gzip flags ${flags}`)
  const start = (flags & 8) === 0 ? 10 : file.indexOf(0, 10) + 1
  const { buffer, engine } = inflateRawSync(file.subarray(start), { info: true }) as unknown as {
    buffer: Buffer
    engine: { bytesWritten: number }
  }
  const end = start + engine.bytesWritten
  if (file.length !== end + 8) problems.push(`${file.length - end - 8} bytes after the one gzip member`)
  if (file.readUInt32LE(end) !== crc32(buffer)) problems.push('gzip checksum')
  if (file.readUInt32LE(end + 4) !== buffer.length % 2 ** 32) problems.push('gzip length')
  if (buffer.length % 10_240 !== 0) problems.push(`the tar has ${buffer.length} bytes, no multiple of 10,240`)
  return buffer
}

/** The last 1,554 bytes: a stored block of 512 bytes of the index and 1,024 zeros, an empty last block, the trailer. */
function checkTail(file: Buffer, members: readonly Member[], problems: string[]): void {
  const tail = file.subarray(file.length - 1554)
  if (tail.toString('hex', 0, 5) !== '000006fff9') problems.push('tail: no stored block of 1,536 bytes')
  if (!tail.subarray(517, 1541).every((byte) => byte === 0)) problems.push('tail: no 1,024 zeros')
  if (tail.toString('hex', 1541, 1546) !== '010000ffff') problems.push('tail: no empty last block')
  const index = members.at(-1)
  const end = tail.subarray(5, 517)
  if (index === undefined || index.size % 512 !== 0) problems.push('tail: the index is no multiple of 512 bytes long')
  if (index !== undefined && !index.content.subarray(-512).equals(end)) problems.push('tail: not the end of the index')
  const found = /strongroom index 1 offset ([0-9a-f]{16}) sha256 ([0-9a-f]{64})$/.exec(end.toString('latin1'))
  if (found === null || index === undefined) {
    problems.push('tail: no index line')
    return
  }
  if (found[2] !== sha256(index.content.subarray(0, -512))) problems.push('tail: wrong SHA-256 of the index')
  const start = inflateFrom(file, Number.parseInt(found[1] ?? '', 16))
  if (start?.subarray(0, 512).equals(index.header) !== true)
    problems.push('tail: the offset does not lead to the index')
}

/** What a reader gets that begins to decompress at an offset of the file. */
function inflateFrom(file: Buffer, offset: number): Buffer | undefined {
  try {
    return inflateRawSync(file.subarray(offset, file.length - 8))
  } catch {
    return undefined
  }
}

/** The index: its heading, the hash of SHA256SUMS, and where to begin to decompress for each regular member before it. */
function checkIndex(file: Buffer, tar: Buffer, members: readonly Member[], problems: string[]): void {
  const lines = (members.at(-1)?.content.toString('utf8') ?? '').split('\n')
  if (lines[0] !== 'strongroom index 1') problems.push('index: no heading')
  if (lines[1] !== `SHA256SUMS ${members.at(-2)?.sha256 ?? ''}`) problems.push('index: wrong SHA-256 of SHA256SUMS')
  const places = new Map<string, readonly [offset: number, within: number]>()
  for (const line of lines.slice(2)) {
    const found = /^(\d+) (\d+) (.+?)\/?$/s.exec(line)
    if (found !== null) places.set(found[3] ?? '', [Number(found[1]), Number(found[2])])
  }
  const indexed = members.slice(0, -1).filter(({ type }) => type === 'file')
  const missing = indexed.filter(({ name }) => !places.has(name))
  if (missing.length > 0) problems.push(`index: without ${missing.map(({ name }) => show(name)).join(', ')}`)
  // Decompressing from every member would take long for many; some, spread over all, show the same.
  const step = Math.ceil(indexed.length / 40)
  for (const member of indexed.filter((_, position) => position % step === 0)) {
    const [offset, within] = places.get(member.name) ?? [0, 0]
    const found = inflateFrom(file, offset)?.subarray(within, within + 512)
    if (found?.equals(tar.subarray(member.offset, member.offset + 512)) !== true) {
      problems.push(`index: ${offset} ${within} does not lead to ${show(member.name)}`)
    }
  }
}

const windowsReserved = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/i

function checkName(name: string, problems: string[]): void {
  const fault = (reason: string): unknown => problems.push(`${show(name)}: ${reason}`)
  if (name !== name.normalize('NFC')) fault('not NFC')
  if (/[\p{Cc}\p{Cs}]/u.test(name)) fault('a control character')
  if (/[\\:*?"<>|]/.test(name)) fault('a character that some system does not take')
  if (name.startsWith('/')) fault('absolute')
  if (Buffer.byteLength(name) > 4000) fault('over 4,000 bytes')
  for (const part of name.split('/')) {
    if (part === '' || part === '.' || part === '..') fault('an empty or relative part')
    if (part !== pythonStrip(part)) fault('a blank at an end')
    if (windowsReserved.test(part)) fault('a name reserved on Windows')
    if (Buffer.byteLength(part) > 200) fault('a part over 200 bytes')
  }
}

function checkHeader(member: Member, problems: string[]): void {
  const fault = (reason: string): unknown => problems.push(`${show(member.name)}: ${reason}`)
  if (!['file', 'folder', 'symlink', 'link'].includes(member.type)) fault(`type ${member.type}`)
  if (member.uid !== 0 || member.gid !== 0) fault(`owner ${member.uid}/${member.gid}`)
  if (member.mode !== (member.type === 'folder' ? 0o775 : 0o644)) fault(`mode ${member.mode.toString(8)}`)
  if (member.header.toString('latin1', 257, 265) !== 'ustar\x0000') fault('not ustar')
  if (member.gnuLong) fault('a GNU long name')
  if (member.mtime < 0) fault('a time before 1970')
  for (const [key, value] of member.pax) {
    if (key !== 'path' && key !== 'linkpath') fault(`the PAX key ${key}`)
    else if (Buffer.byteLength(value) <= 100) fault(`${key} needs no PAX record`)
  }
}

function checkOrder(members: readonly Member[], problems: string[]): void {
  const names = members.map(({ name }) => name)
  // Archives of 0.3.0 and before have none.
  const hasDirectory = names.includes('strongroom/directory')
  const places = {
    'backup.json': 0,
    'README.txt': 1,
    // Archives of 0.1.0 and 0.2.0 have none.
    ...(names.includes('index.html') ? { 'index.html': names.length - (hasDirectory ? 5 : 3) } : {}),
    ...(hasDirectory
      ? { 'strongroom/directory-pages': names.length - 4, 'strongroom/directory': names.length - 3 }
      : {}),
    SHA256SUMS: names.length - 2,
    'strongroom/index': names.length - 1,
  }
  for (const [name, place] of Object.entries(places)) {
    if (names.indexOf(name) !== place || members[place]?.type !== 'file') problems.push(`${name} is not at its place`)
  }
  const folded = new Map<string, string>()
  for (const name of names) {
    const key = name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
    const twin = folded.get(key)
    if (twin !== undefined) problems.push(`${show(name)} and ${show(twin)} fall together where case does not count`)
    folded.set(key, name)
  }
  const types = new Map(members.map(({ name, type }) => [name, type]))
  for (const member of members) {
    for (let folder = posix.dirname(member.name); folder !== '.'; folder = posix.dirname(folder)) {
      const kind = types.get(folder)
      if (kind !== undefined && kind !== 'folder')
        problems.push(`${show(member.name)} lies in the ${kind} ${show(folder)}`)
    }
    const top = member.name.split('/')[0] ?? ''
    const apart = /^strongroom\/(?:hidden|trash)\//.test(member.name)
    if (apart && !/^strongroom\/(?:hidden|trash)\/(?:docs|sidecars)\/user_/.test(member.name))
      problems.push(`${show(member.name)} is no place of the format`)
    if (apart && member.type !== 'file') problems.push(`${show(member.name)} is a ${member.type}`)
    const mayStart = ['docs', 'sidecars'].includes(top)
      ? member.name.startsWith(`${top}/user_`) && member.type === 'file'
      : !/^(?:docs|sidecars)/i.test(top)
    if (!mayStart) problems.push(`${show(member.name)}: Papermerge would put it into its media folder`)
  }
}

function checkSums(members: readonly Member[], problems: string[]): void {
  const text = members.at(-2)?.content.toString('utf8') ?? ''
  const listed = new Map<string, string>()
  if (text !== '' && !text.endsWith('\n')) problems.push('SHA256SUMS: no newline at its end')
  for (const line of text.split('\n').slice(0, -1)) {
    const found = /^([0-9a-f]{64}) {2}(.+)$/s.exec(line)
    if (found === null) problems.push(`SHA256SUMS: ${show(line)}`)
    else if (listed.has(found[2] ?? '')) problems.push(`SHA256SUMS: ${show(found[2] ?? '')} twice`)
    else listed.set(found[2] ?? '', found[1] ?? '')
  }
  for (const { name, type, sha256: actual } of members.slice(0, -2)) {
    if (type !== 'file') continue
    if (listed.get(name) !== actual) problems.push(`SHA256SUMS: ${show(name)} is ${listed.get(name) ?? 'missing'}`)
    listed.delete(name)
  }
  for (const name of listed.keys()) problems.push(`SHA256SUMS: ${show(name)} is not in the archive`)
}

interface NodeInMetadata {
  readonly id: string
  readonly breadcrumb: string
  readonly ctype: string
  readonly versions?: readonly {
    readonly number: number
    readonly file_name: string
    readonly file_path: string
    readonly strongroom: { readonly sha256?: string }
    readonly pages: readonly {
      readonly number: number
      readonly strongroom: { readonly sidecars?: readonly { readonly kind: string }[] }
    }[]
  }[]
}

/** What Papermerge does not read. */
interface OwnNode extends Omit<NodeInMetadata, 'breadcrumb'> {
  readonly breadcrumb?: string
  readonly strongroom: { readonly id?: string; readonly parent: string | null; readonly deleted_at?: string }
}

interface Metadata {
  readonly version: string
  readonly strongroom: { readonly format: number }
  readonly users: readonly {
    readonly id: string
    readonly username: string
    readonly nodes: readonly NodeInMetadata[]
    readonly strongroom: { readonly nodes: readonly OwnNode[] }
  }[]
}

/** What Papermerge does not see lies apart, each file where the format says, and the number of the format tells of it. */
function checkParts(members: readonly Member[], problems: string[]): void {
  const { users, strongroom } = JSON.parse(members[0]?.content.toString('utf8') ?? '') as Metadata
  const apart = members.filter(({ name }) => /^strongroom\/(?:hidden|trash)\//.test(name)).map(({ name }) => name)
  const found = new Set(apart)
  let isTrashThere = false
  for (const user of users) {
    const inTrash = new Set<string>()
    for (const node of user.strongroom.nodes) {
      const { parent, deleted_at: deletedAt } = node.strongroom
      const id = node.ctype === 'folder' ? (node.strongroom.id ?? '') : node.id
      const trashed = deletedAt !== undefined || inTrash.has(parent ?? '')
      if (trashed) inTrash.add(id)
      isTrashThere ||= trashed
      if (trashed !== (node.breadcrumb === undefined))
        problems.push(`${id}: a breadcrumb in the trash, or none outside`)
      if (deletedAt !== undefined && parent !== null) problems.push(`${id}: in the trash and in a folder`)
      for (const version of node.versions ?? []) {
        const place = `user_${user.id}/document_${id}/v${version.number}`
        const top = `strongroom/${trashed ? 'trash' : 'hidden'}`
        const wanted = [
          ...(version.strongroom.sha256 === undefined ? [] : [`${top}/docs/${place}/${version.file_name}`]),
          ...version.pages.flatMap(({ number, strongroom: { sidecars = [] } }) => {
            const page = String(number).padStart(6, '0')
            return sidecars.map(({ kind }) => `${top}/sidecars/${place}/pages/${page}/${page}${kind}`)
          }),
        ]
        for (const name of wanted) if (!found.delete(name)) problems.push(`${show(name)} is not in the archive`)
      }
    }
  }
  for (const name of found) problems.push(`${show(name)} belongs to nothing`)
  const format = isTrashThere || apart.length > 0 ? 2 : 1
  if (strongroom.format !== format) problems.push(`backup.json: format ${strongroom.format} instead of ${format}`)
}

/** Each document with a version has one link, in its user's folder, to the member of its last version. */
function checkLinks(members: readonly Member[], problems: string[]): void {
  const metadata = JSON.parse(members[0]?.content.toString('utf8') ?? '') as Metadata
  if (metadata.version !== '2.1.9') problems.push('backup.json: version')
  const files = new Set(members.filter(({ type }) => type === 'file').map(({ name }) => name))
  const linksTo = new Map<string, string[]>()
  for (const { name, type, linkName } of members) {
    if (type !== 'symlink' && type !== 'link') continue
    const target = type === 'link' ? linkName : posix.normalize(posix.join(posix.dirname(name), linkName))
    if (!files.has(target)) problems.push(`${show(name)}: its target ${show(target)} is not in the archive`)
    linksTo.set(target, [...(linksTo.get(target) ?? []), name])
  }
  const topFolders = new Set<string>()
  for (const user of metadata.users) {
    const own = new Set<string>()
    for (const { id, breadcrumb, ctype, versions } of user.nodes) {
      if (ctype === 'folder') continue
      const last = versions?.at(-1)
      if (last === undefined) continue
      const target = `docs/user_${user.id}/document_${id}/v${last.number}/${last.file_name}`
      const links = linksTo.get(target) ?? []
      linksTo.delete(target)
      // The file of a damaged original may be missing; damage.json then says so, and there is nothing to link to.
      if (links.length !== (files.has(target) ? 1 : 0))
        problems.push(`${show(breadcrumb)} has ${links.length} links to its last version`)
      for (const link of links) own.add(link.split('/')[0] ?? '')
    }
    if (own.size > 1) problems.push(`the links of ${user.username} lie in ${[...own].join(', ')}`)
    for (const top of own) {
      if (topFolders.has(top)) problems.push(`${show(top)} holds the links of two users`)
      topFolders.add(top)
      const folders = members.filter(({ name, type }) => type === 'folder' && name.startsWith(`${top}/`)).length
      const wanted = user.nodes.filter(({ ctype }) => ctype === 'folder').length
      if (folders !== wanted) problems.push(`${show(top)} has ${folders} folders of ${wanted}`)
    }
  }
  for (const [target, links] of linksTo)
    problems.push(`${links.map(show).join(', ')}: a link to ${show(target)}, no last version`)
}

async function readMembers(path: string): Promise<Member[]> {
  const members: Member[] = []
  for await (const { member, read } of readAsPython(path)) {
    const parts: Buffer[] = []
    await read((part) => parts.push(Buffer.from(part)))
    const content = Buffer.concat(parts)
    members.push({ ...member, content, sha256: sha256(content) })
  }
  return members
}

/** All that is wrong with the archive; empty where it is as it should be. */
export async function checkArchiveLayout(path: string): Promise<readonly string[]> {
  const problems: string[] = []
  const file = await readFile(path)
  const tar = checkGzip(file, problems)
  const members = await readMembers(path)
  for (const member of members) {
    checkName(member.name, problems)
    checkHeader(member, problems)
  }
  checkOrder(members, problems)
  checkSums(members, problems)
  checkLinks(members, problems)
  checkParts(members, problems)
  checkTail(file, members, problems)
  checkIndex(file, tar, members, problems)
  checkDirectory(file, members, problems)
  return problems
}
