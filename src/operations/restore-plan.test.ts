import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly, type Filler } from '../../test/support/filler.ts'
import { everything } from '../../test/support/restoring.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import type { DryRunReport } from '../contract/restore-plan.ts'
import type { RestoreReport } from '../contract/restore-report.ts'

interface Place {
  readonly instance: CommandInstance
  readonly archive: string
  readonly plan: string
  readonly planned: DryRunReport
}

const user = ['--user', 'ada']
const doc = '.home/Taxes/2023.pdf'

describe.each(databases)('the plan of a restore on $name', (kind) => {
  /** The small instance with a document that came after its backup and one that was changed, and a plan to overwrite. */
  async function withPlan(work: (place: Place) => Promise<void>): Promise<void> {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillSmall(instance)
    const archive = join(folder.path, 'archive.tar.gz')
    const plan = join(folder.path, 'plan.json')
    await instance.report(['backup', archive])
    await instance.report(['tag', 'add', doc, 'urgent', ...user])
    await instance.report(['mkdir', '.home/Elsewhere', ...user])
    const args = ['restore', archive, '--on-conflict', 'overwrite', '--dry-run', '--save-plan', plan]
    const planned = await instance.report<DryRunReport>(args)
    await work({ instance, archive, plan, planned })
  }

  const directly = (instance: CommandInstance, work: (filler: Filler) => Promise<unknown>): Promise<void> =>
    fillDirectly(instance, async (filler) => void (await work(filler)))

  /** The code of the error where the plan is carried out; nothing may have changed. */
  async function refusal({ instance, archive, plan }: Place): Promise<string> {
    const before = await everything(instance)
    const { exitCode, stdout } = await instance.run(['--json', 'restore', archive, '--plan', plan])
    expect(exitCode).toBe(5)
    expect(await everything(instance)).toEqual(before)
    return (JSON.parse(stdout) as { error: { code: string } }).error.code
  }

  test('is carried out as it stands, with its own numbers', async () => {
    await withPlan(async ({ instance, archive, plan, planned }) => {
      expect(planned.plan).toMatchObject({ documents: { overwrite: 1 }, trashed: 1, conflicts: 0 })
      const report = await instance.report<RestoreReport>(['restore', archive, '--plan', plan])
      expect(report.plan).toEqual(planned.plan)
      await instance.report(['check'])
    })
  })

  test('changes nothing while it is made, and is made while others work', async () => {
    await withPlan(async ({ instance, archive, planned }) => {
      const before = await everything(instance)
      const again = await instance.report<DryRunReport>(['restore', archive, '--on-conflict', 'overwrite', '--dry-run'])
      expect(again).toEqual({ ...planned, bytesFree: again.bytesFree })
      expect(await everything(instance)).toEqual(before)
    })
  })

  test('tells people each thing that is neither new nor there already, and how to choose', async () => {
    await withPlan(async ({ instance, archive }) => {
      const { exitCode, stdout } = await instance.run(['restore', archive, '--dry-run'])
      expect(exitCode).toBe(5)
      expect(stdout).toContain(`conflict: document ${doc} of ada`)
      expect(stdout).toContain('1 conflict: choose with --on-conflict skip, overwrite or keep-both.')
    })
  })

  const outdated: readonly [string, (place: Place) => Promise<unknown>][] = [
    ['the archive', ({ archive, instance }) => instance.report(['backup', archive, '--overwrite'])],
    [
      'a user of it',
      ({ instance }) =>
        directly(instance, ({ tx }) =>
          tx.updateTable('users').set({ email: 'else@example.org' }).where('username', '=', 'ada').execute(),
        ),
    ],
    ['a document of it', ({ instance }) => instance.report(['tag', 'add', doc, 'more', ...user])],
    ['the place of a document', ({ instance }) => instance.report(['mv', doc, '.home/other.pdf', ...user])],
    ['the place of a folder', ({ instance }) => instance.report(['mv', '.home/Taxes', '.home/Money', ...user])],
    ['the trash, where a document of it now lies', ({ instance }) => instance.report(['rm', doc, ...user])],
    [
      'a tag of it',
      ({ instance }) => instance.report(['tag', 'add', '.home/Taxes', 'paid', '--bg-color', '#123456', ...user]),
    ],
  ]
  test.each(outdated)('is refused whole once %s has changed', async (_, change) => {
    await withPlan(async (place) => {
      await change(place)
      expect(await refusal(place)).toBe('restore.plan_outdated')
    })
  })

  test('is refused once something lies where it would make a document', async () => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillSmall(instance)
    const archive = join(folder.path, 'archive.tar.gz')
    const plan = join(folder.path, 'plan.json')
    await instance.report(['backup', archive])
    await instance.report(['rm', doc, ...user])
    await instance.report(['trash', 'empty', '--yes'])
    const planned = await instance.report<DryRunReport>(['restore', archive, '--dry-run', '--save-plan', plan])
    await instance.report(['mkdir', doc, ...user])
    expect(await refusal({ instance, archive, plan, planned })).toBe('restore.plan_outdated')
  })

  test('is refused once a document that it would move out of the way has changed', async () => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillSmall(instance)
    const archive = join(folder.path, 'archive.tar.gz')
    const plan = join(folder.path, 'plan.json')
    await instance.report(['backup', archive])
    await instance.report(['rm', doc, ...user])
    await instance.report(['trash', 'empty', '--yes'])
    const file = join(folder.path, '2023.pdf')
    await writeFile(file, 'other bytes')
    await instance.report(['import', file, '--into', '.home/Taxes', ...user])
    const args = ['restore', archive, '--on-conflict', 'overwrite', '--dry-run', '--save-plan', plan]
    const planned = await instance.report<DryRunReport>(args)
    await writeFile(file, 'later bytes')
    await instance.report(['import', file, '--into', '.home/Taxes', ...user])
    expect(await refusal({ instance, archive, plan, planned })).toBe('restore.plan_outdated')
  })

  test('is carried out though something else has changed', async () => {
    await withPlan(async ({ instance, archive, plan, planned }) => {
      await instance.report(['mkdir', '.home/Elsewhere/New', ...user])
      await instance.report(['mv', '.home/Elsewhere', '.inbox', ...user])
      await instance.report(['user', 'add', 'eve'], { stdin: 'secret\n' })
      await directly(instance, ({ tx }) => tx.updateTable('users').set({ last_login: null }).execute())
      const report = await instance.report<RestoreReport>(['restore', archive, '--plan', plan])
      expect(report.plan).toEqual(planned.plan)
    })
  })

  test('is for its own archive alone', async () => {
    await withPlan(async (place) => {
      const other = `${place.archive}.other.tar.gz`
      await place.instance.report(['backup', other])
      expect(await refusal({ ...place, archive: other })).toBe('restore.plan_outdated')
    })
  })

  test('is refused where its file is broken, is none, or has been altered', async () => {
    await withPlan(async ({ instance, archive, plan }) => {
      const text = await readFile(plan, 'utf8')
      const before = await everything(instance)
      const run = async (content: string) => {
        await writeFile(plan, content)
        const { exitCode, stdout } = await instance.run(['--json', 'restore', archive, '--plan', plan])
        return { exitCode, code: (JSON.parse(stdout) as { error: { code: string } }).error.code }
      }
      for (const broken of ['', '[]', '{}', text.slice(0, 100), text.replace('"format": 1', '"format": 2')])
        expect(await run(broken)).toEqual({ exitCode: 4, code: 'restore.bad_plan' })
      expect(await run(text.replace('"overwrite"', '"skip"'))).toEqual({ exitCode: 5, code: 'restore.plan_outdated' })
      expect(await everything(instance)).toEqual(before)
    })
  })

  test('is never written over another file, and options that it already settles are wrong use', async () => {
    await withPlan(async ({ instance, archive, plan }) => {
      const text = await readFile(plan, 'utf8')
      const save = ['restore', archive, '--save-plan', plan]
      expect((await instance.run([...save, '--dry-run'])).exitCode).toBe(5)
      expect(await readFile(plan, 'utf8')).toBe(text)
      for (const args of [
        save,
        ['restore', archive, '--plan', plan, '--on-conflict', 'skip'],
        ['restore', archive, '--plan', plan, '--dry-run'],
      ])
        expect((await instance.run(args)).exitCode).toBe(2)
    })
  })
})
