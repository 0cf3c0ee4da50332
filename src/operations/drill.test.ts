import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { databases } from '../../test/support/databases.ts'
import { archiveName, at, drill, drillPlace, later, stateOf, type Filled } from '../../test/support/drilling.ts'
import { clientsGone } from '../../test/support/processes.ts'
import type { CheckReport } from '../contract/check-report.ts'

const { here, createFilled, drillFolders, expectNothingLeft } = drillPlace()

describe.each(databases)('on $name, a drill', (kind) => {
  test('proves that an archive can be restored, and says so in a report, in drill.json and in check', async () => {
    await using filled = await createFilled(kind)
    const { instance, archive } = filled
    expect(await instance.report<CheckReport>(['check'])).toMatchObject({ lastDrill: null })
    const before = await instance.run(['tree', '--json', '--text'])
    const { report, exitCode, codes } = await drill(instance, archive)
    expect({ exitCode, codes }).toEqual({ exitCode: 0, codes: [] })
    expect(report).toMatchObject({
      outcome: 'proved',
      source: 'named',
      archive: { name: archiveName, created: '2026-11-25T02:15:00.000000Z' },
      restore: { database: kind.name, documents: 1, versions: 2, bytes: 29 },
      since: { total: 0 },
      warnings: { total: 0 },
    })
    expect(report.restore!.seconds).toBeGreaterThan(0)
    expect(report.proved.map(({ code }) => code)).toEqual(['archive_whole', 'restored', 'compared'])
    const state = await stateOf(instance)
    expect(state).toMatchObject({ outcome: 'proved', archive: report.archive, instance: report.instance, findings: {} })
    expect(state.lastProved).toEqual({ at: report.at, archive: report.archive })
    const [text, json] = await Promise.all(report.files.map((file) => readFile(file, 'utf8')))
    expect(text).toContain('Proved: this archive can be restored.')
    expect(JSON.parse(json!)).toEqual(report)
    const check = await instance.run(['check'], at('2026-12-01T09:00:00Z'))
    expect(check.stdout).toContain('Last drill: proved on 2026-11-26T09:00:00.000000Z, 5 days ago.')
    expect((await instance.run(['tree', '--json', '--text'])).stdout).toBe(before.stdout)
    await expectNothingLeft(instance)
  })

  test('tells what was done since the backup, which is no failure', async () => {
    await using filled = await createFilled(kind)
    const { instance, archive } = filled
    const words = ['--user', 'ada']
    await instance.report(['mkdir', '.home/New', ...words], later)
    await instance.report(['mv', '.home/Taxes/2023.pdf', '.home/New', ...words], later)
    await instance.report(['tag', 'add', '.home/New', 'new', ...words], later)
    await instance.report(['rm', '.home/Taxes', ...words], later)
    await instance.report(['user', 'disable', 'root'], later).catch(() => undefined)
    const { report, exitCode, codes } = await drill(instance, archive)
    expect({ exitCode, codes }).toEqual({ exitCode: 0, codes: [] })
    expect(report.since?.byKind).toMatchObject({ added: 2, moved: 1, trashed: 1 })
    expect(report.notProved.map(({ code }) => code)).toContain('changes_since')
  })

  test('finds a file of the instance that is damaged, and tells that from work', async () => {
    await using filled = await createFilled(kind)
    const { instance, archive, files } = filled
    await writeFile(join(instance.dataDirectory, 'media', files.original), 'other bytes!')
    await unlink(join(instance.dataDirectory, 'media', files.sidecar))
    const { report, exitCode } = await drill(instance, archive)
    expect(exitCode).toBe(3)
    expect(report).toMatchObject({
      outcome: 'proved_with_findings',
      leftOut: { byCode: { 'drill.instance_damaged': 2 } },
    })
    expect(report.leftOut.listed[0]?.about).toBe('ada: .home/Taxes/2023.pdf')
    // A backup of it declares what is damaged, and a drill of that one says so.
    const fresh = await drill(instance)
    expect(fresh.exitCode).toBe(3)
    expect(fresh.report.source).toBe('fresh')
    expect(fresh.codes).toContain('drill.declared_damage')
    await expectNothingLeft(instance)
  })

  /** Starts a drill in a process of its own, and gives it a signal when it has begun to restore. */
  async function drillUntil(filled: Filled, signal: 'SIGKILL' | 'SIGINT', wait: number): Promise<number | null> {
    const { instance, archive } = filled
    const base = ['--data', instance.dataDirectory, ...(instance.url === undefined ? [] : ['--database', instance.url])]
    const program = join(import.meta.dirname, '../main.ts')
    const child = spawn(process.execPath, [program, ...base, 'drill', archive], {
      env: { PATH: process.env['PATH'], TMPDIR: here.temporary },
      stdio: 'ignore',
    })
    const closed = once(child, 'close')
    const isUnderWay = async (): Promise<boolean> => {
      const names = await drillFolders()
      const inside = await Promise.all(names.map((name) => readdir(join(here.temporary, name)).catch(() => [])))
      return inside.flat().includes('instance')
    }
    while (child.exitCode === null && !(await isUnderWay())) await pause(1)
    await pause(wait)
    child.kill(signal)
    const [code] = (await closed) as [number | null]
    return code
  }

  test('that is killed leaves the instance as it was, and the next one clears up', async () => {
    await using filled = await createFilled(kind)
    const { instance, archive } = filled
    const before = await instance.run(['tree', '--json', '--text'])
    for (const wait of [0, 20]) expect(await drillUntil(filled, 'SIGKILL', wait)).toBeNull()
    await clientsGone(instance.url)
    expect(await drillFolders()).not.toEqual([])
    expect((await instance.run(['tree', '--json', '--text'])).stdout).toBe(before.stdout)
    expect((await instance.run(['check'])).exitCode).toBe(0)
    const { exitCode } = await drill(instance, archive)
    expect(exitCode).toBe(0)
    await expectNothingLeft(instance)
  })

  test('that is interrupted clears up, and says nothing about the archive', async () => {
    await using filled = await createFilled(kind)
    const { instance } = filled
    expect(await drillUntil(filled, 'SIGINT', 0)).toBe(130)
    await expectNothingLeft(instance)
    expect(await instance.report<CheckReport>(['check'])).toMatchObject({ lastDrill: null })
  })
})
