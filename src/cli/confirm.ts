import { createInterface } from 'node:readline'
import { StrongroomError } from '../errors.ts'
import type { Terminal } from './terminal.ts'

/** Asks a question that "y" or "yes" agrees to. False for any other answer, and where there is no terminal to ask at. */
export async function confirm({ stdin, stderr, signal }: Terminal, question: string): Promise<boolean> {
  if (stdin.isTTY !== true) return false
  const editor = createInterface({ input: stdin, output: stderr, terminal: true, historySize: 0 })
  const answer = await new Promise<string>((resolve, reject) => {
    // In raw mode Ctrl-C is a key, not a signal.
    editor.once('SIGINT', () => reject(new StrongroomError('program.interrupted', { signal: 'SIGINT' })))
    editor.once('close', () => resolve(''))
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    editor.question(`${question} [y/N] `, resolve)
  }).finally(() => editor.close())
  return /^y(?:es)?$/i.test(answer.trim())
}
