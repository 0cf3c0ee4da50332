import { createHash } from 'node:crypto'
import { StrongroomError } from '../errors.ts'
import { openAge, type AgeFile } from '../std/age/age-file.ts'
import { isAge } from '../std/age/header.ts'
import type { AgeKeySource } from '../std/age/keys.ts'
import { onFile } from '../std/files.ts'
import type { ReadableFile } from '../std/readable-file.ts'
import { openArchiveFile } from './archive-file.ts'
import { fileChunks, gunzip, isGzip, type GunzipEnd } from './gunzip.ts'

/** Where an archive comes from. */
export interface ArchiveSource {
  /** A path, the URL of an archive on a web server, or a stream that carries one. */
  readonly archive: string | URL | AsyncIterable<Uint8Array>
  /** Asked for what opens an encrypted one. */
  readonly keys?: AgeKeySource
}

/** An archive that is open for reading, as often as needed, from its beginning. */
export interface OpenArchive extends AsyncDisposable {
  /** How messages name it. */
  readonly name: string
  /** Bytes of the file. */
  readonly size: number
  readonly encrypted: boolean
  /** Bytes of what is in it, compressed; those of the file where it is not encrypted. */
  readonly innerSize: number
  readonly compression: 'gzip' | 'none'
  /** True where a web server gave it only as a whole: it lies on disk meanwhile, as one from a stream does. */
  readonly copied: boolean
  /**
   * The bytes of the tar, from the beginning; `onRead` is told how much of the file has been read, decrypted. Throws
   * `archive.truncated` and `archive.damaged`.
   */
  tar(onEnd: (end: GunzipEnd) => void, onRead?: (position: number) => void): AsyncIterable<Uint8Array>
  /** Bytes of the compressed file, decrypted where it is encrypted. */
  bytes(position: number, length: number): Promise<Buffer>
  /** The SHA-256 of the file itself, 64 lower-case hex digits. */
  sha256(): Promise<string>
  /** Throws `archive.changed` where the file is no longer the one that was opened. */
  assertUnchanged(): Promise<void>
}

/**
 * Opens an archive by its path or URL, or takes it from a stream, which is kept on disk in `scratchFolder` meanwhile, as it is.
 * An encrypted one asks `keys` for what opens it. `signal` ends the waiting for a web server. Throws `archive.not_an_archive`,
 * `file.*`, for a URL what `openHttpFile` throws, and for an encrypted one what `openAge` throws.
 */
export async function openArchive(
  input: ArchiveSource['archive'],
  scratchFolder: string,
  keys?: AgeKeySource,
  signal?: AbortSignal,
): Promise<OpenArchive> {
  const file = await openArchiveFile(input, scratchFolder, signal)
  const { name, size, copied } = file
  try {
    const age = await openIfEncrypted(file, size, name, keys)
    const inside: ReadableFile = age ?? file
    const insideSize = age?.size ?? size
    const compression = await detectCompression(inside, name)
    return {
      name,
      size,
      encrypted: age !== undefined,
      innerSize: insideSize,
      compression,
      copied,
      tar: (onEnd, onRead) =>
        compression === 'gzip'
          ? gunzip(inside, name, onEnd, onRead)
          : plainTar(fileChunks(inside, name, 0, onRead), insideSize, onEnd),
      async bytes(position, length) {
        const buffer = Buffer.alloc(length)
        const { bytesRead } = await onFile(name, 'read', () => inside.read(buffer, 0, length, position))
        return buffer.subarray(0, bytesRead)
      },
      async sha256() {
        const hash = createHash('sha256')
        for await (const chunk of fileChunks(file, name)) hash.update(chunk)
        return hash.digest('hex')
      },
      assertUnchanged: () => file.assertUnchanged(),
      [Symbol.asyncDispose]: () => onFile(name, 'read', () => file.close()),
    }
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}

async function openIfEncrypted(
  file: ReadableFile,
  size: number,
  name: string,
  keys: AgeKeySource | undefined,
): Promise<AgeFile | undefined> {
  const start = Buffer.alloc(64)
  await onFile(name, 'read', () => file.read(start, 0, start.length, 0))
  if (start.toString('latin1').startsWith(armorStart)) {
    const reason = 'it is an age file in its form for e-mail; turn it into a plain one with age -d and age'
    throw new StrongroomError('archive.not_an_archive', { archive: name, reason })
  }
  return isAge(start) ? onFile(name, 'read', () => openAge(file, size, name, keys)) : undefined
}

const armorStart = '-----BEGIN AGE ENCRYPTED FILE-----'

async function detectCompression(file: ReadableFile, name: string): Promise<'gzip' | 'none'> {
  const start = Buffer.alloc(512)
  const { bytesRead } = await onFile(name, 'read', () => file.read(start, 0, 512, 0))
  if (bytesRead === 0) throw new StrongroomError('archive.not_an_archive', { archive: name, reason: 'it is empty' })
  if (isGzip(start)) return 'gzip'
  if (start.toString('latin1', 257, 262) === 'ustar') return 'none'
  throw new StrongroomError('archive.not_an_archive', { archive: name, reason: 'it is neither gzip nor tar' })
}

async function* plainTar(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
  onEnd: (end: GunzipEnd) => void,
): AsyncGenerator<Uint8Array> {
  yield* chunks
  onEnd({ members: 0, compressedBytes: size, trailing: 'nothing', trailingBytes: 0 })
}
