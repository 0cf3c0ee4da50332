/**
 * The chain of proof of our archives: the tail names the index by its hash, the index names SHA256SUMS by its hash, and
 * SHA256SUMS every regular member before it. docs/archive-format.md describes the three.
 */

/** The last bytes of the index, which the tail holds uncompressed. */
export const indexTailBytes = 512
/** What the end of every archive looks like: a stored block of the index's last bytes and two blocks of zeros, an empty last
 * block, checksum and length. */
export const fileTailBytes = 5 + indexTailBytes + 1024 + 5 + 8

const storedBlock = Buffer.from([0x00, 0x00, 0x06, 0xff, 0xf9])
const lastBlock = Buffer.from([0x01, 0x00, 0x00, 0xff, 0xff])

export interface IndexTail {
  /** Where in the file a reader begins to decompress to find the index's header. */
  readonly offset: number
  /** SHA-256 of the index up to its last 512 bytes. */
  readonly sha256: string
}

export const formatIndexTail = ({ offset, sha256 }: IndexTail): string =>
  `strongroom index 1 offset ${offset.toString(16).padStart(16, '0')} sha256 ${sha256}`

/** Stands before the index's own line, in an archive that has a directory. */
export const formatDirectoryTail = ({ offset, sha256 }: IndexTail): string =>
  `strongroom directory 1 offset ${offset.toString(16).padStart(16, '0')} sha256 ${sha256}\n`

const directoryPattern = /strongroom directory 1 offset ([0-9a-f]{16}) sha256 ([0-9a-f]{64})\nstrongroom index /

/** Where the directory begins, out of the last 512 bytes of an index, and its hash; undefined where there is none. */
export const parseDirectoryTail = (bytes: Uint8Array): IndexTail | undefined => parseTail(directoryPattern, bytes)

const tailPattern = /strongroom index 1 offset ([0-9a-f]{16}) sha256 ([0-9a-f]{64})$/

/** Reads the last 512 bytes of an index; undefined where they are none. */
export const parseIndexTail = (bytes: Uint8Array): IndexTail | undefined => parseTail(tailPattern, bytes)

function parseTail(pattern: RegExp, bytes: Uint8Array): IndexTail | undefined {
  const match = pattern.exec(Buffer.from(bytes).toString('latin1'))
  return match === null ? undefined : { offset: Number.parseInt(match[1]!, 16), sha256: match[2]! }
}

/** The index's last 512 bytes out of the last bytes of a file; undefined where the file does not end as ours do. */
export function indexTailOf(fileTail: Buffer): Buffer | undefined {
  if (fileTail.length !== fileTailBytes) return undefined
  const end = 5 + indexTailBytes + 1024
  const formed = fileTail.subarray(0, 5).equals(storedBlock) && fileTail.subarray(end, end + 5).equals(lastBlock)
  const zeros = fileTail.subarray(5 + indexTailBytes, end).every((byte) => byte === 0)
  return formed && zeros ? fileTail.subarray(5, 5 + indexTailBytes) : undefined
}

export const indexHeading = 'strongroom index 1'

/** The index's second line. */
export const formatSumsLine = (sha256: string): string => `SHA256SUMS ${sha256}`

/** Where a member begins: the piece of the file, and the bytes of the tar to pass over from there. */
export interface MemberPlace {
  readonly offset: number
  readonly within: number
}

/** What a line of the index says. */
export interface IndexedMember extends MemberPlace {
  readonly name: string
}

/** A line of the index: where to begin decompressing, how many bytes of the tar to pass over then, and the member. */
export const formatIndexLine = (offset: number, within: number, name: string): string => `${offset} ${within} ${name}`

/** Reads a line of the index; undefined where it is none, as the filler behind the lines. */
export function parseIndexLine(line: string): IndexedMember | undefined {
  const [, offset, within, name] = /^(\d+) (\d+) (.+)$/s.exec(line) ?? []
  return name === undefined ? undefined : { offset: Number(offset), within: Number(within), name }
}

/** A line of SHA256SUMS, as sha256sum writes and reads it. */
export const formatSum = (sha256: string, name: string): string => `${sha256}  ${name}`

/** Reads a line of SHA256SUMS; undefined where it is none. */
export function parseSum(line: string): { readonly sha256: string; readonly name: string } | undefined {
  const match = /^([0-9a-f]{64}) [ *](.+)$/s.exec(line)
  return match === null ? undefined : { sha256: match[1]!, name: match[2]! }
}
