import { readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type CommandInstance, createCommandInstance, listMedia } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { noise } from '../../test/support/fixtures.ts'
import { type Member, rewriteArchive } from '../../test/support/odd-archives.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import { expectSoundArchive } from '../../test/support/sound-archive.ts'
import type { RestorePointsReport } from '../contract/restore-points.ts'
import type { RestoreReport } from '../contract/restore-report.ts'

const treeOf = async (instance: CommandInstance): Promise<string> =>
  (await instance.run(['tree', '--json', '--text'])).stdout

/** Another instance than `fillSmall` makes, with a user of the same name. */
const fillOther = (instance: CommandInstance): Promise<void> =>
  fillDirectly(instance, async ({ user, node, tag, version }) => {
    const ada = await user({ username: 'ada' })
    const eve = await user({ username: 'eve' })
    const document = await node({ user_id: eve.id, parent_id: eve.inbox, title: 'scan.pdf', type: 'document' })
    await tag({ user_id: ada.id, name: 'paid', bg_color: '#000000' })
    await version({ user: eve.id, document }, { file_name: 'scan.pdf' }, 'other bytes')
  })

describe.each(databases)('restore --replace on $name', (kind) => {
  test('leaves exactly what the archive is, and a restore point that brings back what was there', async () => {
    await using folder = await temporaryFolder()
    await using source = await createCommandInstance(kind)
    await using instance = await createCommandInstance(kind)
    await fillSmall(source)
    await fillOther(instance)
    const [before, mediaBefore] = [await treeOf(instance), await listMedia(instance)]
    const archive = join(folder.path, 'archive.tar.gz')
    await source.report(['backup', archive])

    const report = await instance.report<RestoreReport>(['restore', archive, '--replace'])
    expect(report.plan.replaced).toEqual({ users: 2, tags: 1, folders: 0, documents: 1 })
    expect(await treeOf(instance)).toBe(await treeOf(source))
    expect(await listMedia(instance)).toEqual(await listMedia(source))
    await instance.report(['check'])

    const { points } = await instance.report<RestorePointsReport>(['restore-points', 'list'])
    expect(points.map(({ path }) => path)).toEqual([report.restorePoint])
    await expectSoundArchive(report.restorePoint!)
    await instance.report(['restore', report.restorePoint!, '--replace', '--no-restore-point'])
    expect(await treeOf(instance)).toBe(before)
    expect(await listMedia(instance)).toEqual(mediaBefore)

    await instance.report(['restore-points', 'remove', points[0]!.name])
    expect(await instance.report(['restore-points', 'list'])).toMatchObject({ points: [] })
    await expect(stat(report.restorePoint!)).rejects.toThrow('ENOENT')
  })

  test('refuses an archive that is damaged, and keeps no restore point of it', async () => {
    await using folder = await temporaryFolder()
    await using instance = await createCommandInstance(kind)
    const { original } = await fillSmall(instance)
    const [whole, cut] = ['whole.tar.gz', 'cut.tar.gz'].map((name) => join(folder.path, name)) as [string, string]
    await instance.report(['backup', whole])
    const without = (members: readonly Member[]) => members.filter(({ name }) => name !== original)
    await rewriteArchive({ from: whole, to: cut, scratch: folder.path }, without)
    const before = await treeOf(instance)
    const { exitCode } = await instance.run(['restore', cut, '--replace', '--json'])
    expect(exitCode).toBe(4)
    expect(await treeOf(instance)).toBe(before)
    expect(await instance.report(['restore-points', 'list'])).toMatchObject({ points: [] })
    await instance.report(['check'])
  })

  test('replaces an instance whose files are damaged, with and without a restore point', async () => {
    await using folder = await temporaryFolder()
    await using instance = await createCommandInstance(kind)
    const { original } = await fillSmall(instance)
    const archive = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', archive])
    const whole = await listMedia(instance)
    await rm(join(instance.dataDirectory, 'media', original))
    await instance.report(['restore', archive, '--replace', '--no-restore-point'])
    await instance.report(['check'])
    const hashes = async (): Promise<string[]> => [...(await listMedia(instance)).values()].toSorted()
    expect(await hashes()).toEqual([...whole.values()].toSorted())
    await writeFile(join(instance.dataDirectory, 'media', [...(await listMedia(instance)).keys()][0]!), 'damage')
    const { restorePoint } = await instance.report<RestoreReport>(['restore', archive, '--replace'])
    expect(restorePoint).not.toBeNull()
    await instance.report(['check'])
    expect(await hashes()).toEqual([...whole.values()].toSorted())
  })

  test('of an archive without an active superuser leaves none, and says so before and after', async () => {
    await using folder = await temporaryFolder()
    await using source = await createCommandInstance(kind)
    await using instance = await createCommandInstance(kind)
    await fillOther(source)
    await fillSmall(instance)
    const archive = join(folder.path, 'archive.tar.gz')
    await source.report(['backup', archive])
    for (const more of [['--dry-run'], []]) {
      const { warnings } = await instance.report<RestoreReport>(['restore', archive, '--replace', ...more])
      expect(warnings.byCode).toEqual({ 'user.no_superuser': 1 })
    }
    expect(await treeOf(instance)).toBe(await treeOf(source))
  })

  test('by a plan replaces just the instance that the plan was made for', async () => {
    await using folder = await temporaryFolder()
    await using source = await createCommandInstance(kind)
    await using instance = await createCommandInstance(kind)
    await fillSmall(source)
    await fillOther(instance)
    const [archive, plan] = [join(folder.path, 'archive.tar.gz'), join(folder.path, 'plan.json')]
    await source.report(['backup', archive])
    await instance.report(['restore', archive, '--replace', '--dry-run', '--save-plan', plan])
    await instance.report(['mkdir', 'Later', '--user', 'eve'])
    const before = await treeOf(instance)
    const { exitCode, stdout } = await instance.run(['restore', archive, '--plan', plan, '--json'])
    expect([exitCode, stdout]).toEqual([5, expect.stringContaining('restore.plan_outdated')])
    expect(await treeOf(instance)).toBe(before)
    await instance.report(['rm', 'Later', '--user', 'eve'])
    await instance.report(['trash', 'empty', '--yes'])
    await instance.report(['restore', archive, '--plan', plan])
    expect(await treeOf(instance)).toBe(await treeOf(source))
  })
})

