import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases } from '../support/databases.ts'
import { fillEverything } from '../support/everything.ts'
import { extract, hashesBelow } from '../support/extracting.ts'
import { fillAwkward } from '../support/fixtures.ts'
import { readExpected, samples } from '../support/samples.ts'
import { temporaryFolder } from '../support/small-instance.ts'
import type { Tree } from '../support/tree-report.ts'

let place: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  place = await temporaryFolder()
})
afterAll(() => place[Symbol.asyncDispose]())

let number = 0
const fresh = (): string => join(place.path, `${(number += 1)}`)

const versionsOf = ({ users }: Tree, which: 'last' | 'all'): string[] =>
  users
    .flatMap(({ nodes }) => nodes)
    .flatMap(({ versions }) =>
      versions.filter((version) => version.file_name !== null).slice(which === 'last' ? -1 : 0),
    )
    .map((version) => String(version.sha256))
    .toSorted()

describe.each(databases)('everything that an instance on $name may hold', (kind) => {
  test('comes out of its archive, whatever it is called', async () => {
    for (const fill of [fillEverything, fillAwkward]) {
      await using instance = await createCommandInstance(kind)
      await fill(instance)
      const archive = `${fresh()}.tar.gz`
      await instance.report(['backup', archive])
      const tree = await instance.report<Tree>(['tree'])
      for (const versions of ['last', 'all'] as const) {
        const to = fresh()
        const { files } = await extract(0, archive, '--to', to, '--versions', versions)
        const hashes = await hashesBelow(to)
        expect(hashes).toEqual(versionsOf(tree, versions))
        expect(files).toBe(hashes.length)
        expect(await extract(0, archive, '--to', to, '--versions', versions)).toMatchObject({
          files: 0,
          unchanged: files,
        })
      }
    }
  })
})

describe('samples', () => {
  const canary = '/tmp/pm-canary/secret.txt'
  // A gigabyte of zeros proves nothing here that it does not prove for a restore.
  const tried = samples.filter(({ name }) => name !== 'hostile-gzip-bomb.tar.gz')
  let hadCanary = false

  beforeAll(async () => {
    hadCanary = existsSync(dirname(canary))
    await mkdir(dirname(canary), { recursive: true })
    await writeFile(canary, 'secret')
  })
  afterAll(async () => {
    if (!hadCanary) await rm(dirname(canary), { recursive: true, force: true })
  })

  test.each(tried.filter(({ must }) => must === 'refuse'))(
    '$name is refused, and nothing is written',
    async (sample) => {
      const to = fresh()
      const before = await readdir(place.path)
      const { exitCode, stdout, stderr } = await runCommand(['extract', sample.path, '--to', to])
      expect([exitCode, stdout], stderr).toEqual([4, ''])
      expect(await readdir(place.path)).toEqual(before)
      expect(await readFile(canary, 'utf8')).toBe('secret')
      expect(await readdir(dirname(canary))).toEqual(['secret.txt'])
      for (const outside of ['/tmp', tmpdir(), process.cwd(), dirname(process.cwd())])
        expect((await readdir(outside)).filter((name) => name.startsWith('pwned'))).toEqual([])
    },
  )

  test.each(tried.filter(({ must }) => must !== 'refuse'))('$name is written', async (sample) => {
    const to = fresh()
    const { files } = await extract(0, sample.path, '--to', to, '--versions', 'all')
    const hashes = await hashesBelow(to)
    expect(hashes).toHaveLength(files)
    const expected = readExpected(sample)
      ?.users.flatMap(({ nodes }) => nodes)
      .flatMap(({ versions = [] }) => versions.flatMap(({ file }) => (file === null ? [] : [file.sha256])))
    if (expected !== undefined) expect(hashes).toEqual(expected.toSorted())
  })
})
