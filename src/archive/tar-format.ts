/**
 * One entry's header in a tar archive: POSIX.1-1988 ustar with POSIX.1-2001 (pax) extended headers. Encode and decode are
 * twins; a decoder for what GNU tar writes instead (long names, base-256 sizes) is here too.
 */

export const blockBytes = 512
/** Readers of tape and Papermerge's own writer pad to records of twenty blocks. */
export const recordBytes = 20 * blockBytes

export type EntryType =
  | 'file'
  | 'folder'
  | 'symlink'
  | 'hardlink'
  | 'device'
  | 'pax'
  | 'paxGlobal'
  | 'gnuName'
  | 'gnuLink'
  | 'other'

export interface EntryHeader {
  readonly name: string
  readonly type: EntryType
  /** Bytes of content that follow. */
  readonly size: number
  readonly linkName: string
}

const typeOf: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'folder',
  '6': 'device',
  x: 'pax',
  g: 'paxGlobal',
  L: 'gnuName',
  K: 'gnuLink',
}

/** What is wrong with a header block; the reader knows which archive it stands in. */
export class TarFormatError extends Error {}

/** Reads one header block that is not all zeros. Throws TarFormatError. */
export function decodeHeader(block: Buffer): EntryHeader {
  const announced = decodeNumber(block, 148, 8, 'checksum')
  if (!checksumsOf(block).includes(announced)) throw new TarFormatError('the checksum of an entry header is wrong')
  const ustar = block.toString('latin1', 257, 262) === 'ustar'
  const prefix = ustar && block[262] === 0 ? decodeText(block, 345, 155) : ''
  const name = decodeText(block, 0, 100)
  const type = typeOf[String.fromCharCode(block[156]!)] ?? 'other'
  const fullName = prefix === '' ? name : `${prefix}/${name}`
  return {
    name: fullName,
    // Archives older than ustar have no type; they mark a folder by a slash at the end of its name.
    type: block[156] === 0 && fullName.endsWith('/') ? 'folder' : type,
    size: decodeNumber(block, 124, 12, 'size'),
    linkName: decodeText(block, 157, 100),
  }
}

function decodeText(block: Buffer, start: number, length: number): string {
  const end = block.subarray(start, start + length).indexOf(0)
  return block.toString('utf8', start, start + (end === -1 ? length : end))
}

/** Octal digits, or the base-256 form that GNU and star use for what does not fit. */
function decodeNumber(block: Buffer, start: number, length: number, what: string): number {
  const field = block.subarray(start, start + length)
  if ((field[0]! & 0x80) !== 0) {
    let value = field[0]! & 0x7f
    for (const byte of field.subarray(1)) value = value * 256 + byte
    if (!Number.isSafeInteger(value) || (field[0]! & 0x40) !== 0)
      throw new TarFormatError(`the ${what} of an entry is impossible`)
    return value
  }
  const text = field
    .toString('latin1')
    .replace(/[\0 ]+$/, '')
    .trimStart()
  if (!/^[0-7]*$/.test(text)) throw new TarFormatError(`the ${what} of an entry is not a number`)
  return text === '' ? 0 : Number.parseInt(text, 8)
}

/** The sum of the header's bytes with the checksum field as blanks; some old writers added signed bytes. */
function checksumsOf(block: Buffer): readonly [unsigned: number, signed: number] {
  let unsigned = 8 * 32
  let signed = 8 * 32
  for (let index = 0; index < blockBytes; index += 1) {
    if (index >= 148 && index < 156) continue
    const byte = block[index]!
    unsigned += byte
    signed += byte > 127 ? byte - 256 : byte
  }
  return [unsigned, signed]
}

/** The records of a pax extended header: `<length> <key>=<value>\n`, the length counting itself. Throws TarFormatError. */
export function decodePax(bytes: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>()
  for (let start = 0; start < bytes.length;) {
    const blank = bytes.indexOf(0x20, start)
    const digits = blank === -1 ? '' : bytes.toString('latin1', start, blank)
    const length = /^[1-9]\d{0,9}$/.test(digits) ? Number(digits) : 0
    const end = start + length
    const equals = bytes.indexOf(0x3d, blank)
    if (length === 0 || end > bytes.length || bytes[end - 1] !== 0x0a || equals === -1 || equals >= end) {
      throw new TarFormatError('an extended header is malformed')
    }
    records.set(bytes.toString('utf8', blank + 1, equals), bytes.toString('utf8', equals + 1, end - 1))
    start = end
  }
  return records
}

