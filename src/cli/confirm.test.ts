import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { confirm } from './confirm.ts'
import type { Terminal } from './terminal.ts'

const terminalOf = (stdin: Terminal['stdin'], stderr: Terminal['stderr']): Terminal => ({
  stdin,
  stdout: new PassThrough(),
  stderr,
  workingDirectory: '/',
  signal: new AbortController().signal,
  openApp: () => Promise.reject(new Error('not needed')),
})

/** A terminal at which this is typed when the question has been asked. */
function answered(typed: string) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin })
  const stderr = new PassThrough()
  let shown = ''
  stderr.on('data', (chunk: Buffer) => {
    const wasAsked = shown.includes('[y/N] ')
    shown += chunk.toString()
    if (!wasAsked && shown.includes('[y/N] ')) setImmediate(() => stdin.write(typed))
  })
  return confirm(terminalOf(stdin, stderr), 'Remove 3 documents?')
}

test.each(['y\r', 'Y\r', 'yes\r', ' Yes \r'])('%j agrees', async (typed) => {
  expect(await answered(typed)).toBe(true)
})

test.each(['\r', 'n\r', 'no\r', 'yup\r', '\u0004'])('%j does not agree', async (typed) => {
  expect(await answered(typed)).toBe(false)
})

test('Ctrl-C interrupts', async () => {
  await expect(answered('\u0003')).rejects.toMatchObject({ code: 'program.interrupted' })
})

test('nobody is asked where there is no terminal', async () => {
  const stderr = new PassThrough()
  expect(await confirm(terminalOf(Readable.from(['y\n']), stderr), 'Remove?')).toBe(false)
  expect(stderr.read()).toBeNull()
})
