import { randomBytes } from 'node:crypto'
import type { Sink } from '../sink.ts'
import { makeHeader } from './header.ts'
import { letGo } from '../let-go.ts'
import type { AgeAudience } from './keys.ts'
import { chunkBytes, nonceBytes, payloadKey, sealChunk, tagBytes } from './payload.ts'

/** Encrypts a stream of bytes into one age file. */
export interface AgeWriter {
  /** Opens the file again before it is forgotten, without the secret key of a recipient. A secret itself. */
  readonly fileKey: Uint8Array
  readonly write: Sink
  /** Ends the file: without it whoever reads it sees that it was cut. */
  finish(): Promise<void>
}

/** So many chunks go out at once. */
const chunksAtOnce = 16

/** `sink` gets the bytes of the file in order, the header first. Memory: about 2 MiB. */
export async function createAgeWriter(sink: Sink, audience: AgeAudience): Promise<AgeWriter> {
  const { header, fileKey } = await makeHeader(audience)
  const nonce = randomBytes(nonceBytes)
  const key = payloadKey(fileKey, nonce)
  await sink([header, nonce])
  const waiting = Buffer.allocUnsafe(chunkBytes)
  let filled = 0
  let number = 0
  const sealed = Buffer.allocUnsafeSlow(chunksAtOnce * (chunkBytes + tagBytes))
  let sealedBytes = 0

  async function seal(isLast: boolean): Promise<void> {
    for (const part of sealChunk(key, number, isLast, waiting.subarray(0, filled))) {
      sealed.set(part, sealedBytes)
      sealedBytes += part.length
      letGo(part)
    }
    number += 1
    filled = 0
    if (sealedBytes < sealed.length && !isLast) return
    const bytes = sealed.subarray(0, sealedBytes)
    sealedBytes = 0
    await sink([bytes])
  }

  return {
    fileKey,
    async write(parts) {
      for (const bytes of parts) {
        for (let done = 0; done < bytes.length;) {
          // Only when more comes is it known that a full chunk is not the last.
          if (filled === chunkBytes) await seal(false)
          const part = bytes.subarray(done, done + chunkBytes - filled)
          waiting.set(part, filled)
          filled += part.length
          done += part.length
        }
      }
    },
    finish: () => seal(true),
  }
}
