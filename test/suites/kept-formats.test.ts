import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RestoreReport } from '../../src/contract/restore-report.ts'
import { createCommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases } from '../support/databases.ts'
import { expectSoundArchive } from '../support/sound-archive.ts'

/** One archive of each format that was ever released, and the tree that came of it then. test/formats/README.md. */
const folder = join(import.meta.dirname, '..', 'formats')
const kept = readdirSync(folder)
  .filter((name) => name.endsWith('.tar.gz'))
  // The instance that came of format-2 was backed up again when archives got a directory.
  .map((name) => ({
    name,
    path: join(folder, name),
    base: join(folder, name.replace('.tar.gz', '').replace('directory-1', 'format-2')),
  }))

test('there is a kept archive of every format, and of the directory', () => {
  expect(kept.map(({ name }) => name)).toEqual(['directory-1.tar.gz', 'format-1.tar.gz', 'format-2.tar.gz'])
})

describe.each(kept)('the kept archive $name', ({ name, path, base }) => {
  test('is proved, and lawful for every other reader', async () => {
    const { exitCode, stdout } = await runCommand(['verify', path, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ sound: true, proved: true })
    expect(exitCode).toBe(0)
    await expectSoundArchive(path)
  })

  test.each(databases)('comes back on $name as it did when it was made', async (kind) => {
    await using instance = await createCommandInstance(kind)
    const report = await instance.report<RestoreReport>(['restore', path])
    expect(report.proved).toBe(true)
    const { stdout } = await instance.run(['tree', '--json', '--text'])
    expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(`${base}.tree.json`, 'utf8')))
    if (name !== 'format-1.tar.gz') {
      const trash = await instance.report(['trash', 'list', '--user', 'ada'])
      expect(trash).toEqual(JSON.parse(await readFile(`${base}.trash.json`, 'utf8')))
    }
    await instance.report(['check'])
  })
})

test('the kept archive with a directory is shown through it as it is restored', async () => {
  const path = join(folder, 'directory-1.tar.gz')
  const summary = await runCommand(['inspect', path, '--json'])
  expect(JSON.parse(summary.stdout)).toMatchObject({ reading: 'part' })
  const { stdout } = await runCommand(['inspect', path, '--json', '--text'])
  expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(join(folder, 'format-2.tree.json'), 'utf8')))
})