describe.each(databases)('restore --keep-going on $name', (kind) => {
  test('leaves out a file that is missing, names it, and knows it as lost', async () => {
    await using folder = await temporaryFolder()
    await using source = await createCommandInstance(kind)
    await using instance = await createCommandInstance(kind)
    const { original, sidecar } = await fillSmall(source)
    const [whole, holed] = ['whole.tar.gz', 'holed.tar.gz'].map((name) => join(folder.path, name)) as [string, string]
    await source.report(['backup', whole])
    const without = (members: readonly Member[]) => members.filter(({ name }) => name !== original && name !== sidecar)
    await rewriteArchive({ from: whole, to: holed, scratch: folder.path }, without)
    expect((await instance.run(['restore', holed])).exitCode).toBe(4)
    const { exitCode, stdout } = await instance.run(['restore', holed, '--keep-going', '--json'])
    expect(exitCode).toBe(3)
    const { leftOut } = JSON.parse(stdout) as RestoreReport
    expect(leftOut.listed.map(({ about }) => about)).toEqual(expect.arrayContaining([original, sidecar]))
    expect(await treeOf(instance)).toBe(await treeOf(source))
    const check = await instance.report<{ warnings: { byCode: Record<string, number> } }>(['check'])
    expect(check.warnings.byCode).toMatchObject({ 'check.lost': 1 })
  })

  test('takes what stands before the place where an archive breaks off', async () => {
    await using folder = await temporaryFolder()
    await using source = await createCommandInstance(kind)
    await using instance = await createCommandInstance(kind)
    await fillDirectly(source, async ({ user, node, version }) => {
      const ada = await user({ username: 'ada' })
      for (let number = 1; number <= 20; number += 1) {
        const document = await node({ user_id: ada.id, parent_id: ada.home, type: 'document', title: `${number}.bin` })
        const bytes = noise(50_000, number).toString('base64')
        await version({ user: ada.id, document }, { file_name: `${number}.bin` }, bytes)
      }
    })
    const archive = join(folder.path, 'archive.tar.gz')
    await source.report(['backup', archive])
    await truncate(archive, Math.floor((await stat(archive)).size / 2))
    expect((await instance.run(['restore', archive])).exitCode).toBe(4)
    const { exitCode, stdout } = await instance.run(['restore', archive, '--keep-going', '--json'])
    expect(exitCode).toBe(3)
    const { leftOut } = JSON.parse(stdout) as RestoreReport
    expect(leftOut.byCode).toMatchObject({ 'archive.truncated': 2 })
    const files = await listMedia(instance)
    expect(files.size).toBeGreaterThan(5)
    expect(files.size + (leftOut.byCode['archive.missing_file'] ?? 0)).toBe(20)
    expect([...(await listMedia(source)).values()]).toEqual(expect.arrayContaining([...files.values()]))
    expect(await treeOf(instance)).toBe(await treeOf(source))
    await instance.report(['check'])
  })

  test('believes nothing of a backup.json that is not what was written', async () => {
    await using folder = await temporaryFolder()
    await using source = await createCommandInstance(kind)
    await using instance = await createCommandInstance(kind)
    await fillSmall(source)
    const archive = join(folder.path, 'archive.tar.gz')
    await source.report(['backup', archive])
    const before = await treeOf(instance)
    await truncate(archive, 200)
    expect((await instance.run(['restore', archive, '--keep-going'])).exitCode).toBe(4)
    expect(await treeOf(instance)).toBe(before)
    expect(await readdir(join(instance.dataDirectory, 'media', 'docs')).catch(() => [])).toEqual([])
  })
})
