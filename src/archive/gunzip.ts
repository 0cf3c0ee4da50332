import { crc32, createInflateRaw } from 'node:zlib'
import { StrongroomError } from '../errors.ts'
import { onFile, systemCode } from '../std/files.ts'
import { letGo } from '../std/let-go.ts'
import type { ReadableFile as FileHandle } from '../std/readable-file.ts'
import { reasonOf } from '../std/text.ts'

const chunkBytes = 1 << 20
const trailerBytes = 8
/** The optional fields of a member's header are read whole: no writer makes them longer. */
const longestHeader = 128 * 1024

/** What stands after the compressed data of a file. */
export interface GunzipEnd {
  readonly members: number
  /** Bytes up to the end of the last gzip member. */
  readonly compressedBytes: number
  readonly trailing: 'nothing' | 'zeros' | 'garbage'
  readonly trailingBytes: number
}

/** Reads a file in chunks of up to 1 MiB from `start`, telling `onRead` where it is; each chunk is valid until the next is asked for. */
export async function* fileChunks(
  file: FileHandle,
  path: string,
  start = 0,
  onRead?: (position: number) => void,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  for (let position = start; ;) {
    const { bytesRead } = await onFile(path, 'read', () => file.read(buffer, 0, chunkBytes, position))
    if (bytesRead === 0) return
    position += bytesRead
    onRead?.(position)
    yield buffer.subarray(0, bytesRead)
  }
}

/** True where the bytes begin a gzip member: its two magic bytes and the one method there is, deflate. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8

/**
 * The decompressed bytes of a gzip file (RFC 1952, several members allowed), in chunks of up to 1 MiB; each is valid until
 * the next is asked for. CRC and length of every member are checked; what follows the last one is described to `onEnd`. Throws `archive.truncated` and
 * `archive.damaged`.
 */
export async function* gunzip(
  file: FileHandle,
  path: string,
  onEnd: (end: GunzipEnd) => void,
  onRead?: (position: number) => void,
): AsyncGenerator<Uint8Array> {
  let position = 0
  let members = 0
  do {
    const body = position + (await headerLength(file, path, position))
    let crc = 0
    let length = 0
    const member = inflate(fileChunks(file, path, body, onRead), path)
    for await (const chunk of member.chunks) {
      crc = crc32(chunk, crc)
      length += chunk.length
      yield chunk
    }
    const end = body + member.consumed()
    const trailer = await readAt(file, path, end, trailerBytes)
    if (trailer.length < trailerBytes) throw truncated(path, 'its last 8 bytes, the checksum, are missing')
    if (trailer.readUInt32LE(0) !== crc) throw damaged(path, 'the checksum of the compressed data is wrong')
    if (trailer.readUInt32LE(4) !== length % 2 ** 32) throw damaged(path, 'the length of the compressed data is wrong')
    position = end + trailerBytes
    members += 1
  } while (isGzip(await readAt(file, path, position, 3)))
  onEnd({ members, compressedBytes: position, ...(await describeTrailing(file, path, position)) })
}

/**
 * Decompresses a deflate stream (RFC 1951) in chunks of up to `mostBytes`; each is valid until the next is asked for. `input`
 * may go on behind its end: `consumed` says where that was. Throws `archive.truncated` and `archive.damaged`.
 */
export function inflate(input: AsyncIterable<Uint8Array>, path: string, mostBytes = chunkBytes) {
  const inflater = createInflateRaw({ chunkSize: mostBytes })
  async function feed(): Promise<void> {
    for await (const chunk of input) {
      if (inflater.destroyed || inflater.readableEnded) return
      // The chunk's memory serves the next one too; the callback says when it has been read.
      await new Promise<void>((resolve) => {
        const done = (): void => {
          inflater.removeListener('close', done)
          resolve()
        }
        inflater.once('close', done)
        inflater.write(chunk, done)
      })
      // A thread may still read the chunk, whose memory is the source's again as soon as it is asked for the next.
      if (inflater.destroyed) return
    }
    inflater.end()
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const feeding = feed().catch((error: unknown) => {
      inflater.destroy(error instanceof Error ? error : new Error(String(error)))
    })
    try {
      for await (const chunk of inflater) {
        yield chunk as Uint8Array
        if (isFilled(chunk as Uint8Array)) letGo(chunk as Uint8Array)
      }
    } catch (error) {
      throw toInflateError(error, path)
    } finally {
      inflater.destroy()
      await feeding
    }
  }
  return { chunks: chunks(), consumed: () => inflater.bytesWritten }
}

/** The inflater takes new memory for each megabyte. What it has not filled to its end is still in use. */
const isFilled = ({ buffer, byteOffset, byteLength }: Uint8Array): boolean =>
  byteOffset + byteLength === buffer.byteLength

function toInflateError(error: unknown, path: string): unknown {
  const code = systemCode(error)
  if (code === 'Z_BUF_ERROR') return truncated(path, 'the compressed data stops in the middle', error)
  if (code?.startsWith('Z_') === true) return damaged(path, `the compressed data is broken (${reasonOf(error)})`, error)
  return error
}

/** The length of a member's header: ten bytes and the optional fields that its flags name. */
async function headerLength(file: FileHandle, path: string, position: number): Promise<number> {
  const bytes = await readAt(file, path, position, longestHeader)
  if (!isGzip(bytes)) throw damaged(path, 'it does not begin as gzip does')
  const flags = bytes[3] ?? 0
  let length = 10
  if ((flags & 4) !== 0) length += 2 + (bytes.length >= length + 2 ? bytes.readUInt16LE(length) : 0)
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue
    const end = bytes.indexOf(0, length)
    if (end === -1) length = bytes.length + 1
    else length = end + 1
  }
  if ((flags & 2) !== 0) length += 2
  if (length > bytes.length) throw truncated(path, 'it stops within its first bytes')
  return length
}

async function readAt(file: FileHandle, path: string, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await onFile(path, 'read', () => file.read(buffer, 0, length, position))
  return buffer.subarray(0, bytesRead)
}

async function describeTrailing(file: FileHandle, path: string, start: number) {
  let trailingBytes = 0
  let zeros = true
  for await (const chunk of fileChunks(file, path, start)) {
    trailingBytes += chunk.length
    zeros &&= chunk.every((byte) => byte === 0)
  }
  const trailing = trailingBytes === 0 ? 'nothing' : zeros ? 'zeros' : 'garbage'
  return { trailing, trailingBytes } as const
}

const truncated = (archive: string, reason: string, cause?: unknown): StrongroomError =>
  new StrongroomError('archive.truncated', { archive, reason }, { cause })

const damaged = (archive: string, reason: string, cause?: unknown): StrongroomError =>
  new StrongroomError('archive.damaged', { archive, reason }, { cause })
