import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32, createDeflateRaw } from 'node:zlib'
import { createSpool } from './spool.ts'

/** A file or folder of a zip file. Its name has slashes between folders, none at either end, and no `..`. */
export interface ZipEntry {
  readonly name: string
  /** Seconds since 1970; taken as the nearest moment between 1980 and 2038, which is what the format holds. */
  readonly mtime: number
}

export interface ZipContent {
  readonly size: number
  readonly crc32: number
  chunks(): AsyncIterable<Uint8Array>
}

/** Dispose it. */
export interface ZipWriter extends AsyncDisposable {
  folder(entry: ZipEntry): Promise<void>
  /** Throws what `chunks` and the sink throw; the zip file is then of no use. */
  file(entry: ZipEntry, content: ZipContent, compress: boolean): Promise<void>
  finish(): Promise<void>
}

interface Written {
  readonly name: Buffer
  readonly method: 0 | 8
  readonly flags: number
  readonly mtime: number
  readonly crc32: number
  readonly compressed: number
  readonly size: number
  readonly offset: number
  readonly mode: number
}

const fileMode = 0o100600
const folderMode = 0o040700

const namesAreUtf8 = 0x0800
const sizesFollow = 0x0008
const stored = 0
const deflated = 8

const plainVersion = 20
const zip64Version = 45
const madeOnUnix = (3 << 8) | zip64Version

const most32 = 0xffffffff
const most16 = 0xffff

const firstMoment = Date.UTC(1980, 0, 1) / 1000
const lastMoment = 0x7fffffff

/**
 * Writes a zip file (PKWARE's APPNOTE 6.3.10) in order, with names in UTF-8 and zip64 where it is needed. What a program must
 * know at the end waits in a spool in `folder`, so memory does not grow. The same entries give the same bytes: dates are
 * UTC, also in the field that was meant for local time. Files are 0600 and folders 0700. `most` is the largest number that is
 * written in 32 bits.
 */
