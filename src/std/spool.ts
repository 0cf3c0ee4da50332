import { randomUUID } from 'node:crypto'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { onFile } from './files.ts'

/** Bytes that wait on disk until their number is known. Its file has no name, so nothing is left when the process dies. */
export interface Spool extends AsyncDisposable {
  /** Bytes written so far. */
  readonly size: number
  write(bytes: Uint8Array | string): Promise<void>
  /** All that was written, from the beginning, in chunks of up to 1 MiB; each is valid until the next is asked for. */
  chunks(): AsyncIterable<Uint8Array>
}

const chunkBytes = 1 << 20

/** Named as a folder for scratch files: nothing is to touch a disk, for it must not lie there in the clear. */
export const memoryFolder = ':memory:'

/** Opens an empty spool in `folder`, or in memory. Throws `file.*`. */
export async function createSpool(folder: string): Promise<Spool> {
  if (folder === memoryFolder) return memorySpool()
  const path = join(folder, `spool-${randomUUID()}`)
  const file = await onFile(folder, 'written', () => open(path, 'wx+', 0o600))
  try {
    await onFile(path, 'removed', () => unlink(path))
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
  const waiting = Buffer.allocUnsafe(chunkBytes)
  let filled = 0
  let flushed = 0

  async function flush(): Promise<void> {
    if (filled === 0) return
    await writeFully(waiting.subarray(0, filled))
    filled = 0
  }

  async function writeFully(bytes: Uint8Array): Promise<void> {
    let done = 0
    while (done < bytes.length) {
      const { bytesWritten } = await onFile(folder, 'written', () =>
        file.write(bytes, done, bytes.length - done, flushed + done),
      )
      done += bytesWritten
    }
    flushed += bytes.length
  }

  return {
    get size() {
      return flushed + filled
    },
    async write(data) {
      const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
      if (bytes.length > chunkBytes - filled) await flush()
      if (bytes.length > chunkBytes) return writeFully(bytes)
      waiting.set(bytes, filled)
      filled += bytes.length
    },
    async *chunks() {
      await flush()
      const buffer = Buffer.allocUnsafe(chunkBytes)
      let position = 0
      while (position < flushed) {
        const { bytesRead } = await onFile(folder, 'read', () => file.read(buffer, 0, chunkBytes, position))
        if (bytesRead === 0) break
        position += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    },
    [Symbol.asyncDispose]: () => onFile(folder, 'written', () => file.close()),
  }
}

function memorySpool(): Spool {
  const pieces: Buffer[] = []
  let waiting = Buffer.alloc(0)
  let filled = 0
  let size = 0
  return {
    get size() {
      return size
    },
    async write(data) {
      const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
      for (let done = 0; done < bytes.length;) {
        if (filled === waiting.length) {
          waiting = Buffer.alloc(pieces.length === 0 ? 64 * 1024 : chunkBytes)
          pieces.push(waiting)
          filled = 0
        }
        const part = bytes.subarray(done, done + waiting.length - filled)
        waiting.set(part, filled)
        filled += part.length
        done += part.length
      }
      size += bytes.length
    },
    async *chunks() {
      for (const piece of pieces) yield piece === waiting ? piece.subarray(0, filled) : piece
    },
    [Symbol.asyncDispose]: async () => void pieces.splice(0),
  }
}
