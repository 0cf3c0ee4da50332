import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CompareReport } from '../../src/contract/compare-report.ts'
import type { FindReport } from '../../src/contract/find-report.ts'
import { createCommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases } from '../support/databases.ts'
import { fillPlain } from '../support/fixtures.ts'
import { everything } from '../support/restoring.ts'
import { samples } from '../support/samples.ts'
import { temporaryFolder } from '../support/small-instance.ts'

/** Whatever reads an archive refuses what a restore refuses, and reads what a restore reads. */

// A gigabyte of zeros proves nothing here that it does not prove for a restore.
const tried = samples.filter(({ name }) => name !== 'hostile-gzip-bomb.tar.gz')
const refused = tried.filter(({ must }) => must === 'refuse')
const taken = tried.filter(({ must }) => must !== 'refuse')

let place: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  place = await temporaryFolder()
})
afterAll(() => place[Symbol.asyncDispose]())

const readers = (path: string): readonly (readonly string[])[] => [
  ['inspect', path, '--tree'],
  ['inspect', path, '--find', 'a'],
  ['compare', path, path],
  ['drill', path, '--data', join(place.path, 'no instance')],
]

describe('a sample that no restore takes', () => {
  test.each(refused)('$name is refused by every reader, which leaves nothing behind', async ({ path }) => {
    for (const args of readers(path)) {
      const { exitCode, stderr } = await runCommand(args, { environment: { TMPDIR: place.path } })
      expect([args, exitCode], stderr).toEqual([args, 4])
    }
    expect(await readdir(place.path)).toEqual([])
  })
})

describe('a sample that comes back', () => {
  test.each(taken)('$name is shown, is equal to itself, and passes a drill', async ({ path }) => {
    for (const args of readers(path)) {
      const { exitCode, stdout, stderr } = await runCommand(args, { environment: { TMPDIR: place.path } })
      // What an archive declares as lost, and what a search does not find.
      const allowed = args[0] === 'drill' ? [0, 3] : [0]
      expect(allowed, `${args.join(' ')}\n${stdout}${stderr}`).toContain(exitCode)
    }
    expect(await readdir(place.path)).toEqual([])
  })
})

describe.each(databases)('parts of the samples on $name', (kind) => {
  test.runIf(samples.length > 0)('are refused where the whole is, and else come back or are not there', async () => {
    await using instance = await createCommandInstance(kind)
    const held = await everything(instance)
    for (const { path, name, must } of tried.filter((_, index) => index % 3 === 0 || kind.name === 'SQLite')) {
      const args = ['restore', path, '--user', 'nobody at all', '--path', 'nothing']
      const { exitCode, stderr } = await instance.run(args)
      expect([name, exitCode], stderr).toEqual([name, must === 'refuse' ? 4 : 6])
    }
    expect(await everything(instance)).toEqual(held)
  })
})

describe.each(databases)('two thousand documents on $name', (kind) => {
  test('are browsed, taken out, compared, drilled and brought back in part', async () => {
    await using instance = await createCommandInstance(kind)
    await fillPlain(instance, 2000, 200)
    const archive = join(place.path, `large ${kind.name}.tar.gz`)
    await instance.report(['backup', archive])
    const found = await instance.report<FindReport>(['inspect', archive, '--find', 'document 2'])
    expect(found.hits.length + found.hitsNotListed).toBe(111)
    const to = join(place.path, `large ${kind.name}`)
    expect(await instance.report(['extract', archive, '--to', to])).toMatchObject({ files: 2000 })
    expect(await instance.report<CompareReport>(['compare', archive])).toMatchObject({ equal: true })
    expect(await instance.report(['drill', archive])).toMatchObject({ outcome: 'proved' })
    const zip = join(place.path, `large ${kind.name}.zip`)
    expect(await instance.report(['export', '--user', 'ada', '--to', zip])).toMatchObject({ leftOut: { total: 0 } })
    expect((await readFile(zip)).length).toBeGreaterThan(2000 * 200)
    const part = ['restore', archive, '--user', 'ada', '--path', '.inbox/Papers', '--into', '.home/Copy']
    expect(await instance.report(part)).toMatchObject({ plan: { documents: { copy: 2000 }, conflicts: 0 } })
    expect(await instance.report(part)).toMatchObject({ plan: { documents: { unchanged: 2000 } }, bytes: 0 })
    await instance.report(['check'])
  })
})
