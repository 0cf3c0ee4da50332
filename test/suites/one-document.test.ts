import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { InspectReport } from '../../src/contract/inspect-report.ts'
import { formatPath } from '../../src/domain/paths.ts'
import { createCommandInstance, type CommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases } from '../support/databases.ts'
import { fillEverything } from '../support/everything.ts'
import { extract, hashesBelow } from '../support/extracting.ts'
import { createChance } from '../support/chance.ts'
import { noise } from '../support/fixtures.ts'
import { everything } from '../support/restoring.ts'
import { fillSmall, temporaryFolder } from '../support/small-instance.ts'
import type { Tree } from '../support/tree-report.ts'

let place: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  place = await temporaryFolder()
})
afterAll(() => place[Symbol.asyncDispose]())

let number = 0
const fresh = (): string => join(place.path, `${(number += 1)}`)

/** The same archive compressed again by gzip, which has no places that a directory could name. */
async function recompressed(archive: string): Promise<string> {
  const path = `${fresh()}.tar.gz`
  await promisify(execFile)('bash', ['-c', 'gzip -dc "$1" | gzip -1 > "$2"', 'bash', archive, path])
  return path
}

interface Shown {
  readonly exitCode: number
  readonly shown: unknown
}

/** What a command says of an archive, but for the name of the archive and what it says of how it was read. */
async function said(archive: string, args: readonly string[]): Promise<Shown> {
  const { exitCode, stdout } = await runCommand(['--json', ...args.map((arg) => (arg === 'ARCHIVE' ? archive : arg))])
  const {
    archive: _archive,
    archiveBytes: _bytes,
    proved: _proved,
    reading: _reading,
    warnings: _warnings,
    ...shown
  } = JSON.parse(stdout.replaceAll(archive, 'ARCHIVE')) as Record<string, unknown>
  return { exitCode, shown }
}

describe.each(databases)('an archive of everything that an instance on $name may hold', (kind) => {
  let instance: CommandInstance
  let archive: string
  let whole: string
  let tree: Tree

  beforeAll(async () => {
    instance = await createCommandInstance(kind)
    await fillEverything(instance)
    archive = `${fresh()}.tar.gz`
    await instance.report(['backup', archive])
    whole = await recompressed(archive)
    tree = await instance.report<Tree>(['tree'])
  })
  afterAll(() => instance[Symbol.asyncDispose]())

  test('says the same through its directory as when all of it is read', async () => {
    const whole1 = await runCommand(['--json', 'inspect', whole])
    expect(JSON.parse(whole1.stdout)).toMatchObject({ reading: 'whole', proved: true })
    const part = await runCommand(['--json', 'inspect', archive])
    expect(JSON.parse(part.stdout)).toMatchObject({ reading: 'part', proved: false })
    for (const args of [
      ['inspect', 'ARCHIVE'],
      ['inspect', 'ARCHIVE', '--tree'],
      ['inspect', 'ARCHIVE', '--text'],
      ['inspect', 'ARCHIVE', '--trash'],
      ['inspect', 'ARCHIVE', '--find', 'a'],
      ['inspect', 'ARCHIVE', '--user', 'nobody-of-that-name'],
      ['inspect', 'ARCHIVE', '--path', '.home/nothing of that name'],
      ['inspect', 'ARCHIVE', '--path', '/'],
      ['inspect', 'ARCHIVE', '--document', '00000000-0000-4000-8000-000000000000'],
      ...tree.users.map(({ username }) => ['inspect', 'ARCHIVE', '--user', username]),
    ]) {
      expect(await said(archive, args), args.join(' ')).toEqual(await said(whole, args))
    }
  })

  test('gives each folder and document by its path and by its id', async () => {
    const nodes = tree.users.flatMap(({ username, nodes: own }) => own.map((node) => ({ username, node })))
    const some = nodes.filter((_, index) => index % Math.ceil(nodes.length / 25) === 0)
    for (const { username, node } of some) {
      const named = ['--user', username, '--path', formatPath(node.path)]
      const wanted = node.type === 'document' ? [named, ['--document', node.id]] : [named]
      for (const which of wanted) {
        const args = ['inspect', 'ARCHIVE', ...which, '--text']
        const shown = await said(archive, args)
        expect(shown.exitCode, args.join(' ')).toBe(0)
        expect(shown, args.join(' ')).toEqual(await said(whole, args))
      }
    }
  })

  test('gives the files of each user, and nothing else', async () => {
    for (const { username, nodes } of tree.users.slice(0, 8)) {
      const to = fresh()
      const { reading, proved } = await extract(0, archive, '--to', to, '--user', username, '--versions', 'all')
      expect({ reading, proved }).toEqual({ reading: 'part', proved: true })
      const wanted = nodes.flatMap(({ versions }) => versions.filter(({ sha256 }) => sha256 !== null))
      expect(await hashesBelow(to)).toEqual(wanted.map(({ sha256 }) => String(sha256)).toSorted())
    }
  })

  test('restores a part as from an archive that is read through', async () => {
    const user = tree.users.find(({ nodes }) => nodes.filter(({ type }) => type === 'document').length > 2)!
    const folder = user.nodes.find(({ type, path }) => type === 'folder' && path.length === 2)!
    const document = user.nodes.findLast(({ type }) => type === 'document')!
    for (const part of [['--path', formatPath(folder.path)], ['--document', document.id], []]) {
      const results: unknown[] = []
      for (const from of [archive, whole]) {
        await using target = await createCommandInstance(kind)
        await target.report(['restore', from, '--user', user.username, ...part])
        results.push(await everything(target))
      }
      expect(results[0]).toEqual(results[1])
    }
  })
})

