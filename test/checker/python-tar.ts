import { readFile } from 'node:fs/promises'
import { constants, crc32, createInflateRaw } from 'node:zlib'

/**
 * Reads a `.tar.gz` the way CPython 3.11's `tarfile.open(path, 'r:gz')` does, faults included: what comes after the end
 * of the tar is never looked at, a damaged header in the middle ends the archive in silence, and a damaged one after a
 * PAX header raises. Sources: Lib/tarfile.py and Lib/gzip.py of CPython 3.11.
 */

/** What Python would raise: its exception and message. */
export class PythonError extends Error {}

export interface TarMember {
  /** The name after PAX and GNU long names, without the closing slashes of a folder. */
  readonly name: string
  readonly type: 'file' | 'link' | 'symlink' | 'character' | 'block' | 'folder' | 'fifo' | 'sparse' | 'unknown'
  readonly linkName: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  /** The PAX records that stood before it, in their order. */
  readonly pax: ReadonlyMap<string, string>
  /** The 512 bytes of its own header. */
  readonly header: Buffer
  /** Whether a GNU long name or long link stood before it. */
  readonly gnuLong: boolean
  /** Where its header, or the first header that belongs to it, starts in the tar. */
  readonly offset: number
}

interface GzipHeader {
  readonly end: number
}

function readGzipHeader(data: Buffer, start: number): GzipHeader {
  const need = (end: number): void => {
    if (end > data.length) {
      throw new PythonError('EOFError: Compressed file ended before the end-of-stream marker was reached')
    }
  }
  need(start + 2)
  if (data[start] !== 0x1f || data[start + 1] !== 0x8b) throw new PythonError('BadGzipFile: Not a gzipped file')
  need(start + 10)
  if (data[start + 2] !== 8) throw new PythonError('BadGzipFile: Unknown compression method')
  const flags = data[start + 3] ?? 0
  let at = start + 10
  if ((flags & 4) !== 0) {
    need(at + 2)
    at += 2 + data.readUInt16LE(at)
    need(at)
  }
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue
    const zero = data.indexOf(0, at)
    // Python reads an unfinished name to the end of the file; what it then lacks is the compressed stream.
    if (zero < 0) need(data.length + 1)
    at = zero + 1
  }
  if ((flags & 2) !== 0) at += 2
  need(at)
  return { end: at }
}

/** The decompressed bytes; what Python would raise is thrown when the bytes before it have been taken. */
async function* gunzipAsPython(data: Buffer): AsyncGenerator<Buffer> {
  let start = 0
  for (;;) {
    const header = readGzipHeader(data, start)
    const inflate = createInflateRaw({ chunkSize: 1 << 18, finishFlush: constants.Z_SYNC_FLUSH })
    let crc = 0
    let length = 0
    inflate.end(data.subarray(header.end))
    try {
      for await (const chunk of inflate as AsyncIterable<Buffer>) {
        crc = crc32(chunk, crc)
        length += chunk.length
        yield chunk
      }
    } catch (error) {
      throw new PythonError(`zlib.error: ${error instanceof Error ? error.message : String(error)}`)
    }
    const end = header.end + inflate.bytesWritten
    if (end + 8 > data.length) {
      throw new PythonError('EOFError: Compressed file ended before the end-of-stream marker was reached')
    }
    if (data.readUInt32LE(end) !== crc) throw new PythonError('BadGzipFile: CRC check failed')
    if (data.readUInt32LE(end + 4) !== length % 2 ** 32) {
      throw new PythonError('BadGzipFile: Incorrect length of data produced')
    }
    start = end + 8
    while (start < data.length && data[start] === 0) start += 1
    if (start >= data.length) return
  }
}

/** Takes bytes off a stream of chunks. */
function createByteReader(chunks: AsyncGenerator<Buffer>) {
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  async function take(count: number, use: (part: Buffer) => void): Promise<number> {
    let missing = count
    while (missing > 0) {
      if (rest.length === 0) {
        const next = await chunks.next()
        if (next.done === true) break
        rest = next.value
      }
      const part = rest.subarray(0, missing)
      rest = rest.subarray(part.length)
      missing -= part.length
      offset += part.length
      use(part)
    }
    return count - missing
  }
  return {
    get offset() {
      return offset
    },
    take,
    async read(count: number): Promise<Buffer> {
      const parts: Buffer[] = []
      await take(count, (part) => parts.push(Buffer.from(part)))
      return Buffer.concat(parts)
    },
  }
}

const blocks = (size: number): number => Math.ceil(size / 512) * 512

const text = (field: Buffer): string => {
  const zero = field.indexOf(0)
  return field.toString('utf8', 0, zero < 0 ? field.length : zero)
}

function number(field: Buffer): number {
  if (field[0] === 0x80 || field[0] === 0xff) {
    let value = 0n
    for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte)
    return Number(field[0] === 0xff ? value - 256n ** BigInt(field.length - 1) : value)
  }
  const digits = text(field).trim()
  if (digits === '') return 0
  if (!/^[0-7]+$/.test(digits)) throw new PythonError('InvalidHeader: invalid header')
  return Number.parseInt(digits, 8)
}

const typesByFlag: Readonly<Record<string, TarMember['type']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'folder',
  '6': 'fifo',
  S: 'sparse',
}

