/** Tars of every kind, made byte by byte from the format's description; shares no code with the program. */

const blockBytes = 512

interface RawHeader {
  readonly name?: string
  readonly flag?: string
  /** What stands in the size field; a text is written as it is. */
  readonly size?: number | string
  readonly linkName?: string
  readonly prefix?: string
  /** Magic and version, eight bytes. */
  readonly magic?: string
  readonly checksum?: 'unsigned' | 'signed' | 'wrong'
}

/** One header block. A name too long for its field is parted at its last slash. */
export function rawHeader(header: RawHeader): Buffer {
  const { flag = '0', size = 0, linkName = '', magic = 'ustar\x0000', checksum = 'unsigned' } = header
  let { name = '', prefix = '' } = header
  if (name.length > 100) {
    const slash = name.lastIndexOf('/', name.length - 2)
    ;[prefix, name] = [name.slice(0, slash), name.slice(slash + 1)]
  }
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(prefix) > 155) throw new RangeError(`${name} is too long`)
  const block = Buffer.alloc(blockBytes)
  block.write(name, 0, 100)
  block.write('0000644\x000000000\x000000000\0', 100, 'latin1')
  block.write(typeof size === 'string' ? size : `${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1')
  block.write('14000000000\0', 136, 'latin1')
  block.write('        ', 148, 'latin1')
  block.write(flag, 156, 'latin1')
  block.write(linkName, 157, 100)
  block.write(magic, 257, 'latin1')
  block.write(prefix, 345, 155)
  const bytes: Iterable<number> = checksum === 'signed' ? new Int8Array(block) : block
  let sum = checksum === 'wrong' ? 1 : 0
  for (const byte of bytes) sum += byte
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** The bytes and the zeros that fill their last block. */
export const inBlocks = (bytes: Uint8Array): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((blockBytes - (bytes.length % blockBytes)) % blockBytes)])

/** An entry with content. */
export function rawEntry(header: RawHeader, content: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.from(content)
  return Buffer.concat([rawHeader({ size: bytes.length, ...header }), inBlocks(bytes)])
}

/** A pax header, local or global, with these records. */
export function rawPax(records: Readonly<Record<string, string>>, flag: 'x' | 'g' = 'x'): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    let length = Buffer.byteLength(rest) + 1
    while (length !== String(length).length + Buffer.byteLength(rest)) length += 1
    return `${length}${rest}`
  })
  return rawEntry({ name: '././@PaxHeader', flag }, lines.join(''))
}

/** The two blocks of zeros at the end. */
export const endOfTar = Buffer.alloc(2 * blockBytes)

/** The bytes as a stream of chunks of `size` bytes, each in memory of its own. */
export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield Uint8Array.from(bytes.subarray(start, start + size))
}

/** All that a stream gives. */
export async function allOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of chunks) parts.push(Buffer.from(chunk))
  return Buffer.concat(parts)
}
