import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RestoreReport } from '../../src/contract/restore-report.ts'
import { createCommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { everything } from '../support/restoring.ts'
import { samples } from '../support/samples.ts'
import { fillSmall, temporaryFolder } from '../support/small-instance.ts'

/** Restores without a choice into an instance that has a life of its own; gives it before and after the second time. */
async function restoreTwice(kind: (typeof databases)[number], archive: string): Promise<readonly unknown[]> {
  await using instance = await createCommandInstance(kind)
  await instance.report(['user', 'add', 'keeper', '--superuser'], { stdin: 'kept\n' })
  await instance.report(['mkdir', '.home/Own', '--user', 'keeper'])
  const first = await instance.report<RestoreReport>(['restore', archive])
  expect(first.plan.conflicts).toBe(0)
  const before = await everything(instance)
  const { plan } = await instance.report<RestoreReport>(['restore', archive])
  for (const counts of [plan.users, plan.tags, plan.folders, plan.documents])
    expect(Object.keys(counts).filter((action) => action !== 'unchanged')).toEqual([])
  expect(plan).toMatchObject({ trashed: 0, conflicts: 0, items: [] })
  await instance.report(['check'])
  return [before, await everything(instance)]
}

describe.each(databases)('the same archive restored twice on $name changes nothing the second time:', (kind) => {
  test('one of ours', async () => {
    await using source = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillSmall(source)
    const archive = join(folder.path, 'archive.tar.gz')
    await source.report(['backup', archive])
    const [once, twice] = await restoreTwice(kind, archive)
    expect(twice).toEqual(once)
  })

  const restored = samples.filter(({ name, must }) => /^(golden|odd)-/.test(name) && must !== 'refuse')
  test.each(restored)('$name', async ({ path }) => {
    const [once, twice] = await restoreTwice(kind, path)
    expect(twice).toEqual(once)
  })
})
