import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { StrongroomError } from '../errors.ts'
import type { Terminal } from './terminal.ts'

// Far above any password, far below what could fill the memory.
const longestLine = 4096

/**
 * A new password: typed twice at a terminal, without echo, or one line of standard input. Never an argument, which other
 * users of the machine could see. Throws `user.empty_password`, `usage.invalid`.
 */
export async function readNewPassword(terminal: Terminal, command: string, username: string): Promise<string> {
  const { stdin } = terminal
  const password =
    stdin.isTTY === true
      ? await typedTwice(terminal, command, `Password for ${username}: `, 'passwords')
      : await lineOf(stdin, command)
  if (password === '') throw new StrongroomError('user.empty_password')
  return password
}

/** A new passphrase, typed twice at a terminal. Throws `usage.invalid`. */
export async function readNewPassphrase(terminal: Terminal, command: string): Promise<string> {
  const passphrase = await typedTwice(terminal, command, 'Passphrase for the archive: ', 'passphrases')
  if (passphrase === '') throw new StrongroomError('usage.invalid', { command, reason: 'The passphrase is empty.' })
  return passphrase
}

/** The passphrase of an archive, typed at a terminal. */
export const readPassphrase = (terminal: Terminal, archive: string): Promise<string> =>
  ask(terminal, `Passphrase of ${archive}: `)

async function typedTwice(terminal: Terminal, command: string, prompt: string, what: string): Promise<string> {
  const first = await ask(terminal, prompt)
  if (first === '') return first
  const second = await ask(terminal, 'The same again: ')
  if (first !== second) throw new StrongroomError('usage.invalid', { command, reason: `The two ${what} differ.` })
  return first
}

function ask({ stdin, stderr, signal }: Terminal, prompt: string): Promise<string> {
  // The line editor writes what is typed to its output; this one shows nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const editor = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  stderr.write(prompt)
  return new Promise<string>((resolve, reject) => {
    const interrupted = () => reject(new StrongroomError('program.interrupted', { signal: 'SIGINT' }))
    // In raw mode Ctrl-C is a key, not a signal.
    editor.once('SIGINT', interrupted)
    editor.once('close', () => resolve(''))
    editor.once('line', resolve)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  }).finally(() => {
    editor.close()
    stderr.write('\n')
  })
}

async function lineOf(stdin: Terminal['stdin'], command: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array | string)
    const end = bytes.indexOf(0x0a)
    chunks.push(end === -1 ? bytes : bytes.subarray(0, end))
    length += bytes.length
    if (end !== -1) break
    if (length > longestLine)
      throw new StrongroomError('usage.invalid', { command, reason: 'The line with the password is too long.' })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)).replace(/\r$/, '')
  } catch (cause) {
    throw new StrongroomError(
      'usage.invalid',
      { command, reason: 'The password on standard input is not UTF-8.' },
      { cause },
    )
  }
}
