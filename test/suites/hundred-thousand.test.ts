import { execFile } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { hashesBelow } from '../support/extracting.ts'
import { fillMany, type OneOfMany } from '../support/many-documents.ts'
import { hasProgram, needs } from '../support/needs.ts'
import { serveFile } from '../support/range-server.ts'
import { temporaryFolder } from '../support/small-instance.ts'

const run = promisify(execFile)
const program = join(import.meta.dirname, '../../src/main.ts')
const documents = 100_000
/** What of an archive one document of so many may cost. */
const share = 0.01

const canTrace = needs('strace', hasProgram('strace', '-V'), 'bytes read of a file for one document of 100,000')
const canEncrypt = needs('age', hasProgram('age'), 'one document of 100,000 out of an encrypted archive')

let place: Awaited<ReturnType<typeof temporaryFolder>>
let one: OneOfMany
let archives: readonly {
  readonly name: string
  readonly path: string
  readonly size: number
  readonly key: readonly string[]
}[]

beforeAll(async () => {
  place = await temporaryFolder()
  const plain = join(place.path, 'plain.tar.gz')
  await using instance = await createCommandInstance(databases[0]!)
  one = await fillMany(instance, documents, 10_000)
  await instance.report(['backup', plain, '--no-verify'])
  const sizeOf = async (path: string): Promise<number> => (await stat(path)).size
  archives = [{ name: 'plain', path: plain, size: await sizeOf(plain), key: [] }]
  if (!canEncrypt) return
  const identity = await generateX25519Identity()
  const sealed = join(place.path, 'sealed.tar.gz.age')
  const keyFile = join(place.path, 'key')
  await writeFile(keyFile, `${identity}\n`)
  await run('age', ['-r', await identityToRecipient(identity), '-o', sealed, plain])
  archives = [
    ...archives,
    { name: 'encrypted', path: sealed, size: await sizeOf(sealed), key: ['--key-file', keyFile] },
  ]
}, 1_200_000)
afterAll(() => place[Symbol.asyncDispose]())

let number = 0
const fresh = (): string => join(place.path, `${(number += 1)}`)

/** The ways to ask for the document, and what shows that it came. */
const ways = (): readonly (readonly [
  string,
  (archive: string, key: readonly string[]) => Promise<readonly string[]>,
])[] => [
  ['extract by path', async (archive, key) => ['extract', archive, one.path, '--to', fresh(), ...key]],
  ['extract by id', async (archive, key) => ['extract', archive, '--document', one.id, '--to', fresh(), ...key]],
  ['inspect', async (archive, key) => ['inspect', archive, '--document', one.id, ...key]],
]

async function expectDocument(args: readonly string[], stdout: string): Promise<void> {
  if (args[0] === 'extract') expect(await hashesBelow(args[args.indexOf('--to') + 1]!)).toEqual([one.sha256])
  else expect(stdout).toContain(one.sha256)
}

/** Bytes that a process read of a file, as the kernel saw it. */
async function bytesRead(trace: string): Promise<number> {
  const calls = (await readFile(trace, 'utf8')).matchAll(/\b(?:p?read|p?readv|preadv2?|read|pread64)\(.*\) = (\d+)$/gm)
  return [...calls].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
}

describe('one document of 100,000', () => {
  test.runIf(canTrace)('costs a small part of the archive, read from a file', async () => {
    for (const { name, path, size, key } of archives) {
      for (const [way, argsOf] of ways()) {
        const args = await argsOf(path, key)
        const trace = fresh()
        const calls = 'trace=read,pread64,readv,preadv,preadv2,mmap'
        const { stdout } = await run('strace', [
          '-f',
          '-o',
          trace,
          '-P',
          path,
          '-e',
          calls,
          process.execPath,
          program,
          '--json',
          ...args,
        ])
        await expectDocument(args, stdout)
        const bytes = await bytesRead(trace)
        expect(bytes, `${name}, ${way}`).toBeGreaterThan(1554)
        expect(bytes, `${name}, ${way}, of ${size}`).toBeLessThan(size * share)
      }
    }
  })

  test('costs a small part of the archive, read from a web server', async () => {
    for (const { name, path, size, key } of archives) {
      await using server = await serveFile(path)
      for (const [way, argsOf] of ways()) {
        server.reset()
        const args = await argsOf(`${server.origin}/archive`, key)
        const { stdout } = await run(process.execPath, [program, '--json', ...args])
        await expectDocument(args, stdout)
        expect(server.bytesSent, `${name}, ${way}, of ${size}`).toBeLessThan(size * share)
        expect(server.requests, `${name}, ${way}`).toBeLessThan(40)
      }
    }
  })
})