export interface EntryToWrite {
  readonly name: string
  readonly type: 'file' | 'folder' | 'symlink' | 'hardlink'
  readonly size: number
  /** Whole seconds since 1970. */
  readonly mtime: number
  readonly linkName?: string
}

const typeFlag = { file: '0', hardlink: '1', symlink: '2', folder: '5' } as const

/**
 * The header of an entry: one block, and before it a pax header where a name is too long for the fields. Names stand as raw
 * UTF-8, which every reader in use takes; a size of 8 GiB or more is base-256, as pax sizes break busybox and others.
 */
export function encodeHeader(entry: EntryToWrite): Buffer {
  const fields = splitName(entry.name)
  const linkName = Buffer.from(entry.linkName ?? '')
  const records: [string, string][] = []
  if (fields === undefined) records.push(['path', entry.name])
  if (linkName.length > 100) records.push(['linkpath', entry.linkName ?? ''])
  const block = encodeBlock(typeFlag[entry.type], entry.type === 'folder' ? 0o775 : 0o644, entry.size, entry.mtime, {
    name: fields?.name ?? cutName(entry.name),
    prefix: fields?.prefix ?? Buffer.alloc(0),
    linkName: linkName.subarray(0, 100),
  })
  if (records.length === 0) return block
  const content = Buffer.concat(records.map(([key, value]) => encodePaxRecord(key, value)))
  const extended = encodeBlock('x', 0o644, content.length, entry.mtime, {
    name: Buffer.from('././@PaxHeader'),
    prefix: Buffer.alloc(0),
    linkName: Buffer.alloc(0),
  })
  return Buffer.concat([extended, content, Buffer.alloc(padding(content.length)), block])
}

/** Zeros that fill the last block of `size` bytes of content. */
export const padding = (size: number): number => (blockBytes - (size % blockBytes)) % blockBytes

interface NameFields {
  readonly name: Buffer
  readonly prefix: Buffer
}

/** The name in the two fields of ustar, parted at a slash; undefined where it does not fit. */
function splitName(text: string): NameFields | undefined {
  const bytes = Buffer.from(text)
  if (bytes.length <= 100) return { name: bytes, prefix: Buffer.alloc(0) }
  for (let slash = bytes.indexOf(0x2f); slash !== -1 && slash <= 155; slash = bytes.indexOf(0x2f, slash + 1)) {
    const rest = bytes.length - slash - 1
    if (slash > 0 && rest > 0 && rest <= 100)
      return { name: bytes.subarray(slash + 1), prefix: bytes.subarray(0, slash) }
  }
  return undefined
}

/** What readers without pax see: the first 100 bytes, cut between characters. */
function cutName(text: string): Buffer {
  const bytes = Buffer.from(text)
  let end = 100
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end)
}

function encodePaxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`)
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function encodeBlock(
  flag: string,
  mode: number,
  size: number,
  mtime: number,
  names: NameFields & { readonly linkName: Buffer },
): Buffer {
  const block = Buffer.alloc(blockBytes)
  names.name.copy(block, 0)
  block.write(octal(mode, 7), 100, 'latin1')
  block.write(octal(0, 7), 108, 'latin1')
  block.write(octal(0, 7), 116, 'latin1')
  if (size < 8 ** 11) {
    block.write(octal(size, 11), 124, 'latin1')
  } else {
    block[124] = 0x80
    block.writeUIntBE(size, 130, 6)
  }
  block.write(octal(Math.max(0, mtime), 11), 136, 'latin1')
  block.write(' '.repeat(8), 148, 'latin1')
  block.write(flag, 156, 'latin1')
  names.linkName.copy(block, 157)
  block.write('ustar\x0000', 257, 'latin1')
  names.prefix.copy(block, 345)
  block.write(`${octal(checksumsOf(block)[0], 6)}\0 `, 148, 'latin1')
  return block
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')