describe('an archive', () => {
  let small: CommandInstance
  let archive: string

  beforeAll(async () => {
    small = await createCommandInstance(databases[0]!)
    await fillSmall(small)
    await writeFile(join(place.path, 'noise.bin'), noise(3_000_000, 1))
    await small.report(['import', join(place.path, 'noise.bin'), '--user', 'ada'])
    archive = `${fresh()}.tar.gz`
    await small.report(['backup', archive])
  })
  afterAll(() => small[Symbol.asyncDispose]())

  const warningsOf = async (path: string): Promise<readonly string[]> => {
    const { exitCode, stdout, stderr } = await runCommand(['--json', 'inspect', path])
    expect(exitCode, stderr).toBe(0)
    const { reading, warnings } = JSON.parse(stdout) as InspectReport
    return [reading, ...warnings.listed.map(({ code, message }) => `${code}: ${message}`)]
  }

  test('without a directory is read through, and that is said', async () => {
    expect(await warningsOf(archive)).toEqual(['part'])
    const old = join(import.meta.dirname, '../formats/format-1.tar.gz')
    expect((await warningsOf(old)).slice(0, 2)).toEqual([
      'whole',
      'archive.read_whole: It has no directory that leads to single documents, so all of it was read.',
    ])
    const [reading, ...warnings] = await warningsOf(await recompressed(archive))
    expect(reading).toBe('whole')
    expect(warnings.map((warning) => warning.split(':')[0])).toEqual(['archive.recompressed', 'archive.read_whole'])
  })

  test('that is damaged anywhere gives the bytes that came in, or an error, and verify finds the damage', async () => {
    const sound = await readFile(archive)
    const chance = createChance(617)
    const path = `${fresh()}.tar.gz`
    const outcomes = new Map<string, number>()
    for (let round = 0; round < 150; round += 1) {
      const bytes = Buffer.from(sound)
      // What leads to a document stands at the two ends; in between lies one large file.
      const at = [chance.below(3000), bytes.length - 1 - chance.below(8000), chance.below(bytes.length)][round % 3]!
      bytes[at] = bytes[at]! ^ (1 << chance.below(8))
      await writeFile(path, bytes)
      const args = ['extract', path, '.home/Taxes/2023.pdf', '--to', '-']
      const { exitCode, stdout, stderr } = await runCommand(args)
      if (exitCode === 0) expect(stdout, `byte ${at}`).toBe('second bytes')
      else expect([exitCode, stdout], `byte ${at}\n${stderr}`).toEqual([4, ''])
      outcomes.set(String(exitCode), (outcomes.get(String(exitCode)) ?? 0) + 1)
      const verified = await runCommand(['verify', path])
      // Only what gzip itself does not look at may change: the time and the system in its header.
      if (at > 9) expect(verified.exitCode, `byte ${at}`).toBe(4)
    }
    // Most of the archive does not matter to one document: that is what the directory is for.
    expect(outcomes.get('0')).toBeGreaterThan(50)
    expect(outcomes.get('4')).toBeGreaterThan(0)
  })

  test('whose directory is damaged is read through, and that is said', async () => {
    const bytes = await readFile(archive)
    const at = Number.parseInt(/strongroom directory 1 offset ([0-9a-f]{16})/.exec(bytes.toString('latin1'))![1]!, 16)
    bytes[at + 40] = bytes[at + 40]! ^ 1
    const path = `${fresh()}.tar.gz`
    await writeFile(path, bytes)
    // The archive is damaged, so that reading it through ends there.
    const { exitCode, stdout } = await runCommand(['--json', 'inspect', path])
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([4, { error: { code: 'archive.damaged' } }])
    const saved = await runCommand(['--json', 'extract', path, '.home/Taxes/2023.pdf', '--to', fresh(), '--keep-going'])
    expect(saved.exitCode, saved.stdout).toBe(3)
    expect(JSON.parse(saved.stdout)).toMatchObject({ files: 1, reading: 'whole' })
  })

  test('whose wanted file is damaged says so, and writes nothing', async () => {
    const bytes = await readFile(archive)
    const at = bytes.indexOf(noise(3_000_000, 1).subarray(50_000, 50_100))
    expect(at).toBeGreaterThan(0)
    bytes[at] = bytes[at]! ^ 1
    const path = `${fresh()}.tar.gz`
    await writeFile(path, bytes)
    const to = fresh()
    const { exitCode, stdout } = await runCommand(['--json', 'extract', path, '.inbox/noise.bin', '--to', to])
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([4, { error: { code: 'archive.checksum_mismatch' } }])
    expect(existsSync(to)).toBe(false)
  })

  test('that is encrypted is read in part too', async () => {
    const identity = await generateX25519Identity()
    const key = fresh()
    await writeFile(key, `${identity}\n`)
    const sealed = `${fresh()}.tar.gz.age`
    await small.report(['backup', sealed, '--recipient', await identityToRecipient(identity)])
    const to = fresh()
    expect(await extract(0, sealed, '.home/Taxes', '--to', to, '--key-file', key)).toMatchObject({
      reading: 'part',
      files: 1,
    })
  })
})
