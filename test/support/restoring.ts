import { expect } from 'vitest'
import type { ConflictChoice, DryRunReport } from '../../src/contract/restore-plan.ts'
import type { RestoreReport } from '../../src/contract/restore-report.ts'
import { archivedRows, listMedia, type CommandInstance } from './command-instances.ts'

/** All that an instance holds, to be compared: every archived column, and every file. */
export async function everything(instance: CommandInstance): Promise<unknown> {
  return { rows: await archivedRows(instance), media: [...(await listMedia(instance))] }
}

/**
 * Restores into a living instance, and holds it to what every restore promises: its dry run changes nothing and says the
 * same, the second time nothing changes, and no file is lost or left over.
 */
export async function restoreTwice(
  instance: CommandInstance,
  archive: string,
  choice: ConflictChoice,
): Promise<RestoreReport> {
  const args = ['restore', archive, '--on-conflict', choice]
  const before = await everything(instance)
  const planned = await instance.report<DryRunReport>([...args, '--dry-run'])
  expect(await everything(instance)).toEqual(before)
  const report = await instance.report<RestoreReport>(args)
  expect({ ...report.plan, digest: '' }).toEqual({ ...planned.plan, digest: '' })
  const once = await everything(instance)
  await instance.report(args)
  expect(await everything(instance), 'after the same again').toEqual(once)
  await instance.report(['check'])
  return report
}

/** A restore that conflicts: it must be refused, change nothing, and say how many there are. */
export async function refusedRestore(instance: CommandInstance, archive: string, conflicts: number): Promise<void> {
  const before = await everything(instance)
  const args = ['--json', 'restore', archive, '--on-conflict', 'fail']
  const planned = await instance.run([...args, '--dry-run'])
  expect(planned.exitCode, planned.stdout).toBe(5)
  expect((JSON.parse(planned.stdout) as DryRunReport).plan.conflicts).toBe(conflicts)
  const refused = await instance.run(args)
  expect(refused.exitCode).toBe(5)
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'restore.conflicts', details: { conflicts } } })
  expect(await everything(instance)).toEqual(before)
}