export async function createZipWriter(
  sink: (bytes: Uint8Array) => Promise<void>,
  folder: string,
  most = most32 - 1,
): Promise<ZipWriter> {
  const directory = await createSpool(folder)
  let offset = 0
  let entries = 0

  async function emit(bytes: Uint8Array): Promise<void> {
    await sink(bytes)
    offset += bytes.length
  }

  async function list(written: Written): Promise<void> {
    entries += 1
    await directory.write(centralHeader(written, most))
  }

  const momentOf = (mtime: number): number => Math.min(Math.max(mtime, firstMoment), lastMoment)

  return {
    async folder({ name, mtime }) {
      const written: Written = {
        name: Buffer.from(`${name}/`),
        method: stored,
        flags: namesAreUtf8,
        mtime: momentOf(mtime),
        crc32: 0,
        compressed: 0,
        size: 0,
        offset,
        mode: folderMode,
      }
      await emit(localHeader(written, false))
      await list(written)
    },

    async file({ name, mtime }, content, compress) {
      const start = offset
      const written: Written = {
        name: Buffer.from(name),
        method: compress ? deflated : stored,
        flags: compress ? namesAreUtf8 | sizesFollow : namesAreUtf8,
        mtime: momentOf(mtime),
        crc32: content.crc32,
        compressed: content.size,
        size: content.size,
        offset,
        mode: fileMode,
      }
      // Deflate makes what cannot be packed a little larger.
      const isLarge = content.size + Math.ceil(content.size / 1000) + 1000 > most
      await emit(localHeader(written, isLarge))
      const body = offset
      const source = Readable.from(content.chunks(), { objectMode: false })
      const take = async (out: AsyncIterable<Uint8Array>): Promise<void> => {
        for await (const chunk of out) await emit(chunk)
      }
      await (compress ? pipeline(source, createDeflateRaw(), take) : pipeline(source, take))
      const compressed = offset - body
      if (compress) await emit(descriptor({ ...written, compressed }, isLarge))
      await list({ ...written, compressed, offset: start })
    },

    async finish() {
      const start = offset
      for await (const chunk of directory.chunks()) await emit(chunk)
      await emit(endOfDirectory({ entries, start, size: offset - start, end: offset }, most))
    },

    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

/** The CRC-32 of what was hashed so far and these bytes. */
export const zipCrc = (bytes: Uint8Array, before: number): number => crc32(bytes, before)

/** 4.3.7. Where the sizes follow the bytes, they are zero here. */
function localHeader(entry: Written, isLarge: boolean): Buffer {
  const { name, method, flags, mtime } = entry
  const follows = (flags & sizesFollow) !== 0
  const sizes = [follows ? 0 : entry.compressed, follows ? 0 : entry.size] as const
  const extra = Buffer.concat([isLarge ? extra64([sizes[1], sizes[0]]) : Buffer.alloc(0), extraTime(mtime)])
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(isLarge ? zip64Version : plainVersion, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt16LE(method, 8)
  writeDosTime(header, 10, mtime)
  header.writeUInt32LE(follows ? 0 : entry.crc32, 14)
  header.writeUInt32LE(isLarge ? most32 : sizes[0], 18)
  header.writeUInt32LE(isLarge ? most32 : sizes[1], 22)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(extra.length, 28)
  return Buffer.concat([header, name, extra])
}

/** 4.3.9 */
function descriptor({ crc32: crc, compressed, size }: Written, isLarge: boolean): Buffer {
  const bytes = Buffer.alloc(isLarge ? 24 : 16)
  bytes.writeUInt32LE(0x08074b50, 0)
  bytes.writeUInt32LE(crc, 4)
  if (isLarge) {
    bytes.writeBigUInt64LE(BigInt(compressed), 8)
    bytes.writeBigUInt64LE(BigInt(size), 16)
  } else {
    bytes.writeUInt32LE(compressed, 8)
    bytes.writeUInt32LE(size, 12)
  }
  return bytes
}

/** 4.3.12 */
function centralHeader(entry: Written, most: number): Buffer {
  const { name, method, flags, mtime, compressed, size, offset, mode } = entry
  const isLarge = Math.max(compressed, size, offset) > most
  const extra = Buffer.concat([isLarge ? extra64([size, compressed, offset]) : Buffer.alloc(0), extraTime(mtime)])
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(madeOnUnix, 4)
  header.writeUInt16LE(isLarge ? zip64Version : plainVersion, 6)
  header.writeUInt16LE(flags, 8)
  header.writeUInt16LE(method, 10)
  writeDosTime(header, 12, mtime)
  header.writeUInt32LE(entry.crc32, 16)
  header.writeUInt32LE(isLarge ? most32 : compressed, 20)
  header.writeUInt32LE(isLarge ? most32 : size, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(extra.length, 30)
  // MS-DOS knows folders by their own bit.
  header.writeUInt32LE(mode * 0x10000 + (mode === folderMode ? 0x10 : 0), 38)
  header.writeUInt32LE(isLarge ? most32 : offset, 42)
  return Buffer.concat([header, name, extra])
}

/** 4.3.14 to 4.3.16 */
function endOfDirectory(
  { entries, start, size, end }: { entries: number; start: number; size: number; end: number },
  most: number,
): Buffer {
  const isLarge = entries >= most16 || Math.max(start, size) > most
  const last = Buffer.alloc(22)
  last.writeUInt32LE(0x06054b50, 0)
  last.writeUInt16LE(isLarge ? most16 : entries, 8)
  last.writeUInt16LE(isLarge ? most16 : entries, 10)
  last.writeUInt32LE(isLarge ? most32 : size, 12)
  last.writeUInt32LE(isLarge ? most32 : start, 16)
  if (!isLarge) return last
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50, 0)
  record.writeBigUInt64LE(44n, 4)
  record.writeUInt16LE(madeOnUnix, 12)
  record.writeUInt16LE(zip64Version, 14)
  record.writeBigUInt64LE(BigInt(entries), 24)
  record.writeBigUInt64LE(BigInt(entries), 32)
  record.writeBigUInt64LE(BigInt(size), 40)
  record.writeBigUInt64LE(BigInt(start), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(end), 8)
  locator.writeUInt32LE(1, 16)
  return Buffer.concat([record, locator, last])
}

/** 4.5.3 */
function extra64(numbers: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * numbers.length)
  extra.writeUInt16LE(0x0001, 0)
  extra.writeUInt16LE(8 * numbers.length, 2)
  for (const [index, number] of numbers.entries()) extra.writeBigUInt64LE(BigInt(number), 4 + 8 * index)
  return extra
}

/** Info-ZIP's extended timestamp: the date in UTC, to the second. */
function extraTime(mtime: number): Buffer {
  const extra = Buffer.alloc(9)
  extra.writeUInt16LE(0x5455, 0)
  extra.writeUInt16LE(5, 2)
  extra.writeUInt8(1, 4)
  extra.writeInt32LE(mtime, 5)
  return extra
}

/** Time and date as MS-DOS has them, to two seconds. */
function writeDosTime(header: Buffer, at: number, mtime: number): void {
  const date = new Date(mtime * 1000)
  const seconds = Math.floor(date.getUTCSeconds() / 2)
  header.writeUInt16LE((date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | seconds, at)
  const years = date.getUTCFullYear() - 1980
  header.writeUInt16LE((years << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate(), at + 2)
}
