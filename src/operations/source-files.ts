import { createHash } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises'
import { systemCode } from '../std/files.ts'
import { withReadBuffer } from '../std/read-buffers.ts'

// Without O_NONBLOCK a pipe that takes a file's place would hold the program for ever.
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What stands at a path, as it is and not as a link would have it. */
export type Entry = 'file' | 'folder' | 'link' | 'special'

/** A path as the system has it: names need not be valid UTF-8. */
export type RawPath = Buffer

const slash = Buffer.from('/')

export const joinRaw = (folder: RawPath, name: Buffer): RawPath => Buffer.concat([folder, slash, name])

export async function entryAt(
  path: RawPath,
): Promise<{ readonly entry: Entry; readonly device: bigint; readonly inode: bigint }> {
  const stat = await lstat(path, { bigint: true })
  const entry = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'special'
  return { entry, device: stat.dev, inode: stat.ino }
}

/** The names in a folder, sorted by their bytes. */
export async function namesIn(path: RawPath): Promise<readonly Buffer[]> {
  return (await readdir(path, { encoding: 'buffer' })).sort(Buffer.compare)
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A name as text; where its bytes are no UTF-8, U+FFFD stands for them and `exact` is false. */
export function nameText(name: Buffer): { readonly text: string; readonly exact: boolean } {
  try {
    return { text: strict.decode(name), exact: true }
  } catch {
    return { text: name.toString('utf8'), exact: false }
  }
}

/** A file that was not the same at the end of its reading as at the beginning. */
export const changedWhileRead = new Error('it changed while it was read')

/** A file opened once, so that all that is learnt of it is about the same bytes. Dispose it. */
export interface SourceFile extends AsyncDisposable {
  readonly size: number
  /** By which a reader in this process opens this very file, whatever stands at its path by now. */
  readonly descriptorPath: string
  readonly head: Uint8Array
  /** The bytes from the beginning; throws `changedWhileRead`. Each chunk is valid until the next is asked for. */
  chunks(signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** 64 lower-case hex digits; throws `changedWhileRead`. */
  sha256(signal?: AbortSignal): Promise<string>
}

/** Opens a regular file, never through a link; undefined where another thing has taken its place. */
export async function openSource(path: RawPath, headBytes: number): Promise<SourceFile | undefined> {
  let file: FileHandle
  try {
    file = await open(path, readFlags)
  } catch (error) {
    if (['ELOOP', 'ENXIO'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
  try {
    const atFirst = await file.stat({ bigint: true })
    if (!atFirst.isFile()) {
      await file.close()
      return undefined
    }
    const size = Number(atFirst.size)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    const chunks = (signal?: AbortSignal) => withReadBuffer((buffer) => chunksOf(file, atFirst, buffer, signal))
    return {
      size,
      descriptorPath: `/proc/self/fd/${file.fd}`,
      head: buffer.subarray(0, bytesRead),
      chunks,
      async sha256(signal) {
        const hash = createHash('sha256')
        for await (const chunk of chunks(signal)) hash.update(chunk)
        return hash.digest('hex')
      },
      [Symbol.asyncDispose]: () => file.close(),
    }
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}

async function* chunksOf(
  file: FileHandle,
  atFirst: BigIntStats,
  buffer: Buffer,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const size = Number(atFirst.size)
  let position = 0
  while (position < size) {
    signal?.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - position), position)
    if (bytesRead === 0) throw changedWhileRead
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
  const atLast = await file.stat({ bigint: true })
  if (atLast.size !== atFirst.size || atLast.mtimeNs !== atFirst.mtimeNs) throw changedWhileRead
}
