import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { appOf, askForAlone, whileLocked } from '../../test/support/locking.ts'
import { docsFile, editMetadata, packPapermerge, papermerge, rewriteArchive } from '../../test/support/odd-archives.ts'
import { everything } from '../../test/support/restoring.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import type { DryRunReport, PlannedItem } from '../contract/restore-plan.ts'

const doc = '.home/Taxes/2023.pdf'

describe.each(databases)('the dry run of a restore on $name', (kind) => {
  /** The small instance, its archive, and since then a folder that is gone and a document that is changed. */
  async function withArchive(work: (instance: CommandInstance, archive: string, folder: string) => Promise<void>) {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillSmall(instance)
    await instance.report(['mkdir', '.inbox/New', '--user', 'root'])
    const archive = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', archive])
    await instance.report(['rm', '.inbox/New', '--user', 'root'])
    await instance.report(['trash', 'empty', '--yes'])
    await instance.report(['tag', 'add', doc, 'urgent', '--user', 'ada'])
    await work(instance, archive, folder.path)
  }

  test('takes no lock: it works while another process holds the instance for itself', async () => {
    await withArchive(async (instance, archive) => {
      await whileLocked('exclusive', instance, async () => {
        const { exitCode } = await instance.run(['restore', archive, '--dry-run', '--on-conflict', 'skip'])
        expect(exitCode).toBe(0)
      })
    })
  })

  test('stops no writer, and shows the moment at which it began', async () => {
    await withArchive(async (instance, archive) => {
      let written: Promise<unknown> | undefined
      let alone: string | undefined
      await using opened = await appOf(instance).open({ access: 'read', command: 'restore' })
      const report = await opened.dryRun({ archive, onConflict: 'fail' }, () => {
        alone ??= askForAlone(instance)
        written ??= instance.report(['mkdir', '.inbox/Later', '--user', 'root'])
      })
      expect(report.plan).toMatchObject({ conflicts: 1, folders: { create: 1 } })
      await written
      expect(alone).toBe('free')
    })
  })

  test('says what becomes of what each user has', async () => {
    await withArchive(async (instance, archive) => {
      const { stdout } = await instance.run(['restore', archive, '--dry-run'])
      expect(stdout).toMatch(/^ {2}ada +folders: 3 there already; documents: 1 in conflict$/m)
      expect(stdout).toMatch(/^ {2}root +folders: 1 new, 2 there already; documents: none$/m)
    })
  })

  const items: readonly (PlannedItem & { readonly word: string })[] = [
    { kind: 'user', username: 'ada', name: 'ada', action: 'unchanged', word: 'unchanged', reason: '' },
    { kind: 'tag', username: 'ada', name: 'paid', action: 'unchanged', word: 'unchanged', reason: '' },
    { kind: 'folder', username: 'ada', name: '.home', action: 'unchanged', word: 'unchanged', reason: '' },
    { kind: 'folder', username: 'ada', name: '.home/Taxes', action: 'unchanged', word: 'unchanged', reason: '' },
    {
      kind: 'document',
      username: 'ada',
      name: doc,
      action: 'conflict',
      word: 'conflict',
      reason: 'it was changed since',
    },
    { kind: 'folder', username: 'ada', name: '.inbox', action: 'unchanged', word: 'unchanged', reason: '' },
    { kind: 'user', username: 'root', name: 'root', action: 'adopt', word: 'adopt', reason: '' },
  ]

  test('lists everything where that is asked for, user by user and in the order of the tree', async () => {
    await withArchive(async (instance, archive, folder) => {
      const before = await everything(instance)
      const args = ['restore', archive, '--dry-run', '--list']
      const people = await instance.run(args)
      expect(people.exitCode).toBe(5)
      const lines = people.stdout.split('\n').filter((line) => / of (ada|root)\b/.test(line))
      expect(lines.slice(0, 6)).toEqual(
        items
          .slice(0, 6)
          .map(
            ({ word, kind: what, name, username, reason }) =>
              `${word}: ${what} ${name} of ${username}${reason === '' ? '' : `: ${reason}`}`,
          ),
      )
      expect(lines).toContain('new: folder .inbox/New of root')
      expect(lines).toHaveLength(10)

      const plan = join(folder, 'plan.json')
      const { exitCode, stdout } = await instance.run(['--json', ...args, '--save-plan', plan])
      expect(exitCode).toBe(5)
      const listed = JSON.parse(stdout) as DryRunReport
      expect(listed.plan.items.slice(0, 6)).toEqual(items.slice(0, 6).map(({ word: _, ...item }) => item))
      expect(listed.plan.items).toHaveLength(10)
      const short = JSON.parse((await instance.run(['--json', 'restore', archive, '--dry-run'])).stdout) as DryRunReport
      expect(short.plan.items.map(({ action }) => action)).toEqual(['conflict'])
      const without = (report: DryRunReport) => ({ ...report, bytesFree: 0, plan: { ...report.plan, items: [] } })
      expect(without(listed)).toEqual(without(short))
      expect(await everything(instance)).toEqual(before)
      expect((await instance.run(['restore', archive, '--list'])).exitCode).toBe(2)
    })
  })

  test('lists a tree that is large and deep, and all of it', async () => {
    await using instance = await createCommandInstance(kind)
    await using place = await temporaryFolder()
    const archive = join(place.path, 'archive.tar.gz')
    const deep = Array.from({ length: 50 }, (_, depth) => papermerge.folder(`.home/${'d/'.repeat(depth + 1)}`))
    const wide = Array.from({ length: 3000 }, (_, n) => papermerge.folder(`.home/${n}/`))
    const nodes = [papermerge.folder('.inbox/'), papermerge.folder('.home/'), ...wide, ...deep]
    await packPapermerge(archive, [papermerge.user({ nodes })])
    const report = await instance.report<DryRunReport>(['restore', archive, '--dry-run', '--list'])
    expect(report.plan.items.filter(({ kind: what }) => what === 'folder')).toHaveLength(3052)
    expect(report.plan.items.map(({ name }) => name)).toContain(`.home/${'d/'.repeat(49)}d`)
    const short = await instance.report<DryRunReport>(['restore', archive, '--dry-run'])
    expect(short.plan.items).toEqual([])
  })

  test('says what the archive cannot prove, and how much of it is not understood', async () => {
    await withArchive(async (instance, archive, folder) => {
      const args = ['--dry-run', '--on-conflict', 'skip']
      const own = await instance.run(['restore', archive, ...args])
      expect(own.stdout).toMatch(/^Proved +every file, by its SHA-256$/m)
      expect(own.stdout).toMatch(/^Not proved +\d+ folders, 1 link: in no hash, and nothing is restored from them$/m)
      expect(own.stdout).toMatch(/^Not understood +nothing$/m)

      const newer = join(folder, 'newer.tar.gz')
      const change = editMetadata(({ strongroom, users }) => {
        strongroom['preferences'] = { theme: 'dark' }
        for (const user of users) user.strongroom['quota'] = 5
      })
      await rewriteArchive({ from: archive, to: newer, scratch: folder }, change)
      const odd = await instance.run(['restore', newer, ...args])
      expect(odd.stdout).toMatch(/^Not understood +2 things, which the warnings name: ignored$/m)

      const foreign = join(folder, 'foreign.tar.gz')
      const nodes = [papermerge.folder('.inbox/'), papermerge.folder('.home/'), papermerge.document('.home/scan.pdf')]
      await packPapermerge(foreign, [papermerge.user({ nodes })], [docsFile(1, 'scan.pdf', 'x')])
      const theirs = await instance.run(['restore', foreign, ...args])
      expect(theirs.stdout).toMatch(/^Proved +nothing$/m)
      expect(theirs.stdout).toMatch(/^Not proved +2 files: the archive carries no hashes$/m)
    })
  })

  test('counts users who were taken away as new again', async () => {
    await withArchive(async (instance, archive) => {
      await fillDirectly(instance, async ({ tx }) => void (await tx.deleteFrom('users').execute()))
      const { plan } = await instance.report<DryRunReport>(['restore', archive, '--dry-run'])
      expect(plan).toMatchObject({ users: { create: 2 }, documents: { create: 1 }, conflicts: 0 })
    })
  })
})
