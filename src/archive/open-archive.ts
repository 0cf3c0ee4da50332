import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { openAge, type AgeFile } from '../std/age/age-file.ts'
import { isAge } from '../std/age/header.ts'
import type { AgeKeySource } from '../std/age/keys.ts'
import { onFile } from '../std/files.ts'
import type { ReadableFile } from '../std/readable-file.ts'
import { fileChunks, gunzip, isGzip, type GunzipEnd } from './gunzip.ts'

/** Where an archive comes from. */
export interface ArchiveSource {
  /** A path, or a stream that carries the archive. */
  readonly archive: string | AsyncIterable<Uint8Array>
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
 * Opens an archive by its path, or takes it from a stream, which is kept on disk in `scratchFolder` meanwhile, as it is. An
 * encrypted one asks `keys` for what opens it. Throws `archive.not_an_archive`, `file.*`, and for an encrypted one what
 * `openAge` throws.
 */
export async function openArchive(
  input: string | AsyncIterable<Uint8Array>,
  scratchFolder: string,
  keys?: AgeKeySource,
): Promise<OpenArchive> {
  const name = typeof input === 'string' ? input : 'standard input'
  const file = typeof input === 'string' ? await openFile(input) : await keep(input, scratchFolder)
  try {
    const opened = await onFile(name, 'read', () => file.stat())
    const age = await openIfEncrypted(file, opened.size, name, keys)
    const inside: ReadableFile = age ?? file
    const insideSize = age?.size ?? opened.size
    const compression = await detectCompression(inside, name)
    return {
      name,
      size: opened.size,
      encrypted: age !== undefined,
      innerSize: insideSize,
      compression,
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
      async assertUnchanged() {
        const now = await onFile(name, 'read', () => file.stat())
        if (now.size !== opened.size || now.mtimeMs !== opened.mtimeMs) {
          throw new StrongroomError('archive.changed', { archive: name })
        }
      },
      [Symbol.asyncDispose]: () => onFile(name, 'read', () => file.close()),
    }
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openFile(path: string): Promise<FileHandle> {
  // Without O_NONBLOCK the opening of a named pipe waits for a writer that may never come.
  const file = await onFile(path, 'read', () => open(path, constants.O_RDONLY | constants.O_NONBLOCK))
  const kind = await file.stat()
  if (kind.isFile()) return file
  await file.close()
  throw new StrongroomError('file.not_regular', { path })
}

async function keep(input: AsyncIterable<Uint8Array>, folder: string): Promise<FileHandle> {
  const path = join(folder, `archive-${randomUUID()}`)
  const file = await onFile(folder, 'written', () => open(path, 'wx+', 0o600))
  try {
    await onFile(folder, 'written', () => unlink(path))
    for await (const chunk of input) await onFile(folder, 'written', () => file.writeFile(chunk))
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

async function openIfEncrypted(
  file: FileHandle,
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
