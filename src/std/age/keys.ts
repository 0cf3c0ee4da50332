/** Keys as people keep them. A secret never becomes part of a message. */
import { StrongroomError } from '../../errors.ts'

/** What may open a file; all are tried. */
export interface AgeKeys {
  /** `AGE-SECRET-KEY-1…` */
  readonly identities: readonly string[]
  readonly passphrases: readonly string[]
  /** The file key itself, of a file that this process has written. */
  readonly fileKey?: Uint8Array
}

/** Whom a file is encrypted for: recipients (`age1…`), one at least, or who knows the passphrase. */
export type AgeAudience = { readonly recipients: readonly string[] } | { readonly passphrase: string }

/** Asked when a file turns out to be encrypted. Gives undefined where there is no key. */
export type AgeKeySource = (need: {
  /** How messages name the file. */
  readonly name: string
  /** Whether a passphrase opens it; else an identity does. */
  readonly byPassphrase: boolean
}) => Promise<AgeKeys | undefined>

const secretStart = /^AGE-SECRET-KEY-/i
/** X25519, and the hybrid with ML-KEM-768 that newer versions of age have. */
const recipientForm = /^age1(?:pq1)?[02-9ac-hj-np-z]+$/
const identityForm = /^AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]+$/

/** True for what is a secret key by its beginning. */
export const isSecretKey = (text: string): boolean => secretStart.test(text.trim())

/**
 * What a key file holds: identities, one a line with `#` for comments, as age-keygen writes them; else one line that is a
 * passphrase. Throws `key.unusable`, which names the path alone.
 */
export async function parseKeyFile(text: string, path: string): Promise<AgeKeys> {
  const lines = linesOf(text)
  if (lines.some(isSecretKey)) {
    for (const identity of lines)
      if (!identityForm.test(identity) || !(await isUsable(identity)))
        throw unusable(path, 'a line in it is no secret key of age (AGE-SECRET-KEY-1…).')
    return { identities: lines, passphrases: [] }
  }
  const passphrase = text.replace(/\r?\n$/, '')
  const reason =
    passphrase === ''
      ? 'it is empty.'
      : lines[0]?.startsWith('age-encryption.org/') === true || lines[0] === '-----BEGIN AGE ENCRYPTED FILE-----'
        ? 'it is encrypted itself; decrypt it first: age -d.'
        : lines[0]?.startsWith('-----BEGIN') === true
          ? 'keys of SSH and others are not understood, only those of age (AGE-SECRET-KEY-1…).'
          : lines.length > 0 && lines.every((line) => line.startsWith('age1'))
            ? 'it holds recipients (age1…), which encrypt; the secret key is the one that begins with AGE-SECRET-KEY-1.'
            : /[\r\n\0]/.test(passphrase)
              ? 'it holds neither keys of age (AGE-SECRET-KEY-1…) nor a passphrase, which is one line.'
              : undefined
  if (reason !== undefined) throw unusable(path, reason)
  return { identities: [], passphrases: [passphrase] }
}

/** The recipients in a file, one a line with `#` for comments. Throws `key.unusable`. */
export async function parseRecipients(text: string, path: string): Promise<string[]> {
  const lines = linesOf(text)
  if (lines.length === 0) throw unusable(path, 'it names no recipient (age1…).')
  for (const line of lines) {
    const reason = await whyNoRecipient(line)
    if (reason !== undefined) throw unusable(path, reason)
  }
  return lines
}

/** Why nothing can be encrypted for it; undefined for a recipient. Does not repeat what was given. */
export async function whyNoRecipient(text: string): Promise<string | undefined> {
  if (isSecretKey(text))
    return 'a secret key stands where a recipient (age1…) is wanted; age-keygen -y shows its recipient.'
  if (!recipientForm.test(text)) return 'a recipient is a public key of age, age1….'
  const { Encrypter } = await import('age-encryption')
  try {
    new Encrypter().addRecipient(text)
    return undefined
  } catch {
    return 'a recipient is misspelt: its checksum is wrong.'
  }
}

/** The recipients that these identities belong to. */
export async function recipientsOf(identities: readonly string[]): Promise<string[]> {
  const { identityToRecipient } = await import('age-encryption')
  return Promise.all(identities.map((identity) => identityToRecipient(identity)))
}

async function isUsable(identity: string): Promise<boolean> {
  const { Decrypter } = await import('age-encryption')
  try {
    new Decrypter().addIdentity(identity)
    return true
  } catch {
    return false
  }
}

const linesOf = (text: string): string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))

const unusable = (path: string, reason: string): StrongroomError =>
  new StrongroomError('key.unusable', { path, reason })
