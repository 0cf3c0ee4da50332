import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkArchiveLayout } from '../checker/archive-checker.ts'
import { archivedRows, createCommandInstance, listMedia } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import type { TestDatabases } from '../support/databases.ts'
import { fillDirectly } from '../support/filler.ts'
import { expectSoundArchive } from '../support/sound-archive.ts'

/** What random instances are too small to reach. */

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-extremes-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const contentOf = async (instance: CommandInstance): Promise<unknown> => ({
  tree: (await instance.run(['tree', '--json', '--text'])).stdout,
  rows: await archivedRows(instance),
  media: [...(await listMedia(instance)).values()].toSorted(),
})

async function roundTrip(
  kind: TestDatabases,
  fill: (instance: CommandInstance) => Promise<void>,
  expectSound: (archive: string) => Promise<void> = expectSoundArchive,
): Promise<{ readonly before: unknown; readonly after: unknown }> {
  await using original = await createCommandInstance(kind)
  await fill(original)
  const archive = join(scratch, `${kind.name}.tar.gz`)
  await original.report(['backup', archive, '--overwrite'])
  await expectSound(archive)
  await using copy = await createCommandInstance(kind)
  await copy.report(['restore', archive])
  await copy.report(['check'])
  return { before: await contentOf(original), after: await contentOf(copy) }
}

/** A letter or two of each part of Unicode that has letters: every script is among them. */
function lettersOfEveryScript(): string[] {
  const letters: string[] = []
  for (let start = 0; start < 0x32000; start += 128) {
    const block = Array.from({ length: 128 }, (_, offset) => String.fromCodePoint(start + offset))
    letters.push(...block.filter((character) => /\p{L}/u.test(character)).slice(0, 2))
  }
  return letters
}

/** Ways to write what somebody takes for the same. */
const twins = (title: string): string[] => [
  ...new Set([title, title.normalize('NFC'), title.normalize('NFD'), title.normalize('NFKC'), title.toUpperCase()]),
  ...new Set([title.toLowerCase(), ` ${title}`, `${title} `, `${title}.`]),
]

describe.each(databases)('on $name', (kind) => {
  test('a folder with thousands of children in every script, and the twins of each, comes back', async () => {
    const titles = [...new Set(lettersOfEveryScript().flatMap((letter) => twins(`${letter}é`)))]
    expect(titles.length).toBeGreaterThan(2000)
    const { before, after } = await roundTrip(kind, (instance) =>
      fillDirectly(instance, async ({ user, node, version }) => {
        const { id, home } = await user({ username: 'ada' })
        for (const [index, title] of titles.entries()) {
          const type = index % 10 === 0 ? 'document' : 'folder'
          const made = await node({ user_id: id, parent_id: home, title, type })
          if (type === 'document') await version({ user: id, document: made }, { file_name: title }, `${index}`)
        }
      }),
    )
    expect(after).toEqual(before)
  })

  test('folders 1,500 deep with documents on the way come back', async () => {
    const { before, after } = await roundTrip(
      kind,
      (instance) =>
        fillDirectly(instance, async ({ user, node, version }) => {
          const { id, home } = await user({ username: 'ada' })
          let parent_id = home
          for (let depth = 1; depth <= 1500; depth += 1) {
            parent_id = await node({ user_id: id, parent_id, title: depth % 2 === 0 ? 'folder' : `${depth}` })
            if (depth % 100 !== 0) continue
            const document = await node({ user_id: id, parent_id, title: 'deep.pdf', type: 'document' })
            await version({ user: id, document }, { file_name: 'deep.pdf' }, `at ${depth}`)
          }
        }),
      // What Papermerge makes of each folder is worked out from its whole path, which takes long at this depth.
      async (archive) => expect(await checkArchiveLayout(archive)).toEqual([]),
    )
    expect(after).toEqual(before)
  })

  test('the longest names that there can be come back, nested, and beside others that differ in the last character', async () => {
    const { before, after } = await roundTrip(kind, (instance) =>
      fillDirectly(instance, async ({ user, node, version, tag }) => {
        const { id, home } = await user({ username: '𝕏'.repeat(500) })
        let parent_id = home
        for (const letter of ['x', 'é', 'e\u0301', '長', '𝕏', '.', ' ', '/']) {
          const stem = letter.repeat(4095 / [...letter].length)
          for (const end of ['y', 'z']) {
            const document = await node({ user_id: id, parent_id, title: stem + end, type: 'document' })
            await tag({ user_id: id, name: stem + end }, [document])
            await version({ user: id, document }, { file_name: stem + end }, stem)
          }
          parent_id = await node({ user_id: id, parent_id, title: `${stem}f` })
        }
      }),
    )
    expect(after).toEqual(before)
  })
})
