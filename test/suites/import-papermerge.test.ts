import { describe, expect, test } from 'vitest'
import type { RestoreReport } from '../../src/contract/restore-report.ts'
import { createCommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases } from '../support/databases.ts'
import { papermergeOfAda } from '../support/papermerge-of-ada.ts'
import { createPapermerge, loadBackup, papermergeKinds } from '../support/papermerge.ts'
import { everything } from '../support/restoring.ts'
import { samples } from '../support/samples.ts'

const golden = samples.filter(({ name }) => name === 'golden-2.1.9.tar.gz')

describe.each(papermergeKinds)('a living Papermerge on %s', (kind) => {
  describe.each(databases)('into an instance on $name', (ours) => {
    test.each(golden)('is what a restore of its backup would be: $name', async ({ path }) => {
      await using papermerge = await createPapermerge(kind)
      await loadBackup(papermerge, path)
      const before = await papermerge.files()
      await using living = await createCommandInstance(ours)
      await using restored = await createCommandInstance(ours)
      const report = await living.report<RestoreReport>(papermerge.args)
      expect(report).toMatchObject({ operation: 'import-papermerge', leftOut: { total: 0 } })
      const backup = await restored.report<RestoreReport>(['restore', path])
      expect(await living.report(['tree', '--text'])).toEqual(await restored.report(['tree', '--text']))
      expect(await everything(living)).toEqual(await everything(restored))
      expect(report.documents).toBe(backup.documents)

      const again = await living.report<RestoreReport>(['restore', path])
      for (const kind of ['users', 'tags', 'folders', 'documents'] as const) {
        expect(Object.keys(again.plan[kind])).toEqual(Object.keys(again.plan[kind]).length === 0 ? [] : ['unchanged'])
      }
      const twice = await living.report<RestoreReport>(papermerge.args)
      expect(twice.plan.documents).toEqual({ unchanged: report.documents })
      await living.report(['check'])
      expect(await papermerge.files()).toEqual(before)
    })
  })

  test('is what --database names where nothing else does, and the instance is then that of --data', async () => {
    await using papermerge = await papermergeOfAda(kind)
    await using living = await createCommandInstance(databases[0]!)
    await using named = await createCommandInstance(databases[0]!)
    await living.report<RestoreReport>(papermerge.args)
    const { media, from } = papermerge
    const args = ['--json', 'import-papermerge', '--database', from, '--media', media, '--data', named.dataDirectory]
    const { exitCode, stdout } = await runCommand(args)
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { operation: 'import-papermerge' }])
    expect(await everything(named)).toEqual(await everything(living))
  })
})
