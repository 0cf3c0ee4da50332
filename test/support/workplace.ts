import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, expect } from 'vitest'
import { runCommand } from './command-line.ts'
import type { CommandOptions } from './command-line.ts'

/** An empty folder for each test of a file, and commands that run in it. */
export function workplace() {
  const here = { folder: '' }

  beforeEach(async () => {
    here.folder = await mkdtemp(join(tmpdir(), 'strongroom-command-line-'))
  })

  afterEach(() => rm(here.folder, { recursive: true, force: true }))

  /** Runs a command line, its words divided by blanks. */
  const strongroom = (words: string | readonly string[], options: CommandOptions = {}) =>
    runCommand(typeof words === 'string' ? words.split(' ') : words, { workingDirectory: here.folder, ...options })

  /** The same, for a command that must succeed. */
  async function done(words: string | readonly string[], options: CommandOptions = {}) {
    const result = await strongroom(words, options)
    expect(result.stderr).toBe('')
    expect(result.exitCode).toBe(0)
    return result
  }

  /** Makes an instance in ./data, with the user ada. */
  async function makeInstance(): Promise<void> {
    await done('migrate')
    await done('user add ada', { stdin: 'a long secret\n' })
  }

  /** The exit code and the error's code of a command that must fail, both for people and for programs. */
  async function failure(words: string | readonly string[], options: CommandOptions = {}) {
    const list = typeof words === 'string' ? words.split(' ') : words
    if (list.includes('--json')) {
      const { exitCode, stdout, stderr } = await strongroom(list, options)
      return { exitCode, code: (JSON.parse(stdout) as { error: { code: string } }).error.code, stderr }
    }
    const people = await strongroom(list, options)
    expect(people.stdout).toBe('')
    const [, message = '', hint = '', code] =
      /^error: (.+)\nwhat to do: (.+)\ncode: (\S+)\n$/m.exec(people.stderr) ?? []
    expect(`${message}${hint}`, people.stderr).not.toMatch(/\{\w+\}/)
    const at = list.includes('--') ? list.indexOf('--') : list.length
    const program = await strongroom([...list.slice(0, at), '--json', ...list.slice(at)], options)
    expect(program.exitCode).toBe(people.exitCode)
    expect(JSON.parse(program.stdout)).toMatchObject({ error: { code } })
    return { exitCode: people.exitCode, code, stderr: people.stderr }
  }

  return { here, strongroom, done, makeInstance, failure }
}

/** An output whose text can be looked at. */
export function collectText() {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
