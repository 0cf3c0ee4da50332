import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readNewPassword } from './password.ts'
import type { Terminal } from './terminal.ts'

const terminalOf = (stdin: Terminal['stdin'], stderr: Terminal['stderr'] = new PassThrough()): Terminal => ({
  stdin,
  stdout: new PassThrough(),
  stderr,
  workingDirectory: '/',
  signal: new AbortController().signal,
  openApp: () => Promise.reject(new Error('not needed')),
})

const given = (...chunks: readonly (string | Uint8Array)[]) =>
  readNewPassword(terminalOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))), 'user add', 'ada')

/** A terminal at which these lines are typed, one after each prompt. */
function typed(...lines: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin })
  const shown: string[] = []
  const stderr = new PassThrough()
  const waiting = [...lines]
  stderr.on('data', (chunk: Buffer) => {
    shown.push(chunk.toString())
    if (chunk.toString().endsWith(': ')) setImmediate(() => stdin.write(waiting.shift() ?? '\u0004'))
  })
  const password = readNewPassword(terminalOf(stdin, stderr), 'user add', 'ada')
  return { password, shown: () => shown.join('') }
}

test.each([
  ['with a line feed', ['secret\n']],
  ['with a carriage return', ['secret\r\n']],
  ['without an end', ['secret']],
  ['in pieces', ['se', 'cr', 'et\nmore']],
])('a line of standard input is the password: %s', async (_how, chunks) => {
  expect(await given(...chunks)).toBe('secret')
})

test('blanks belong to a password', async () => {
  expect(await given('  two words \n')).toBe('  two words ')
})

test.each([['\n'], ['']])('an empty line of standard input is refused', async (input) => {
  await expect(given(input)).rejects.toMatchObject({ code: 'user.empty_password' })
})

test('bytes that are not UTF-8 are refused', async () => {
  await expect(given(Uint8Array.of(0xff, 0xfe, 0x0a))).rejects.toMatchObject({ code: 'usage.invalid' })
})

test('an endless line is refused', async () => {
  await expect(given('x'.repeat(5000), 'x'.repeat(5000))).rejects.toMatchObject({ code: 'usage.invalid' })
})

test('at a terminal the password is typed twice and never shown', async () => {
  const { password, shown } = typed('secret\r', 'secret\r')
  expect(await password).toBe('secret')
  expect(shown()).toBe('Password for ada: \nThe same again: \n')
})

test('two different passwords are refused', async () => {
  await expect(typed('secret\r', 'sceret\r').password).rejects.toMatchObject({ code: 'usage.invalid' })
})

test('Ctrl-C at the prompt interrupts', async () => {
  await expect(typed('\u0003').password).rejects.toMatchObject({ code: 'program.interrupted' })
})
