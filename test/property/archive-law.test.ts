import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { archivedRows, createCommandInstance, listMedia } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { expectSoundArchive } from '../support/sound-archive.ts'
import { randomInstance } from './random-instance.ts'
import { fillAtRandom } from './random-rows.ts'

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-law-'))
})
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true })
})

async function contentOf(instance: CommandInstance): Promise<unknown> {
  const { stdout } = await instance.run(['tree', '--json', '--text'])
  return {
    tree: stdout,
    rows: await archivedRows(instance),
    media: [...(await listMedia(instance)).values()].toSorted(),
  }
}

const runs = Number(process.env['STRONGROOM_LAW_RUNS'] ?? 25)

test.each(databases)(
  'on $name, whatever an instance holds goes into an archive that both checkers pass, and comes back',
  async (kind) => {
    const archive = join(scratch, `${kind.name}.tar.gz`)
    const law = fc.asyncProperty(randomInstance, async (random) => {
      await using original = await createCommandInstance(kind)
      await fillAtRandom(original, random)
      await original.report(['backup', archive, '--overwrite'])
      await expectSoundArchive(archive)
      await using copy = await createCommandInstance(kind)
      await copy.report(['restore', archive])
      expect(await contentOf(copy)).toEqual(await contentOf(original))
      await copy.report(['check'])
    })
    await fc.assert(law, { endOnFailure: true, numRuns: kind.name === 'SQLite' ? runs : Math.ceil(runs / 4) })
  },
)
