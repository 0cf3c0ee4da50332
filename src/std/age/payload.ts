/** The payload of an age file: STREAM, chunks of 64 KiB, each sealed with ChaCha20-Poly1305. */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'

// https://github.com/C2SP/C2SP/blob/main/age.md#payload
export const chunkBytes = 64 * 1024
export const tagBytes = 16
export const nonceBytes = 16

const algorithm = 'chacha20-poly1305'

/** The key of a payload, from the 16 bytes of the file key and the nonce before the payload. */
export const payloadKey = (fileKey: Uint8Array, nonce: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32))

/** Eleven bytes that count the chunks, and one that tells the last. */
function nonceOf(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(number, 5, 6)
  if (isLast) nonce[11] = 1
  return nonce
}

/** A chunk of at most 64 KiB as it stands in the file: the sealed bytes, and their tag. */
export function sealChunk(key: Uint8Array, number: number, isLast: boolean, plain: Uint8Array): readonly Buffer[] {
  const cipher = createCipheriv(algorithm, key, nonceOf(number, isLast), { authTagLength: tagBytes })
  const sealed = cipher.update(plain)
  cipher.final()
  return [sealed, cipher.getAuthTag()]
}

/** What a chunk holds; undefined where it is not the one that was sealed with this key as this number. */
export function openChunk(key: Uint8Array, number: number, isLast: boolean, sealed: Uint8Array): Buffer | undefined {
  const split = sealed.length - tagBytes
  const decipher = createDecipheriv(algorithm, key, nonceOf(number, isLast), { authTagLength: tagBytes })
  decipher.setAuthTag(sealed.subarray(split))
  const plain = decipher.update(sealed.subarray(0, split))
  try {
    decipher.final()
    return plain
  } catch {
    return undefined
  }
}
