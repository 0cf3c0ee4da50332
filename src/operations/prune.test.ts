import { copyFile, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCommand } from '../../test/support/command-line.ts'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillSmall, temporaryFolder, type SmallInstance } from '../../test/support/small-instance.ts'
import type { PruneReport } from '../contract/prune-report.ts'

const noon = (day: string): string => String(Date.parse(`${day}T12:00:00Z`) / 1000)
const nameOf = (day: string): string => `strongroom-${day.replaceAll('-', '')}T120000Z.tar.gz`

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let instance: CommandInstance
let small: SmallInstance

beforeEach(async () => {
  folder = await temporaryFolder()
  instance = await createCommandInstance(databases[0]!)
  small = await fillSmall(instance)
})

afterEach(async () => {
  await instance[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function backUp(day: string, of = instance): Promise<void> {
  const { exitCode } = await of.run(['backup', folder.path], { environment: { SOURCE_DATE_EPOCH: noon(day) } })
  expect([0, 3]).toContain(exitCode)
}

const prune = (...args: string[]) => runCommand(['--json', 'prune', folder.path, ...args])

async function pruned(...args: string[]): Promise<PruneReport> {
  const { exitCode, stdout, stderr } = await prune(...args)
  expect(exitCode, stdout + stderr).toBe(0)
  return JSON.parse(stdout) as PruneReport
}

const left = async (): Promise<string[]> => (await readdir(folder.path)).toSorted()

describe('prune', () => {
  test('removes what no rule keeps, once the newest is proved', async () => {
    const days = ['2026-11-01', '2026-11-22', '2026-11-23', '2026-11-24']
    for (const day of days) await backUp(day)
    const report = await pruned('--keep-last', '1', '--keep-monthly', '1')
    expect(await left()).toEqual([nameOf('2026-11-24')])
    expect(report.kept.map(({ name, reasons }) => [name, reasons])).toEqual([
      [nameOf('2026-11-24'), ['last', 'monthly', 'without damage']],
    ])
    expect(report.removed.map(({ name }) => name)).toEqual(['2026-11-23', '2026-11-22', '2026-11-01'].map(nameOf))
    expect(report.verified).toEqual([nameOf('2026-11-24')])
    expect(report.bytesFreed).toBeGreaterThan(0)
  })

  test('with --dry-run removes nothing and says what would go', async () => {
    for (const day of ['2026-11-23', '2026-11-24']) await backUp(day)
    const report = await pruned('--keep-last', '1', '--dry-run')
    expect(report.removed.map(({ name }) => name)).toEqual([nameOf('2026-11-23')])
    expect(await left()).toHaveLength(2)
    const { stdout } = await runCommand(['prune', folder.path, '--keep-last', '1', '--dry-run'])
    expect(stdout).toMatch(/would go +2026-11-23 12:00 UTC/)
    expect(stdout).toContain('Nothing was removed.')
  })

  test('removes nothing where the newest does not hold, and says so', async () => {
    for (const day of ['2026-11-22', '2026-11-23', '2026-11-24']) await backUp(day)
    const newest = join(folder.path, nameOf('2026-11-24'))
    const bytes = await readFile(newest)
    await writeFile(newest, bytes.subarray(0, bytes.length - 100))
    const { exitCode, stdout } = await prune('--keep-last', '1')
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([4, { error: { code: 'prune.newest_unsound' } }])
    expect(await left()).toHaveLength(3)
  })

  test('goes by when a backup was made, not by its name', async () => {
    for (const day of ['2026-11-22', '2026-11-24']) await backUp(day)
    await rename(join(folder.path, nameOf('2026-11-24')), join(folder.path, 'a.tar.gz'))
    await rename(join(folder.path, nameOf('2026-11-22')), join(folder.path, nameOf('2026-12-31')))
    await pruned('--keep-last', '1')
    expect(await left()).toEqual(['a.tar.gz'])
  })

  test('leaves alone whatever is no backup of Strongroom, whatever its name', async () => {
    for (const day of ['2026-11-23', '2026-11-24']) await backUp(day)
    const others = ['strongroom-20200101T120000Z.tar.gz', 'notes.txt', 'empty.tar.gz', '.strongroom-x.partial']
    await writeFile(join(folder.path, others[0]!), 'not an archive')
    await writeFile(join(folder.path, others[1]!), 'buy milk')
    await writeFile(join(folder.path, others[2]!), '')
    await copyFile(join(folder.path, nameOf('2026-11-23')), join(folder.path, others[3]!))
    const elsewhere = join(instance.dataDirectory, 'kept.tar.gz')
    await copyFile(join(folder.path, nameOf('2026-11-23')), elsewhere)
    await symlink(elsewhere, join(folder.path, 'link.tar.gz'))
    const report = await pruned('--keep-last', '1')
    expect(await left()).toEqual([...others, 'link.tar.gz', nameOf('2026-11-24')].toSorted())
    expect(report.ignored).toBe(5)
    expect((await readFile(elsewhere)).length).toBeGreaterThan(0)
  })

  test('counts the archives of each instance apart', async () => {
    await using other = await createCommandInstance(databases[0]!)
    await fillSmall(other)
    for (const day of ['2026-11-20', '2026-11-21']) await backUp(day, other)
    for (const day of ['2026-11-23', '2026-11-24']) await backUp(day)
    await pruned('--keep-last', '1')
    expect(await left()).toEqual([nameOf('2026-11-21'), nameOf('2026-11-24')])
  })

  test('keeps the newest that lacks nothing where later ones declare lost files', async () => {
    for (const day of ['2026-11-20', '2026-11-21']) await backUp(day)
    await rm(join(instance.dataDirectory, 'media', small.original))
    for (const day of ['2026-11-23', '2026-11-24']) await backUp(day)
    const report = await pruned('--keep-last', '1')
    expect(await left()).toEqual([nameOf('2026-11-21'), nameOf('2026-11-24')])
    expect(report.kept.map(({ reasons }) => reasons)).toEqual([['last'], ['without damage']])
    await rm(join(folder.path, nameOf('2026-11-21')))
    await backUp('2026-11-25')
    expect((await pruned('--keep-last', '1')).warnings.byCode).toEqual({ 'prune.all_damaged': 1 })
  })

  test('asks for a rule, and for a number in it', async () => {
    await backUp('2026-11-24')
    expect(await prune()).toMatchObject({ exitCode: 2 })
    for (const count of ['0', '-1', 'many', '1.5']) {
      expect(await prune('--keep-last', count)).toMatchObject({ exitCode: 2 })
    }
    expect(await left()).toHaveLength(1)
    expect(await runCommand(['prune', join(folder.path, 'nowhere'), '--keep-last', '1'])).toMatchObject({ exitCode: 6 })
  })

  test('of an empty folder says that there is none', async () => {
    const { exitCode, stdout } = await runCommand(['prune', folder.path, '--keep-last', '1'])
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('There is no archive of Strongroom in')])
  })
})
