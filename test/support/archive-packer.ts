import { createHash } from 'node:crypto'
import { constants, crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { unpackArchive } from './odd-archives.ts'
import { endOfTar, inBlocks, rawHeader, rawPax } from './tar-pieces.ts'

/**
 * Packs members of every kind, sound or not, into archives whose chain of proof is right all the same, so that what lies
 * behind the proofs is reached. Made from docs/archive-format.md; shares no code with the program.
 */

/** A member as it is to stand in the tar. */
export interface RawMember {
  readonly name: string
  /** The type in its header: 0 file, 1 hard link, 2 symbolic link, 5 folder, and so on. */
  readonly flag: string
  readonly linkName: string
  readonly content: Buffer
  /** What its header gives as the size, where that is not the length of the content. */
  readonly announced?: number | string
  /** Bytes that stand in the header in the place of the right ones; the checksum is made anew or left as it was. */
  readonly patch?: { readonly at: number; readonly bytes: Buffer; readonly fixChecksum: boolean }
}

export const rawFile = (name: string, content: string | Buffer): RawMember => ({
  name,
  flag: '0',
  linkName: '',
  content: Buffer.from(content),
})

const flags: Readonly<Record<string, string>> = { file: '0', link: '1', symlink: '2', directory: '5' }

/** The members of an archive, read by another program than ours. */
export async function readMembers(path: string): Promise<RawMember[]> {
  return (await unpackArchive(path)).map(({ name, type, linkname, content }) => ({
    name,
    flag: flags[type] ?? '0',
    linkName: linkname,
    content,
  }))
}

const isFile = ({ flag }: RawMember): boolean => flag === '0' || flag === '\0'

/** Header, extended header where one is needed, content and padding. */
export function tarEntry(member: RawMember): Buffer {
  const { name, flag, linkName, content, announced = content.length, patch } = member
  const records: Record<string, string> = {}
  if (Buffer.byteLength(name) > 100) records['path'] = name
  if (Buffer.byteLength(linkName) > 100) records['linkpath'] = linkName
  const short = (text: string, key: string): string => (key in records ? text.slice(0, 30) : text)
  const header = rawHeader({
    name: short(name, 'path'),
    flag,
    size: announced,
    linkName: short(linkName, 'linkpath'),
  })
  if (patch !== undefined) {
    patch.bytes.copy(header, patch.at)
    if (patch.fixChecksum) fixChecksum(header)
  }
  const extended = Object.keys(records).length === 0 ? Buffer.alloc(0) : rawPax(records)
  return Buffer.concat([extended, header, inBlocks(content)])
}

/** Makes the checksum of a header block right. */
export function fixChecksum(header: Buffer): void {
  header.write('        ', 148, 'latin1')
  let sum = 0
  for (const byte of header.subarray(0, 512)) sum += byte
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}

/** The tar of the members, without any proof of its own. */
export const packTar = (members: readonly RawMember[]): Buffer =>
  Buffer.concat([...members.map((member) => tarEntry(member)), endOfTar])

/** As another program would pack them again: one gzip member without pieces. */
export const packPlain = (members: readonly RawMember[]): Buffer => gzipSync(packTar(members), { level: 1 })

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const piece = (bytes: Buffer): Buffer => deflateRawSync(bytes, { level: 1, finishFlush: constants.Z_FULL_FLUSH })
const gzipHeader = Buffer.from('1f8b08000000000000ff', 'hex')
const sumsName = 'SHA256SUMS'
const indexName = 'strongroom/index'

/**
 * The members as an archive of format 1 or 2: SHA256SUMS and index are written anew for whatever is given, and the tail
 * leads to them. With `keepSums`, a SHA256SUMS among the members stays as it is, and only the index vouches for it.
 */
export function packProved(members: readonly RawMember[], { keepSums = false } = {}): Buffer {
  const given = members.filter(({ name }) => name !== indexName && (keepSums || name !== sumsName))
  const lines = given.filter(isFile).map(({ name, content }) => `${sha256(content)}  ${name}\n`)
  const sums = keepSums ? undefined : rawFile(sumsName, lines.join(''))
  const listed = sums === undefined ? given : [...given, sums]
  const pieces: Buffer[] = [gzipHeader]
  const index: string[] = []
  let offset = gzipHeader.length
  let tar: Buffer = Buffer.alloc(0)
  const add = (bytes: Buffer): void => {
    const packed = piece(bytes)
    pieces.push(packed)
    offset += packed.length
    tar = Buffer.concat([tar, bytes])
  }
  for (const member of listed) {
    if (isFile(member)) index.push(`${offset} 0 ${member.name}\n`)
    add(tarEntry(member))
  }
  const sumsContent = listed.findLast(({ name }) => name === sumsName)?.content ?? Buffer.alloc(0)
  const body = Buffer.from(`strongroom index 1\nSHA256SUMS ${sha256(sumsContent)}\n${index.join('')}`)
  const beforeIndex = tar.length + 512
  const shortest = Math.ceil((body.length + 512) / 512) * 512
  const padded = shortest + ((10_240 - ((beforeIndex + shortest + 1024) % 10_240)) % 10_240)
  const filled = Buffer.concat([body, Buffer.alloc(padded - 512 - body.length, '\n')])
  const last = `strongroom index 1 offset ${offset.toString(16).padStart(16, '0')} sha256 ${sha256(filled)}`
  const tail = Buffer.concat([Buffer.alloc(512 - last.length, '\n'), Buffer.from(last)])
  add(Buffer.concat([rawHeader({ name: indexName, size: padded }), filled]))
  tar = Buffer.concat([tar, tail, endOfTar])
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(tar), 0)
  trailer.writeUInt32LE(tar.length % 2 ** 32, 4)
  const storedBlock = Buffer.from('000006fff9', 'hex')
  const lastBlock = Buffer.from('010000ffff', 'hex')
  return Buffer.concat([...pieces, storedBlock, tail, endOfTar, lastBlock, trailer])
}
