import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'

const program = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-signals-'))
  await runCommand(['migrate'], { workingDirectory: folder })
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const start = (...args: readonly string[]): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, [program, ...args], { cwd: folder })

/** What the process printed, and how it ended. */
async function end(child: ChildProcessWithoutNullStreams) {
  const stderr: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code, signal, stderr: Buffer.concat(stderr).toString() }
}

/** Sends the beginning of an archive with a large file, more than a pipe holds: resolves when some of it has been read. */
async function sendBeginningOfArchive({ stdin }: ChildProcessWithoutNullStreams): Promise<void> {
  const tar = pack()
  tar.entry({ name: 'docs/large', size: 1 << 30 })
  await once(tar, 'readable')
  const header = tar.read() as Buffer
  const beginning = gzipSync(Buffer.concat([header, randomBytes(1 << 20)]), { finishFlush: constants.Z_SYNC_FLUSH })
  await new Promise<void>((resolve) => stdin.write(beginning, () => resolve()))
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s', (signal, code) => {
  test('ends a command that reads an archive from its input, and leaves nothing behind', async () => {
    const child = start('restore', '-')
    child.stdin.on('error', () => undefined)
    await sendBeginningOfArchive(child)
    child.kill(signal)
    expect(await end(child)).toEqual({
      code,
      signal: null,
      stderr: `error: Ended by ${signal}.\nwhat to do: Nothing was left half done. Run the command again if it is still wanted.\ncode: program.interrupted\n`,
    })
    expect(await readdir(join(folder, 'data', 'tmp'))).toEqual([])
  })
})

test('a reader that goes away ends the command with the exit code of SIGPIPE, and without a word', async () => {
  await runCommand(['user', 'add', 'ada'], { workingDirectory: folder, stdin: 'secret\n' })
  await mkdir(join(folder, 'papers'))
  for (let number = 0; number < 600; number += 1) await writeFile(join(folder, 'papers', `${number}.txt`), `${number}`)
  await runCommand(['import', 'papers', '--user', 'ada'], { workingDirectory: folder })
  const child = start('tree', '--json')
  const ended = end(child)
  await once(child.stdout, 'data')
  child.stdout.destroy()
  expect(await ended).toEqual({ code: 141, signal: null, stderr: '' })
})
