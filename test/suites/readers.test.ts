import { execFile } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readFile, readdir, readlink, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../support/databases.ts'
import { awkwardNames, fillAwkward } from '../support/fixtures.ts'
import { createCommandInstance, sha256OfFile } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { hasProgram, needs } from '../support/needs.ts'
import { expectSoundArchive } from '../support/sound-archive.ts'
import type { Tree } from '../support/tree-report.ts'

/** Other programs read what we write, the deepest tree and the longest and oddest names too. */

const runProgram = promisify(execFile)

/** Runs a program that must end well and say nothing on standard error; gives its output. */
async function quietly(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const { stdout, stderr } = await runProgram(program, args, {
    maxBuffer: 1 << 28,
    ...(cwd === undefined ? {} : { cwd }),
  })
  expect(stderr).toBe('')
  return stdout
}

let scratch = ''
let instance: CommandInstance
let tree: Tree
const archives: Record<'symbolic' | 'hard', string> = { symbolic: '', hard: '' }

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-readers-'))
  instance = await createCommandInstance(databases[0]!)
  await fillAwkward(instance)
  tree = await instance.report<Tree>(['tree', '--text'])
  for (const links of ['symbolic', 'hard'] as const) {
    archives[links] = join(scratch, `${links}.tar.gz`)
    await instance.report(['backup', archives[links], '--links', links])
  }
})
afterAll(async () => {
  await instance[Symbol.asyncDispose]()
  await rm(scratch, { recursive: true, force: true })
})

async function unpacked(name: string, program: string, args: readonly string[]): Promise<string> {
  const folder = join(scratch, name)
  await mkdir(folder)
  await quietly(program, args, folder)
  return folder
}

/** Everything below a folder; the paths may be longer than one system call takes, so each step is relative to its folder. */
async function walk(folder: string, found: Map<string, string[]>): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await walk(path, found)
    else if (entry.isSymbolicLink()) found.set(path, [await readlink(path)])
    else if (entry.isFile()) found.set(path, [])
  }
}

test('the archive holds the awkward names', () => {
  const titles = new Set(tree.users.flatMap(({ nodes }) => nodes.map(({ title }) => title)))
  for (const name of awkwardNames) expect(titles).toContain(name)
})

describe.each(['symbolic', 'hard'] as const)('with %s links', (links) => {
  test('the checkers find nothing', async () => {
    await expectSoundArchive(archives[links])
    expect.hasAssertions()
  })

  const gnu =
    needs('GNU tar', hasProgram('tar'), 'unpacking with tar') &&
    needs('sha256sum', hasProgram('sha256sum'), 'sha256sum -c')
  test.skipIf(!gnu)('tar unpacks it without a word, and sha256sum -c succeeds', async () => {
    const folder = await unpacked(`tar-${links}`, 'tar', ['-xzf', archives[links]])
    await quietly('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], folder)
    const found = new Map<string, string[]>()
    await walk(folder, found)
    const lasts = tree.users.flatMap(({ nodes }) => nodes.flatMap(({ versions }) => versions.at(-1)?.sha256 ?? []))
    const reached: string[] = []
    for (const [path, [target]] of found) {
      const inUserFolder = !/^(?:docs|sidecars|strongroom)\/|^[^/]+$/.test(path.slice(folder.length + 1))
      if (!inUserFolder) continue
      if (links === 'symbolic') {
        expect(target).toBeDefined()
        expect(await realpath(path)).toMatch(new RegExp(`^${folder}/docs/`))
      } else expect((await lstat(path)).nlink).toBe(2)
      expect(dirname(path)).not.toBe(folder)
      reached.push(await sha256OfFile(path))
    }
    expect(reached.toSorted()).toEqual(lasts.toSorted())
  })

  const gzip = needs('gzip', hasProgram('gzip'), 'gzip -t')
  test.skipIf(!gzip)('gzip -t and gzip -l take it', async () => {
    expect(await quietly('gzip', ['-t', archives[links]])).toBe('')
    expect(await quietly('gzip', ['-l', archives[links]])).toMatch(/\d/)
  })

  const pigz = needs('pigz', hasProgram('pigz'), 'pigz -t')
  test.skipIf(!pigz)('pigz -t takes it', async () => {
    expect(await quietly('pigz', ['-t', archives[links]])).toBe('')
  })

  const python = needs('python3', hasProgram('python3'), "Python's tarfile")
  test.skipIf(!python)(
    "Python's tarfile unpacks it with its strictest filter and finds the members of SHA256SUMS",
    async () => {
      const script = [
        'import hashlib, sys, tarfile',
        'with tarfile.open(sys.argv[1], "r:gz") as archive:',
        '    sums = archive.extractfile("SHA256SUMS").read().decode().splitlines()',
        '    for line in sums:',
        '        digest, name = line.split("  ", 1)',
        '        assert hashlib.sha256(archive.extractfile(name).read()).hexdigest() == digest, name',
        '    names = [member.name for member in archive.getmembers()]',
        '    assert len(names) == len(set(names))',
        '    if hasattr(tarfile, "data_filter"): archive.extractall(sys.argv[2], filter="data")',
        '    print(len(sums))',
      ].join('\n')
      const printed = await quietly('python3', ['-c', script, archives[links], join(scratch, `python-${links}`)])
      expect(Number(printed)).toBeGreaterThan(awkwardNames.length)
    },
  )

  const bsdtar = needs('bsdtar', hasProgram('bsdtar'), 'unpacking with bsdtar')
  test.skipIf(!bsdtar)('bsdtar unpacks it without a word', async () => {
    const folder = await unpacked(`bsdtar-${links}`, 'bsdtar', ['-xzf', archives[links]])
    expect(await readFile(join(folder, 'README.txt'), 'utf8')).not.toBe('')
    if (gnu) await quietly('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], folder)
  })
})