/** The records of a PAX header, as tarfile's `_proc_pax` finds them: a wrong length makes a wrong value, no error. */
function parsePax(data: Buffer): Map<string, string> {
  const records = new Map<string, string>()
  let at = 0
  for (;;) {
    const space = data.indexOf(0x20, at)
    if (space < 0 || !/^\d+$/.test(data.toString('latin1', at, space))) return records
    const equals = data.indexOf(0x3d, space)
    if (equals <= space + 1) return records
    const length = Number(data.toString('latin1', at, space))
    if (length === 0) throw new PythonError('ReadError: invalid header')
    const end = Math.max(equals + 1, Math.min(at + length - 1, data.length))
    records.set(data.toString('utf8', space + 1, equals), data.toString('utf8', equals + 1, end))
    at += length
  }
}

type HeaderBlock =
  | { readonly kind: 'header'; readonly block: Buffer }
  | { readonly kind: 'eof' | 'empty' | 'truncated' | 'invalid'; readonly reason: string }

function judgeHeader(block: Buffer): HeaderBlock {
  if (block.length === 0) return { kind: 'empty', reason: 'empty header' }
  if (block.length !== 512) return { kind: 'truncated', reason: 'truncated header' }
  if (block.every((byte) => byte === 0)) return { kind: 'eof', reason: 'end of file header' }
  let unsigned = 256
  let signed = 256
  block.forEach((byte, index) => {
    if (index >= 148 && index < 156) return
    unsigned += byte
    signed += byte > 127 ? byte - 256 : byte
  })
  try {
    const checksum = number(block.subarray(148, 156))
    if (checksum !== unsigned && checksum !== signed) return { kind: 'invalid', reason: 'bad checksum' }
    for (const [start, end] of [
      [100, 108],
      [108, 116],
      [116, 124],
      [124, 136],
      [136, 148],
      [329, 337],
      [337, 345],
    ]) {
      number(block.subarray(start, end))
    }
  } catch {
    return { kind: 'invalid', reason: 'invalid header' }
  }
  return { kind: 'header', block }
}

/** A member and its bytes, which must be taken before the next member is asked for, or are skipped. */
export interface OpenMember {
  readonly member: TarMember
  /** Hands over the content part by part. */
  read(use: (part: Buffer) => void): Promise<void>
}

/** The members in their order. Throws PythonError where Python raises. */
export async function* readAsPython(path: string): AsyncGenerator<OpenMember> {
  const data = await readFile(path)
  if (data.length < 2 || data[0] !== 0x1f || data[1] !== 0x8b) throw new PythonError('ReadError: not a gzip file')
  const reader = createByteReader(gunzipAsPython(data))
  const globals = new Map<string, string>()
  for (;;) {
    const offset = reader.offset
    let pax = new Map<string, string>()
    let longName: string | undefined
    let longLink: string | undefined
    let subsequent = false
    let member: TarMember | undefined
    let gnuLong = false
    while (member === undefined) {
      const judged = judgeHeader(await reader.read(512))
      if (judged.kind !== 'header') {
        if (subsequent) throw new PythonError(`ReadError: ${judged.reason}`)
        if (offset === 0 && judged.kind !== 'eof') throw new PythonError(`ReadError: ${judged.reason}`)
        return
      }
      const { block } = judged
      const flag = String.fromCharCode(block[156] ?? 0)
      const size = number(block.subarray(124, 136))
      if ('xgXLK'.includes(flag)) {
        const content = (await reader.read(blocks(size))).subarray(0, size)
        if (flag === 'L') longName = text(content)
        else if (flag === 'K') longLink = text(content)
        else if (flag === 'g') for (const [key, value] of parsePax(content)) globals.set(key, value)
        else pax = new Map([...globals, ...parsePax(content)])
        gnuLong ||= flag === 'L' || flag === 'K'
        subsequent = true
        continue
      }
      const prefix = text(block.subarray(345, 500))
      const plain = text(block.subarray(0, 100))
      let name = pax.get('path') ?? longName ?? (prefix === '' || flag === 'S' ? plain : `${prefix}/${plain}`)
      const type = flag === '\0' && plain.endsWith('/') ? 'folder' : (typesByFlag[flag] ?? 'unknown')
      if (type === 'folder' || pax.has('path')) name = name.replace(/\/+$/, '')
      const paxSize = Number(pax.get('size') ?? size)
      const paxTime = Number(pax.get('mtime') ?? number(block.subarray(136, 148)))
      member = {
        name,
        type,
        linkName: pax.get('linkpath') ?? longLink ?? text(block.subarray(157, 257)),
        mode: number(block.subarray(100, 108)),
        uid: number(block.subarray(108, 116)),
        gid: number(block.subarray(116, 124)),
        size: Number.isFinite(paxSize) ? paxSize : 0,
        mtime: Number.isFinite(paxTime) ? paxTime : 0,
        pax,
        header: block,
        gnuLong,
        offset,
      }
    }
    const size = member.type === 'file' || member.type === 'unknown' || member.type === 'sparse' ? member.size : 0
    let taken = false
    const take = async (use: (part: Buffer) => void): Promise<void> => {
      taken = true
      const got = await reader.take(size, use)
      const padding = blocks(size) - size
      if (got < size || (await reader.take(padding, () => {})) < padding) {
        throw new PythonError('ReadError: unexpected end of data')
      }
    }
    yield { member, read: take }
    if (!taken) await take(() => {})
  }
}
