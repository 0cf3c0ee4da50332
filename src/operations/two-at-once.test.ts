import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { archivedRows, createCommandInstance, listMedia, sha256OfFile } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillPlain } from '../../test/support/fixtures.ts'
import { appOf, askForAlone, whileLocked } from '../../test/support/locking.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import type { Tree } from '../../test/support/tree-report.ts'
import type { VerifyReport } from '../contract/verify-report.ts'

const overrides = { lockWaitSeconds: 0.2 }

describe.each(databases)('two at once on $name', (kind) => {
  test('a restore waits for nobody long: while another process reads or writes it is busy, and changes nothing', async () => {
    await using instance = await createCommandInstance(kind)
    await using into = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillSmall(instance)
    const path = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', path])
    const before = await archivedRows(into)
    for (const mode of ['shared', 'exclusive'] as const) {
      await whileLocked(mode, into, async () => {
        const { exitCode, stdout } = await into.run(['--json', 'restore', path], { overrides })
        expect([exitCode, (JSON.parse(stdout) as { error: { code: string } }).error.code]).toEqual([7, 'instance.busy'])
      })
    }
    expect(await archivedRows(into)).toEqual(before)
    await into.report(['restore', path])
  })

  test('a backup goes on beside readers and writers, and is busy during a restore', async () => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillSmall(instance)
    await whileLocked('shared', instance, () => instance.report(['backup', join(folder.path, 'beside.tar.gz')]))
    await whileLocked('exclusive', instance, async () => {
      const { exitCode, stdout } = await instance.run(['--json', 'backup', join(folder.path, 'x.tar.gz')], {
        overrides,
      })
      const { error } = JSON.parse(stdout) as { error: { code: string } }
      expect([exitCode, error.code]).toEqual([7, 'instance.closed_to_writers'])
    })
    expect(await readdir(folder.path)).toEqual(['beside.tar.gz'])
  })

  test('backups side by side into one folder are all whole, and the same bytes', async () => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillPlain(instance, 5, 20_000)
    const environment = { SOURCE_DATE_EPOCH: '1795525432' }
    await Promise.all([1, 2, 3].map(() => instance.report(['backup', folder.path], { environment })))
    const names = await readdir(folder.path)
    expect(names).toHaveLength(3)
    expect(new Set(await Promise.all(names.map((name) => sha256OfFile(join(folder.path, name))))).size).toBe(1)
    expect(await instance.report(['verify', join(folder.path, names[0]!)])).toMatchObject({ sound: true })
  })

  test('a backup shows the moment it began, though documents come and go meanwhile, and their files stay until it ends', async () => {
    await using instance = await createCommandInstance(kind)
    await using copy = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillPlain(instance, 12, 1000)
    const before = await instance.report<Tree>(['tree', '--text'])
    const path = join(folder.path, 'archive.tar.gz')
    let changes: Promise<unknown> | undefined
    let alone: string | undefined
    async function change(): Promise<void> {
      await instance.report(['rm', '.inbox/Papers/folder 0', '--user', 'ada'])
      await instance.report(['trash', 'empty', '--yes'])
      await instance.report(['mkdir', '.home/new', '--user', 'ada'])
      await instance.report(['mv', '.inbox/Papers', '.home/moved', '--user', 'ada'])
    }
    {
      await using opened = await appOf(instance).open({ access: 'own', command: 'backup' })
      const input = { location: path, overwrite: false, verify: true, links: 'symbolic' } as const
      // Whatever is done first, the files have not been read by then.
      const report = await opened.backup(input, () => {
        changes ??= change()
        alone ??= askForAlone(instance)
      })
      expect(report.leftOut).toMatchObject({ total: 0, listed: [] })
    }
    await changes
    expect(alone).toBe('taken')
    expect(await instance.report<VerifyReport>(['verify', path])).toMatchObject({ sound: true, documents: 12 })
    await copy.report(['restore', path])
    expect(await copy.report<Tree>(['tree', '--text'])).toEqual(before)
    await instance.report(['user', 'add', 'eve'], { stdin: 'secret\n' })
    expect((await listMedia(instance)).size).toBe(2)
    expect((await instance.run(['check'])).exitCode).toBe(0)
  })
})
