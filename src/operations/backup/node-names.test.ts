import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createCommandInstance } from '../../../test/support/command-instances.ts'
import { databases } from '../../../test/support/databases.ts'
import { fillDirectly } from '../../../test/support/filler.ts'
import { expectSoundArchive } from '../../../test/support/sound-archive.ts'

test('a folder beside the roots is told from its namesakes elsewhere, which Papermerge would take for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'names-'))
  try {
    await using instance = await createCommandInstance(databases[0]!)
    await fillDirectly(instance, async ({ user, node, version }) => {
      const ada = await user({ username: 'ada' })
      const beside = await node({ user_id: ada.id, parent_id: null, title: 'Taxes' })
      const namesake = await node({ user_id: ada.id, parent_id: ada.home, title: 'Taxes' })
      for (const parent_id of [beside, namesake]) {
        const document = await node({ user_id: ada.id, parent_id, type: 'document', title: 'scan.pdf' })
        await version({ user: ada.id, document }, { file_name: 'scan.pdf' }, `in ${parent_id}`)
      }
    })
    const archive = join(folder, 'a.tar.gz')
    await instance.report(['backup', archive])
    await expectSoundArchive(archive)
    await using copy = await createCommandInstance(databases[0]!)
    await copy.report(['restore', archive])
    expect((await copy.run(['tree', '--json'])).stdout).toBe((await instance.run(['tree', '--json'])).stdout)
  } finally {
    await rm(folder, { recursive: true })
  }
})
