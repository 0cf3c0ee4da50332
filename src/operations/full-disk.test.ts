import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCommand, type CommandOptions } from '../../test/support/command-line.ts'
import {
  archivedRows,
  createCommandInstance,
  listMedia,
  type CommandInstance,
} from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { fillPlain } from '../../test/support/fixtures.ts'
import { hasSmallDisks, smallDisk } from '../../test/support/small-disk.ts'
import { temporaryFolder } from '../../test/support/small-instance.ts'

const megabyte = 1 << 20

const codeOf = ({ exitCode, stdout }: { exitCode: number; stdout: string }): string =>
  `${exitCode} ${(JSON.parse(stdout) as { error: { code: string } }).error.code}`

/** The same instance with its files elsewhere, for a disk of its own. */
async function instanceIn(
  dataDirectory: string,
  url: string | undefined,
): Promise<Pick<CommandInstance, 'dataDirectory' | 'url' | 'run'>> {
  const base = ['--data', dataDirectory, ...(url === undefined ? [] : ['--database', url])]
  const run = (args: readonly string[], options?: CommandOptions) => runCommand([...base, ...args], options)
  expect((await run(['migrate'])).exitCode).toBe(0)
  expect((await run(['user', 'add', 'eve'], { stdin: 'secret\n' })).exitCode).toBe(0)
  return { dataDirectory, url, run }
}

const contentOf = async (instance: CommandInstance) => ({
  rows: await archivedRows(instance),
  media: await listMedia(instance),
  scratch: await readdir(join(instance.dataDirectory, 'tmp')),
})

describe.skipIf(!hasSmallDisks('what happens on a full disk')).each(databases)(
  'on a full disk, with $name,',
  (kind) => {
    test('a backup is refused before it begins where the archive cannot fit', async () => {
      await using instance = await createCommandInstance(kind)
      await using disk = await smallDisk(2 * megabyte)
      await fillPlain(instance, 6, megabyte)
      expect(codeOf(await instance.run(['--json', 'backup', disk.path]))).toBe('9 file.too_little_space')
      expect(await readdir(disk.path)).toEqual([])
    })

    test('a backup that meets the end of the disk leaves nothing, and another file stays as it was', async () => {
      await using instance = await createCommandInstance(kind)
      await using disk = await smallDisk(4 * megabyte)
      await fillPlain(instance, 6, megabyte)
      const before = await contentOf(instance)
      expect(codeOf(await instance.run(['--json', 'backup', join(disk.path, 'x.tar.gz')]))).toBe('9 file.no_space')
      expect(await readdir(disk.path)).toEqual([])
      expect(await contentOf(instance)).toEqual(before)
    })

    test('a restore is refused before it changes anything where the files cannot fit', async () => {
      await using instance = await createCommandInstance(kind)
      await using place = await kind.place()
      await using folder = await temporaryFolder()
      await using disk = await smallDisk(4 * megabyte)
      await fillPlain(instance, 5, megabyte)
      const path = join(folder.path, 'archive.tar.gz')
      await instance.report(['backup', path])
      const into = (await instanceIn(join(disk.path, 'data'), place.url)) as CommandInstance
      const before = await contentOf(into)
      expect(codeOf(await into.run(['--json', 'restore', path]))).toBe('9 file.too_little_space')
      expect(await contentOf(into)).toEqual(before)
      expect((await into.run(['check'])).exitCode).toBe(0)
    })

    test('a restore that meets the end of the disk leaves the instance as it was', async () => {
      await using instance = await createCommandInstance(kind)
      await using place = await kind.place()
      await using folder = await temporaryFolder()
      await using disk = await smallDisk(4 * megabyte)
      // Many files of few bytes take much more than their bytes, which is all that can be told before.
      await fillDirectly(instance, async ({ user, node, version }) => {
        const ada = await user({ username: 'ada' })
        for (let index = 0; index < 600; index += 1) {
          const document = await node({ user_id: ada.id, parent_id: ada.home, title: `${index}`, type: 'document' })
          await version({ user: ada.id, document }, { file_name: 'x' }, `${index}`)
        }
      })
      const path = join(folder.path, 'archive.tar.gz')
      await instance.report(['backup', path])
      const into = (await instanceIn(join(disk.path, 'data'), place.url)) as CommandInstance
      const before = await contentOf(into)
      expect(codeOf(await into.run(['--json', 'restore', path]))).toMatch(/^9 (?:file|database)\.no_space$/)
      expect(await contentOf(into)).toEqual(before)
      expect((await into.run(['check'])).exitCode).toBe(0)
      expect((await into.run(['user', 'add', 'again'], { stdin: 'secret\n' })).exitCode).toBe(0)
    })

    test('an archive from standard input that does not fit beside the data is refused, and what came of it goes', async () => {
      await using instance = await createCommandInstance(kind)
      await using place = await kind.place()
      await using disk = await smallDisk(4 * megabyte)
      await fillPlain(instance, 5, megabyte)
      const { stdoutBytes } = await instance.run(['backup', '-'])
      const into = (await instanceIn(join(disk.path, 'data'), place.url)) as CommandInstance
      const before = await contentOf(into)
      expect(codeOf(await into.run(['--json', 'restore', '-'], { stdin: stdoutBytes }))).toBe('9 file.no_space')
      expect(await contentOf(into)).toEqual(before)
    })
  },
)
