import { constants } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { Option } from 'commander'
import type { Command } from 'commander'
import { StrongroomError } from '../../errors.ts'
import type { Encryption } from '../../operations/backup/encryption.ts'
import { isAge, openHeader, readHeader } from '../../std/age/header.ts'
import {
  isSecretKey,
  parseKeyFile,
  parseRecipients,
  recipientsOf,
  whyNoRecipient,
  type AgeKeys,
  type AgeKeySource,
} from '../../std/age/keys.ts'
import { onFile } from '../../std/files.ts'
import { display } from '../../std/text.ts'
import { readNewPassphrase, readPassphrase } from '../password.ts'
import type { Session } from '../session.ts'
import { eachOf } from './each-of.ts'

/** Far above any key file, far below what could fill the memory. */
const longestFile = 1024 * 1024

/** What every command that reads archives is told of keys. */
export interface KeyOptions {
  readonly keyFile: readonly string[]
}

/** Adds `--key-file`. */
export const withKeyFile = (command: Command): Command =>
  command.addOption(
    new Option(
      '--key-file <file>',
      'of an encrypted archive: a file with its key, AGE-SECRET-KEY-1…, or its passphrase; may be given several times',
    )
      .argParser(eachOf)
      .default([], 'STRONGROOM_KEY_FILE'),
  )

/**
 * What opens the archives of a command: the key files that were named, or that of STRONGROOM_KEY_FILE, or a passphrase that is
 * asked for once at a terminal. Nothing is read or asked before an archive turns out to be encrypted.
 */
export function archiveKeys(command: string, options: KeyOptions, session: Session): AgeKeySource {
  for (const path of options.keyFile) assertPath(path, command)
  let read: Promise<AgeKeys | undefined> | undefined
  let typed: Promise<AgeKeys> | undefined
  return async ({ name, byPassphrase }) => {
    read ??= readKeyFiles(options.keyFile, session)
    const keys = await read
    if (keys !== undefined) return keys
    if (!byPassphrase || session.terminal.stdin.isTTY !== true || name === 'standard input') return undefined
    typed ??= readPassphrase(session.terminal, display(name)).then((text) => ({ identities: [], passphrases: [text] }))
    return typed
  }
}

/**
 * Asks for what opens an archive, and tries it, before the command locks or makes anything. Whatever else is wrong with the
 * file is left to who reads it. Throws `archive.key_missing`, `archive.wrong_key`, `key.unusable`.
 */
export async function tryKeys(path: string, keys: AgeKeySource): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
  if (file === undefined) return
  try {
    const start = Buffer.alloc(64)
    if (!(await file.stat()).isFile()) return
    await onFile(path, 'read', () => file.read(start, 0, start.length, 0))
    if (isAge(start)) await openHeader(await readHeader(file, path), path, keys)
  } finally {
    await file.close()
  }
}

async function readKeyFiles(named: readonly string[], session: Session): Promise<AgeKeys | undefined> {
  const ofEnvironment = (await session.app()).keyFile
  const paths =
    named.length > 0 ? named.map((path) => session.path(path)) : ofEnvironment === undefined ? [] : [ofEnvironment]
  if (paths.length === 0) return undefined
  const all = await Promise.all(paths.map(readKeyFile))
  return {
    identities: all.flatMap(({ identities }) => identities),
    passphrases: all.flatMap(({ passphrases }) => passphrases),
  }
}

const readKeyFile = async (path: string): Promise<AgeKeys> => parseKeyFile(await readText(path), path)

async function readText(path: string): Promise<string> {
  return onFile(path, 'read', async () => {
    if ((await stat(path)).size > longestFile)
      throw new StrongroomError('key.unusable', { path, reason: 'it is too long.' })
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      throw new StrongroomError('key.unusable', { path, reason: 'it is not UTF-8.' })
    }
  })
}

/** A key in the place of its file would stand in messages; it stands in the list of processes already. */
function assertPath(path: string, command: string): void {
  if (!isSecretKey(path)) return
  const reason = '--key-file names a file: a key on the command line is seen by every user of this machine.'
  throw new StrongroomError('usage.invalid', { command, reason })
}

/** What `backup` is told of encryption. */
export interface EncryptOptions {
  readonly encrypt?: boolean
  readonly keyFile?: string
  readonly recipient: readonly string[]
  readonly recipientsFile: readonly string[]
}

/** Adds the options of `EncryptOptions`. */
export const withEncryption = (command: Command): Command =>
  command
    .option('--encrypt', 'encrypt it, with the key of --key-file or a passphrase that is asked for')
    .option('--key-file <file>', 'encrypt it so that this file opens it: AGE-SECRET-KEY-1… or a passphrase')
    .addOption(
      new Option('--recipient <age1…>', 'encrypt it for this public key of age; may be given several times')
        .argParser(eachOf)
        .default([], 'none'),
    )
    .addOption(
      new Option('--recipients-file <file>', 'the same for every line of a file').argParser(eachOf).default([], 'none'),
    )

/** Whom a backup is to be encrypted for; undefined where it is not to be. Asks for a passphrase where nothing else is named. */
export async function encryptionOf(options: EncryptOptions, session: Session): Promise<Encryption | undefined> {
  const { encrypt = false, keyFile, recipient, recipientsFile } = options
  const misused = (reason: string): StrongroomError =>
    new StrongroomError('usage.invalid', { command: 'backup', reason })
  if (recipient.length + recipientsFile.length > 0) {
    if (keyFile !== undefined) throw misused('Encrypt for recipients or with a key file, not both.')
    for (const one of recipient) {
      const reason = await whyNoRecipient(one)
      if (reason !== undefined) throw misused(`--recipient is not usable: ${reason}`)
    }
    const ofFiles = await Promise.all(
      recipientsFile.map(async (path) => parseRecipients(await readText(session.path(path)), session.path(path))),
    )
    const recipients = [...new Set([...recipient, ...ofFiles.flat()])]
    // age itself refuses it: whoever breaks the weaker kind has the archive.
    if (new Set(recipients.map((one) => one.startsWith('age1pq1'))).size > 1)
      throw misused('Recipients that begin with age1pq1 do not go together with others.')
    return { audience: { recipients } }
  }
  if (keyFile !== undefined) assertPath(keyFile, 'backup')
  if (keyFile === undefined && !encrypt) return undefined
  const keys = await readKeyFiles(keyFile === undefined ? [] : [keyFile], session)
  if (keys !== undefined) {
    const [passphrase] = keys.passphrases
    const audience = passphrase === undefined ? { recipients: await recipientsOf(keys.identities) } : { passphrase }
    return { audience, keys }
  }
  if (session.terminal.stdin.isTTY !== true)
    throw misused('--encrypt asks for a passphrase at a terminal; without one, name --key-file or --recipient.')
  const passphrase = await readNewPassphrase(session.terminal, 'backup')
  return { audience: { passphrase }, keys: { identities: [], passphrases: [passphrase] } }
}
