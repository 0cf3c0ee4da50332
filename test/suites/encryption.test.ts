import { spawn, spawnSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { run } from '../../src/cli/run.ts'
import { readConfig } from '../../src/config.ts'
import type { BackupReport } from '../../src/contract/backup-report.ts'
import type { PruneReport } from '../../src/contract/prune-report.ts'
import { createCommandInstance, type CommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases } from '../support/databases.ts'
import { fillEverything } from '../support/everything.ts'
import { hasProgram, needs } from '../support/needs.ts'
import { packPapermerge, papermerge } from '../support/odd-archives.ts'
import { everything } from '../support/restoring.ts'
import { fillSmall, temporaryFolder } from '../support/small-instance.ts'
import { collectText } from '../support/workplace.ts'

const isAgeThere = needs('age', hasProgram('age'), 'encryption both ways with the age program')
const program = join(import.meta.dirname, '../../src/main.ts')

let owned: Awaited<ReturnType<typeof temporaryFolder>>
let folder: string
let identity: string
let recipient: string
const at = (name: string): string => join(folder, name)

/** A small instance, its archive for the recipient, and the same in the clear. */
let small: CommandInstance
let sealed: string
let plain: string

beforeAll(async () => {
  owned = await temporaryFolder()
  folder = owned.path
  identity = await generateX25519Identity()
  recipient = await identityToRecipient(identity)
  await writeFile(at('key'), `# mine\n${identity}\n`)
  await writeFile(at('other'), `${await generateX25519Identity()}\n`)
  await writeFile(at('recipients'), `# for\n${recipient}\n`)
  await writeFile(at('passphrase'), 'correct horse battery\n')
  small = await createCommandInstance(databases[0]!)
  await fillSmall(small)
  sealed = at('sealed.tar.gz.age')
  plain = at('plain.tar.gz')
  await small.report(['backup', sealed, '--recipient', recipient])
  await small.report(['backup', plain])
})

afterAll(async () => {
  await small[Symbol.asyncDispose]()
  await owned[Symbol.asyncDispose]()
})

const key = (): string[] => ['--key-file', at('key')]

async function codeOf(args: readonly string[], options: Parameters<typeof runCommand>[1] = {}) {
  const { exitCode, stdout, stderr } = await runCommand(['--json', '--data', at('nowhere'), ...args], options)
  const { error } = JSON.parse(stdout) as { error?: { code: string } }
  expect(stdout + stderr).not.toContain(identity)
  expect(stdout + stderr).not.toContain('correct horse')
  return [exitCode, error?.code]
}

describe.each(databases)('on $name an encrypted backup', (kind) => {
  test('is restored as it was, by key and for several recipients', async () => {
    await using instance = await createCommandInstance(kind)
    await fillEverything(instance)
    const other = await identityToRecipient(await generateX25519Identity())
    const options = ['--recipients-file', at('recipients'), '--recipient', other]
    const { archive, encrypted, verified } = await instance.report<BackupReport>([
      'backup',
      `${at(kind.name)}/`,
      ...options,
    ])
    expect({ encrypted, verified }).toEqual({ encrypted: true, verified: true })
    expect(archive).toMatch(/\/strongroom-\d{8}T\d{6}Z\.tar\.gz\.age$/)
    await using copy = await createCommandInstance(kind)
    const refused = await copy.run(['--json', 'restore', archive])
    expect([refused.exitCode, refused.stdout]).toEqual([8, expect.stringContaining('archive.key_missing')])
    await copy.report(['restore', archive, ...key()])
    expect(await everything(copy)).toEqual(await everything(instance))
    expect(await instance.report(['compare', archive, ...key()])).toMatchObject({ equal: true })
  }, 60_000)
})

test('a passphrase is typed twice to encrypt, and once to open', async () => {
  const one = at('passphrase.age')
  const typed = (args: readonly string[], ...lines: readonly string[]) => atTerminal([...dataOf(small), ...args], lines)
  const backup = await typed(['backup', one, '--encrypt'], 'correct horse\r', 'correct horse\r')
  expect(backup.exitCode, backup.stderr).toBe(0)
  expect(backup.stderr).toContain('Passphrase for the archive: \nThe same again: \n')
  const verify = await typed(['verify', one], 'correct horse\r')
  expect(verify.exitCode, verify.stderr).toBe(0)
  expect(verify.stderr).toContain(`Passphrase of ${one}: \n`)
  const wrong = await typed(['verify', one], 'wrong horse\r')
  expect(wrong.exitCode, wrong.stderr).toBe(8)
  expect(wrong.stderr).toContain('archive.wrong_key')
  for (const { stdout, stderr } of [backup, verify, wrong]) expect(stdout + stderr).not.toContain('horse')
  // Standard input that carries the archive is not where a passphrase comes from.
  expect(await codeOf(['verify', '-'], { stdin: createReadStream(one) })).toEqual([8, 'archive.key_missing'])
}, 60_000)

test('two different passphrases, or none, encrypt nothing', async () => {
  for (const lines of [
    ['a\r', 'b\r'],
    ['\r', '\r'],
  ]) {
    const { exitCode, stderr } = await atTerminal([...dataOf(small), 'backup', at('none.age'), '--encrypt'], lines)
    expect(exitCode, stderr).toBe(2)
  }
  const without = await small.run(['--json', 'backup', at('none.age'), '--encrypt'])
  expect([without.exitCode, without.stdout]).toEqual([2, expect.stringContaining('usage.invalid')])
  expect(await readdir(folder)).not.toContain('none.age')
})

test('a key file encrypts, and opens what it encrypted; so does the one of the environment', async () => {
  const environment = { STRONGROOM_KEY_FILE: at('key') }
  await small.report(['backup', at('a.age'), '--key-file', at('key')])
  await small.report(['backup', at('b.age'), '--encrypt'], { environment })
  await small.report(['backup', at('not.tar.gz')], { environment })
  expect((await readFile(at('not.tar.gz')))[0]).toBe(0x1f)
  for (const name of ['a.age', 'b.age'])
    expect((await runCommand(['verify', at(name)], { environment })).exitCode).toBe(0)
})

test('a backup to standard output is encrypted, and restored from standard input', async () => {
  const { exitCode, stdoutBytes } = await small.run(['backup', '-', '--recipient', recipient])
  expect(exitCode).toBe(0)
  expect(stdoutBytes.subarray(0, 21).toString()).toBe('age-encryption.org/v1')
  const inspected = await runCommand(['--json', 'inspect', '-', ...key()], { stdin: stdoutBytes })
  expect(JSON.parse(inspected.stdout)).toMatchObject({ encrypted: true, documents: 1, reading: 'part' })
})

describe.runIf(isAgeThere)('the age program', () => {
  test('opens a backup, and tar reads what is in it', async () => {
    const { status, stdout } = spawnSync('age', ['-d', '-i', at('key'), sealed], { maxBuffer: 1 << 26 })
    expect(status).toBe(0)
    const { stdout: names } = spawnSync('tar', ['tz'], { input: stdout })
    expect(names.toString().split('\n')[0]).toBe('backup.json')
  })

  test('makes archives that are verified, extracted and restored', async () => {
    spawnSync('age', ['-r', recipient, '-o', at('theirs.age'), plain])
    expect((await runCommand(['verify', at('theirs.age'), ...key()])).exitCode).toBe(0)
    await runCommand(['extract', at('theirs.age'), '--to', at('out'), ...key()])
    expect((await readdir(at('out'))).toSorted()).toEqual(['ada', 'root'])
    // Node throws away what a child that has ended wrote, where nobody reads it yet.
    const stdin = spawn('age', ['-r', recipient, plain]).stdout.pipe(new PassThrough())
    expect((await runCommand(['verify', '-', ...key()], { stdin })).exitCode).toBe(0)
  })

  test('makes an archive of what Papermerge wrote, which is restored', async () => {
    const { user, folder: papers } = papermerge
    await packPapermerge(at('old.tar.gz'), [user({ nodes: [papers('.inbox/'), papers('.home/')] })])
    spawnSync('age', ['-r', recipient, '-o', at('old.age'), at('old.tar.gz')])
    await using copy = await createCommandInstance(databases[0]!)
    expect(await copy.report(['restore', at('old.age'), ...key()])).toMatchObject({ users: 1 })
  })
})

describe('without its key an archive', () => {
  test.each(['verify', 'inspect', 'extract --to x', 'drill'])('is not opened by %s', async (words) => {
    const args = [...words.split(' '), sealed]
    expect(await codeOf(args)).toEqual([8, 'archive.key_missing'])
    expect(await codeOf([...args, '--key-file', at('other')])).toEqual([8, 'archive.wrong_key'])
    expect(await codeOf([...args, '--key-file', at('passphrase')])).toEqual([8, 'archive.wrong_key'])
    expect(await codeOf([...args, '--key-file', at('absent')])).toEqual([6, 'file.not_found'])
    expect(await codeOf([...args, '--key-file', at('recipients')])).toEqual([4, 'key.unusable'])
  })

  test('leaves the instance as it was, and drill says that it could not be done', async () => {
    const before = await everything(small)
    for (const command of ['restore', 'drill']) {
      const { exitCode, stdout } = await small.run(['--json', command, sealed, '--key-file', at('other')])
      expect([exitCode, stdout]).toEqual([8, expect.stringContaining('archive.wrong_key')])
    }
    expect(await everything(small)).toEqual(before)
    const drill = await small.run(['--json', 'drill', sealed, ...key()])
    expect(JSON.parse(drill.stdout)).toMatchObject({ outcome: 'proved' })
  }, 30_000)

  test('is no reason to make an instance', async () => {
    const migrate = ['restore', sealed, '--migrate', '--data', at('not-made')]
    expect(await codeOf(migrate)).toEqual([8, 'archive.key_missing'])
    expect(await codeOf([...migrate, '--key-file', at('other')])).toEqual([8, 'archive.wrong_key'])
    expect(await readdir(folder)).not.toContain('not-made')
  })

  test('is opened by any of several key files', async () => {
    expect((await runCommand(['verify', sealed, '--key-file', at('other'), ...key()])).exitCode).toBe(0)
  })
})

describe('a secret', () => {
  test('on the command line is refused and not repeated', async () => {
    const { exitCode, stdout, stderr } = await small.run(['--json', 'backup', at('no.age'), '--recipient', identity])
    expect(exitCode).toBe(2)
    expect(stdout + stderr).not.toContain(identity)
    expect(await codeOf(['verify', sealed, '--key-file', identity])).toEqual([2, 'usage.invalid'])
    expect(await codeOf(['backup', at('no.age'), '--key-file', identity])).toEqual([2, 'usage.invalid'])
    const hybrid = await identityToRecipient(await generateHybridIdentity())
    const mixed = ['backup', at('no.age'), '--recipient', recipient, '--recipient', hybrid]
    expect(await codeOf(mixed)).toEqual([2, 'usage.invalid'])
    const both = ['backup', at('no.age'), '--recipient', recipient, '--key-file', at('key')]
    expect(await codeOf(both)).toEqual([2, 'usage.invalid'])
  })

  test('is in no report, no audit and no drill', async () => {
    const texts = [(await small.run(['audit', '--json'])).stdout]
    for (const name of await readdir(small.dataDirectory, { recursive: true }))
      if (/\.(json|txt)$/.test(name)) texts.push(await readFile(join(small.dataDirectory, name), 'utf8'))
    expect(texts.length).toBeGreaterThan(2)
    for (const text of texts) {
      expect(text).not.toContain(identity)
      expect(text).not.toContain('correct horse')
    }
  })
})

test('damage is told from a wrong key, and changes nothing', async () => {
  const bytes = await readFile(sealed)
  const start = bytes.indexOf('\n', bytes.indexOf('\n--- ') + 1) + 17
  await using copy = await createCommandInstance(databases[0]!)
  const before = await everything(copy)
  for (const [name, broken] of [
    [
      'flipped',
      Buffer.concat([bytes.subarray(0, start + 100), Buffer.of(bytes[start + 100]! ^ 1), bytes.subarray(start + 101)]),
    ],
    ['cut', bytes.subarray(0, -10)],
    ['longer', Buffer.concat([bytes, Buffer.from('x')])],
  ] as const) {
    await writeFile(at('broken.age'), broken)
    const verified = await runCommand(['--json', 'verify', at('broken.age'), ...key()])
    expect(verified.exitCode, name + verified.stdout).toBe(4)
    const restored = await copy.run(['--json', 'restore', at('broken.age'), ...key()])
    expect(restored.exitCode, name).toBe(4)
  }
  expect(await everything(copy)).toEqual(before)
})

describe('prune', () => {
  const noon = (day: number): { environment: { SOURCE_DATE_EPOCH: string } } => ({
    environment: { SOURCE_DATE_EPOCH: String(Date.parse(`2026-11-2${day}T12:00:00Z`) / 1000) },
  })
  const prune = async (...args: readonly string[]) =>
    runCommand(['--json', 'prune', at('kept'), '--keep-last', '1', ...args])

  test('proves the newest with the key, and removes nothing without it', async () => {
    for (const day of [1, 2, 3]) await small.report(['backup', `${at('kept')}/`, '--recipient', recipient], noon(day))
    const names = (await readdir(at('kept'))).toSorted()
    for (const [options, code] of [
      [[], 'archive.key_missing'],
      [['--key-file', at('other')], 'archive.wrong_key'],
    ] as const) {
      const { exitCode, stdout } = await prune(...options)
      expect([exitCode, stdout]).toEqual([8, expect.stringContaining(code)])
    }
    const newest = join(at('kept'), names[2]!)
    await copyFile(newest, at('newest'))
    await writeFile(newest, (await readFile(newest)).subarray(0, -20))
    const unsound = await prune(...key())
    expect([unsound.exitCode, unsound.stdout]).toEqual([4, expect.stringContaining('archive.damaged')])
    expect((await readdir(at('kept'))).toSorted()).toEqual(names)
    await copyFile(at('newest'), newest)
    const { exitCode, stdout } = await prune(...key())
    expect(exitCode, stdout).toBe(0)
    expect((JSON.parse(stdout) as PruneReport).verified).toEqual([names[2]])
    expect(await readdir(at('kept'))).toEqual([names[2]])
  })
})

test('what is read of an encrypted archive without an instance touches no disk', async () => {
  const env = { PATH: process.env['PATH'], TMPDIR: at('no-such-folder') }
  for (const args of [
    ['verify', sealed],
    ['inspect', sealed, '--find', 'second'],
    ['compare', sealed, sealed],
    ['extract', sealed, '--to', at('rescued')],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [program, ...args, ...key()], { env })
    expect(status, args[0] + stderr.toString()).toBe(0)
  }
  // One in the clear does need a disk.
  expect(spawnSync(process.execPath, [program, 'verify', plain], { env }).status).toBe(8)
})

test('STRONGROOM_SCRATCH names a folder for it', async () => {
  const environment = { STRONGROOM_SCRATCH: at('absent') }
  expect(await codeOf(['verify', sealed, ...key()], { environment })).toEqual([8, 'file.denied'])
  expect(await codeOf(['verify', sealed, ...key()], { environment: { STRONGROOM_SCRATCH: folder } })).toEqual([
    0,
    undefined,
  ])
})

test('an archive in the form of age for e-mail is refused by its name', async () => {
  await writeFile(at('armor.age'), '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n')
  expect(await codeOf(['verify', at('armor.age')])).toEqual([4, 'archive.not_an_archive'])
})

const dataOf = ({ dataDirectory }: CommandInstance): string[] => ['--data', dataDirectory]

/** Runs a command at a terminal at which these lines are typed, one after each prompt. */
async function atTerminal(args: readonly string[], lines: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin })
  const stdout = collectText()
  const stderr = new PassThrough()
  const shown: string[] = []
  const waiting = [...lines]
  stderr.on('data', (chunk: Buffer) => {
    shown.push(chunk.toString())
    if (chunk.toString().endsWith(': ')) setImmediate(() => stdin.write(waiting.shift() ?? '\u0004'))
  })
  const exitCode = await run(args, {
    stdin,
    stdout: stdout.stream,
    stderr,
    workingDirectory: folder,
    signal: new AbortController().signal,
    openApp: async (given) => createApp(readConfig({}, given, folder)),
  })
  return { exitCode, stdout: stdout.text(), stderr: shown.join('') }
}
