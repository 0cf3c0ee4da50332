import { StrongroomError } from '../../errors.ts'
import { letGo } from '../let-go.ts'
import type { ReadableFile } from '../readable-file.ts'
import { openHeader, readHeader } from './header.ts'
import type { AgeKeySource } from './keys.ts'
import { chunkBytes, nonceBytes, openChunk, payloadKey, tagBytes } from './payload.ts'

/** What an age file holds, readable at any place: only the chunks that are asked for are decrypted. */
export interface AgeFile extends ReadableFile {
  /** Bytes of what it holds. */
  readonly size: number
}

interface Chunk {
  readonly number: number
  readonly plain: Buffer
}

const sealedBytes = chunkBytes + tagBytes
/** So much is read at a time. */
const chunksAtOnce = 16

/**
 * Opens an age file (https://age-encryption.org/v1) of `size` bytes; `name` is how messages call it. `keys` is asked for what
 * opens it. Throws `archive.key_missing`, `archive.wrong_key`, `archive.truncated`, `archive.damaged`. What is wrong behind
 * the header is thrown by the `read` that begins there; one that begins before it gives what stands before it.
 */
export async function openAge(
  file: ReadableFile,
  size: number,
  name: string,
  keys: AgeKeySource | undefined,
): Promise<AgeFile> {
  const damaged = (reason: string): StrongroomError => new StrongroomError('archive.damaged', { archive: name, reason })
  const cut = (reason: string): StrongroomError => new StrongroomError('archive.truncated', { archive: name, reason })
  const header = await readHeader(file, name)
  const fileKey = await openHeader(header, name, keys)
  const start = header.length + nonceBytes
  const sealedSize = Math.max(0, size - start)
  const lastBytes = sealedSize % sealedBytes
  // A last chunk of nothing is there only where the whole is nothing.
  const isStub = sealedSize === 0 || (lastBytes !== 0 && lastBytes <= tagBytes && sealedSize !== tagBytes)
  const chunks = isStub ? Math.floor(sealedSize / sealedBytes) : Math.ceil(sealedSize / sealedBytes)
  const plainSize = isStub ? chunks * chunkBytes : sealedSize - chunks * tagBytes
  const nonce = Buffer.alloc(nonceBytes)
  await file.read(nonce, 0, nonceBytes, header.length)
  const streamKey = payloadKey(fileKey, nonce)
  // Readers ask for pieces that begin and end within a chunk.
  let kept: Chunk | undefined
  const isLast = (number: number): boolean => number === chunks - 1 && !isStub

  async function readSealed(first: number, count: number): Promise<Buffer> {
    const length = Math.min(count * sealedBytes, sealedSize - first * sealedBytes)
    const sealed = Buffer.allocUnsafe(length)
    const { bytesRead } = await file.read(sealed, 0, length, start + first * sealedBytes)
    if (bytesRead < length) throw cut('it became shorter while it was being read')
    return sealed
  }

  function whyNot(number: number, sealed: Buffer): StrongroomError {
    const from = start + number * sealedBytes
    const isOther = openChunk(streamKey, number, !isLast(number), sealed) !== undefined
    if (isLast(number) && isOther) return cut('it stops between two chunks of its encryption')
    if (isOther) return damaged(`${size - from - sealed.length} bytes follow its end`)
    return damaged(
      isLast(number)
        ? `its last ${sealed.length} bytes are not what was written: it was changed there, cut or added to`
        : `the bytes ${from} to ${from + sealed.length - 1} are not what was written`,
    )
  }

  async function read(buffer: Uint8Array, offset: number, length: number, position: number) {
    const end = Math.min(position + length, plainSize)
    /** Copies what is wanted of a chunk; `at` is how far it has come. */
    const copy = ({ number, plain }: Chunk, at: number): number => {
      const from = at - number * chunkBytes
      const part = plain.subarray(from, from + end - at)
      buffer.set(part, offset + at - position)
      return at + part.length
    }
    let at = position
    if (kept?.number === Math.floor(at / chunkBytes) && at < end) at = copy(kept, at)
    while (at < end) {
      const first = Math.floor(at / chunkBytes)
      const count = Math.min(chunksAtOnce, Math.ceil(end / chunkBytes) - first)
      const sealed = await readSealed(first, count)
      for (let number = first; number < first + count; number += 1) {
        const own = sealed.subarray((number - first) * sealedBytes, (number - first + 1) * sealedBytes)
        const plain = openChunk(streamKey, number, isLast(number), own)
        if (plain === undefined) {
          if (at > position) return { bytesRead: at - position }
          throw whyNot(number, own)
        }
        if (kept !== undefined) letGo(kept.plain)
        kept = { number, plain }
        at = copy(kept, at)
      }
      letGo(sealed)
    }
    if (at <= position && length > 0) await assertEnd()
    return { bytesRead: Math.max(0, at - position) }
  }

  /** Where there is nothing to read, nothing has shown yet that it is the end. */
  async function assertEnd(): Promise<void> {
    if (isStub) throw cut('it stops within a chunk of its encryption')
    if (plainSize > 0) return
    const sealed = await readSealed(0, 1)
    if (openChunk(streamKey, 0, true, sealed) === undefined) throw whyNot(0, sealed)
  }

  return { size: plainSize, read }
}
