import { argon2, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { StrongroomError } from '../errors.ts'
import { assertSecret } from './laws.ts'

const deriveArgon2 = promisify(argon2)
const derivePbkdf2 = promisify(pbkdf2)

/** The second recommended choice of RFC 9106, section 4: 64 MiB (memory is in KiB), three passes, four lanes. */
const cost = { memory: 65_536, passes: 3, parallelism: 4 } as const
const saltBytes = 16
const hashBytes = 32

/** What a stored hash may ask for at most; a hash that asks for more matches no password and is never computed. */
const limits = { iterations: 10_000_000, memory: 1_048_576, passes: 64, parallelism: 64, hashBytes: 64 } as const

/**
 * The hash of a new password, argon2id in the form that Django's hasher reads and writes:
 * `argon2$argon2id$v=19$m=65536,t=3,p=4$salt$hash`, the last two in base64 without padding. Throws `user.empty_password`,
 * `text.nul`, `text.surrogate`.
 */
export async function hashPassword(password: string): Promise<string> {
  if (password === '') throw new StrongroomError('user.empty_password')
  assertSecret('password', password)
  const salt = randomBytes(saltBytes)
  const hash = await deriveArgon2('argon2id', { message: password, nonce: salt, tagLength: hashBytes, ...cost })
  const parameters = `m=${cost.memory},t=${cost.passes},p=${cost.parallelism}`
  return `argon2$argon2id$v=19$${parameters}$${unpadded(salt)}$${unpadded(hash)}`
}

/** A hash that no password matches, as Django marks accounts without one. */
export const unusablePassword = (): string => `!${randomBytes(30).toString('base64url')}`

/**
 * Whether a password is the one of a stored hash: argon2id in Django's form, or Django's `pbkdf2_sha256$iterations$salt$hash`.
 * Any other hash, one that begins with `!`, and one beyond the limits match nothing.
 */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [algorithm, ...rest] = stored.split('$')
  if (algorithm === 'argon2') return verifyArgon2(password, rest)
  if (algorithm === 'pbkdf2_sha256') return verifyPbkdf2(password, rest)
  return false
}

async function verifyPbkdf2(password: string, parts: readonly string[]): Promise<boolean> {
  const [iterationsText = '', salt = '', hashText = ''] = parts
  const iterations = wholeNumber(iterationsText, limits.iterations)
  const expected = decode(hashText)
  if (parts.length !== 3 || iterations === undefined || salt === '' || expected?.length !== hashBytes) return false
  return timingSafeEqual(await derivePbkdf2(password, salt, iterations, hashBytes, 'sha256'), expected)
}

async function verifyArgon2(password: string, parts: readonly string[]): Promise<boolean> {
  const [type, version, costs = '', saltText = '', hashText = ''] = parts
  if (parts.length !== 5 || type !== 'argon2id' || version !== 'v=19') return false
  const [, memoryText = '', passesText = '', parallelismText = ''] = /^m=(\d+),t=(\d+),p=(\d+)$/.exec(costs) ?? []
  const memory = wholeNumber(memoryText, limits.memory)
  const passes = wholeNumber(passesText, limits.passes)
  const parallelism = wholeNumber(parallelismText, limits.parallelism)
  const salt = decode(saltText)
  const expected = decode(hashText)
  if (memory === undefined || passes === undefined || parallelism === undefined) return false
  if (salt === undefined || expected === undefined) return false
  // The bounds of RFC 9106, section 3.1, beyond which the function would throw.
  if (memory < 8 * parallelism || salt.length < 8 || expected.length < 4 || expected.length > limits.hashBytes)
    return false
  const parameters = { message: password, nonce: salt, memory, passes, parallelism, tagLength: expected.length }
  return timingSafeEqual(await deriveArgon2('argon2id', parameters), expected)
}

function wholeNumber(text: string, limit: number): number | undefined {
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined
  const number = Number(text)
  return number <= limit ? number : undefined
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')

const decode = (text: string): Buffer | undefined =>
  /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined

/** What a stored hash is good for: `checkable` here, `unusable` on purpose, or of a kind that this program cannot check. */
export function describeHash(stored: string): 'checkable' | 'unusable' | 'unknown' {
  if (stored.startsWith('!')) return 'unusable'
  const [algorithm, iterations = ''] = stored.split('$')
  if (algorithm === 'pbkdf2_sha256')
    return wholeNumber(iterations, limits.iterations) === undefined ? 'unknown' : 'checkable'
  return algorithm === 'argon2' ? 'checkable' : 'unknown'
}
