/** The header of an age file: who can open it. Written and read by the library age-encryption. */
import { StrongroomError } from '../../errors.ts'
import type { ReadableFile } from '../readable-file.ts'
import { reasonOf } from '../text.ts'
import type { AgeAudience, AgeKeySource } from './keys.ts'
import { nonceBytes, tagBytes } from './payload.ts'

const versionLine = 'age-encryption.org/v1\n'
const fileKeyBytes = 16
/** Thousands of recipients; no header is longer. */
const longestHeader = 1024 * 1024

/** True where the bytes begin an age file. */
export const isAge = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.subarray(0, versionLine.length)).toString('latin1') === versionLine

/** Makes a new file key, and the header that gives it to those it is for. */
export async function makeHeader(
  audience: AgeAudience,
): Promise<{ readonly header: Buffer; readonly fileKey: Buffer }> {
  const { Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  let fileKey: Buffer | undefined
  // A recipient that wraps nothing and learns the key.
  encrypter.addRecipient({
    wrapFileKey(key) {
      fileKey = Buffer.from(key)
      return []
    },
  })
  if ('passphrase' in audience) {
    const { passphraseRecipient } = await import('./passphrase.ts')
    encrypter.addRecipient(passphraseRecipient(audience.passphrase))
  } else for (const recipient of audience.recipients) encrypter.addRecipient(recipient)
  // The file of nothing is a header, a nonce and one tag. The nonce is not used again.
  const file = Buffer.from(await encrypter.encrypt(new Uint8Array()))
  if (fileKey?.length !== fileKeyBytes) throw new TypeError('age-encryption gave no file key')
  return { header: file.subarray(0, file.length - nonceBytes - tagBytes), fileKey }
}

/** Reads the header at the beginning of a file, up to the line with its MAC. Throws `archive.damaged`. */
export async function readHeader(file: ReadableFile, name: string): Promise<Buffer> {
  for (let length = 4096; ; length *= 4) {
    const bytes = Buffer.alloc(length)
    const { bytesRead } = await file.read(bytes, 0, length, 0)
    const mac = bytes.subarray(0, bytesRead).indexOf('\n--- ')
    const end = mac === -1 ? -1 : bytes.subarray(0, bytesRead).indexOf('\n', mac + 1)
    if (end !== -1) return bytes.subarray(0, end + 1)
    if (bytesRead < length)
      throw new StrongroomError('archive.truncated', {
        archive: name,
        reason: 'it stops within the header of its encryption',
      })
    if (length >= longestHeader) throw damaged(name, 'the header of its encryption has no end')
  }
}

/**
 * The file key that a header gives to one of the keys. Throws `archive.key_missing`, `archive.wrong_key`, and
 * `archive.damaged` where the header is not the one that was written. A header that was changed just where it holds the file
 * key cannot be told from a wrong key: nobody can tell, by the design of age.
 */
export async function openHeader(header: Buffer, name: string, source: AgeKeySource | undefined): Promise<Buffer> {
  const byPassphrase = /^-> scrypt /m.test(header.toString('latin1'))
  const how = byPassphrase ? 'a passphrase' : 'a key of age'
  const keys = await source?.({ name, byPassphrase })
  if (keys === undefined) throw new StrongroomError('archive.key_missing', { archive: name, how })
  const { Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  const { fileKey, identities, passphrases } = keys
  // The library still holds the MAC of the header against it.
  if (fileKey !== undefined) decrypter.addIdentity({ unwrapFileKey: () => Uint8Array.from(fileKey) })
  for (const identity of identities) decrypter.addIdentity(identity)
  if (byPassphrase) {
    const { passphraseIdentity } = await import('./passphrase.ts')
    for (const passphrase of passphrases) decrypter.addIdentity(passphraseIdentity(passphrase))
  }
  let noneFits = false
  // The library asks one after the other: this one only where the header is well formed and no key has opened it.
  decrypter.addIdentity({
    unwrapFileKey() {
      noneFits = true
      return null
    },
  })
  try {
    return Buffer.from(await decrypter.decryptHeader(header))
  } catch (cause) {
    if (noneFits) throw new StrongroomError('archive.wrong_key', { archive: name, how }, { cause })
    throw damaged(name, `the header of its encryption is not the one that was written (${reasonOf(cause)})`)
  }
}

const damaged = (archive: string, reason: string): StrongroomError =>
  new StrongroomError('archive.damaged', { archive, reason })
