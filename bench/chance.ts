import { createCipheriv } from 'node:crypto'

/** The same numbers for the same seed. */
export interface Chance {
  bytes(length: number): Buffer
  /** A whole number of 0 to `limit` - 1. */
  below(limit: number): number
}

/** From AES in counter mode, which makes a gigabyte a second. */
export function createChance(seed: number): Chance {
  const key = Buffer.alloc(16)
  key.writeInt32LE(seed)
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  const bytes = (length: number): Buffer => cipher.update(Buffer.alloc(length))
  return { bytes, below: (limit) => bytes(4).readUInt32LE() % limit }
}
