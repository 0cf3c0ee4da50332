/** The scrypt recipient of age, by the system's scrypt: the library's own would stop everything else for a second. */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { Stanza, type Identity, type Recipient } from 'age-encryption'

// https://github.com/C2SP/C2SP/blob/main/age.md#scrypt-recipient-stanza
const label = 'age-encryption.org/v1/scrypt'
/** What the age program uses: a second and 256 MiB. */
const workFactor = 18
/** 1 GiB of memory; more is no passphrase of a person but an attack on the machine. */
const largestWorkFactor = 20
const saltBytes = 16
const tagBytes = 16

const derive = promisify<string, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
)

const wrappingKey = (passphrase: string, salt: Uint8Array, factor: number): Promise<Buffer> =>
  derive(passphrase, Buffer.concat([Buffer.from(label), salt]), 32, {
    N: 2 ** factor,
    r: 8,
    p: 1,
    maxmem: 2 ** factor * 1024 + 2 ** 25,
  })

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

/** Wraps file keys with a passphrase. It must be the only recipient. */
export const passphraseRecipient = (passphrase: string): Recipient => ({
  async wrapFileKey(fileKey) {
    const salt = randomBytes(saltBytes)
    const key = await wrappingKey(passphrase, salt, workFactor)
    const cipher = createCipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: tagBytes })
    const sealed = Buffer.concat([cipher.update(fileKey), cipher.final()])
    const body = Uint8Array.from(Buffer.concat([sealed, cipher.getAuthTag()]))
    return [new Stanza(['scrypt', base64(salt), String(workFactor)], body)]
  },
})

/** Unwraps file keys with a passphrase. Throws for a stanza that is none, or that asks for too much memory. */
export const passphraseIdentity = (passphrase: string): Identity => ({
  async unwrapFileKey(stanzas) {
    const [type, salt, factor] = stanzas.find(({ args }) => args[0] === 'scrypt')?.args ?? []
    const body = stanzas[0]?.body
    if (type === undefined || body === undefined) return null
    if (stanzas.length !== 1) throw new Error('a passphrase is not its only recipient')
    const saltIn = Buffer.from(salt ?? '', 'base64')
    if (saltIn.length !== saltBytes || !/^[1-9]\d?$/.test(factor ?? '') || body.length !== 16 + tagBytes)
      throw new Error('its passphrase stanza is malformed')
    if (Number(factor) > largestWorkFactor) throw new Error(`its passphrase asks for 2^${factor} rounds of scrypt`)
    const key = await wrappingKey(passphrase, saltIn, Number(factor))
    const decipher = createDecipheriv('chacha20-poly1305', key, Buffer.alloc(12), { authTagLength: tagBytes })
    decipher.setAuthTag(body.subarray(16))
    const fileKey = decipher.update(body.subarray(0, 16))
    try {
      decipher.final()
      return Uint8Array.from(fileKey)
    } catch {
      return null
    }
  },
})
