import { execFile } from 'node:child_process'
import { chmod, chown, mkdir, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { addDocument, fileOf, papermergeOfAda, uuid } from '../../test/support/papermerge-of-ada.ts'
import { needs } from '../../test/support/needs.ts'
import { fillSmall, temporaryFolder, type SmallInstance } from '../../test/support/small-instance.ts'
import type { BackupReport } from '../contract/backup-report.ts'
import type { RestoreReport } from '../contract/restore-report.ts'

// Root may read and write everything, so the program runs as somebody who owns the instance and nothing else.
const somebody = 65_534
const program = resolve(import.meta.dirname, '../main.ts')

async function canBecomeSomebody(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false
  return promisify(execFile)(process.execPath, [program, '--version'], { uid: somebody, gid: somebody, cwd: '/' }).then(
    () => true,
    () => false,
  )
}

const asSomebody = needs(
  'the right to run the program as another user',
  await canBecomeSomebody(),
  'what happens without permission',
)

describe.skipIf(!asSomebody)('without permission', () => {
  let instance: CommandInstance
  let place: SmallInstance
  let folder: Awaited<ReturnType<typeof temporaryFolder>>

  beforeAll(async () => {
    instance = await createCommandInstance(databases[0]!)
    place = await fillSmall(instance)
    folder = await temporaryFolder()
    const above = join(instance.dataDirectory, '..')
    for (const path of [above, folder.path]) await chmod(path, 0o755)
    await chown(instance.dataDirectory, somebody, somebody)
    for (const each of await readdir(instance.dataDirectory, { recursive: true })) {
      await chown(join(instance.dataDirectory, each), somebody, somebody)
    }
  })
  afterAll(async () => {
    await folder[Symbol.asyncDispose]()
    await instance[Symbol.asyncDispose]()
  })

  async function run<T>(...args: readonly string[]): Promise<{ readonly exitCode: number; readonly report: T }> {
    const all = [program, '--data', instance.dataDirectory, '--json', ...args]
    const options = { uid: somebody, gid: somebody, cwd: '/', env: {} }
    const { code, stdout } = await promisify(execFile)(process.execPath, all, options).then(
      (result) => ({ code: 0, stdout: result.stdout }),
      (error: unknown) => error as { code: number; stdout: string },
    )
    return { exitCode: code, report: JSON.parse(stdout) as T }
  }

  const failure = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, report } = await run<{ error: { code: string } }>(...args)
    return `${exitCode} ${report.error.code}`
  }

  test('a folder that may not be written takes no backup', async () => {
    expect(await failure('backup', folder.path)).toBe('8 file.denied')
    expect(await failure('backup', join(folder.path, 'x.tar.gz'))).toBe('8 file.denied')
    expect(await failure('backup', join(folder.path, 'new', '/'))).toBe('8 file.denied')
    expect(await readdir(folder.path)).toEqual([])
  })

  test('a folder that may not be entered is named', async () => {
    const closed = join(folder.path, 'closed')
    await mkdir(closed, { mode: 0o700 })
    expect(await failure('backup', join(closed, 'x.tar.gz'))).toBe('8 file.denied')
    expect(await failure('backup', closed)).toBe('8 file.denied')
    expect(await failure('verify', join(closed, 'x.tar.gz'))).toBe('8 file.denied')
  })

  test('an archive that may not be read is not restored, and belongs to its maker alone', async () => {
    const path = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', path])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await failure('inspect', path)).toBe('8 file.denied')
    expect(await failure('verify', path)).toBe('8 file.denied')
  })

  test('an original that may not be read is left out, told and declared, and all else is in the archive', async () => {
    const open = join(folder.path, 'open')
    await mkdir(open)
    await chown(open, somebody, somebody)
    const original = join(instance.dataDirectory, 'media', place.original)
    await chown(original, 0, 0)
    await chmod(original, 0o600)
    try {
      const { exitCode, report } = await run<BackupReport>('backup', open)
      expect([exitCode, report.leftOut.byCode]).toEqual([3, { 'original.unreadable': 1 }])
      expect(report.leftOut.listed[0]?.message).toContain(place.original)
      const proof = await instance.report<{ warnings: { byCode: object } }>(['verify', report.archive])
      expect(proof).toMatchObject({ sound: true, warnings: { byCode: { 'version.lost': 1 } } })
    } finally {
      await chown(original, somebody, somebody)
    }
  })

  test('a file of a Papermerge that may not be read ends its import, or is named and left out', async () => {
    await using papermerge = await papermergeOfAda('SQLite')
    await addDocument(papermerge, 10, 'closed.pdf', { content: 'closed' })
    await addDocument(papermerge, 11, 'open.pdf', { content: 'open' })
    await chmod(join(papermerge.media, '..'), 0o755)
    await chmod(join(papermerge.media, fileOf(uuid(10))), 0o600)
    const before = await papermerge.files()
    const refused = await run<{ error: { code: string } }>(...papermerge.args)
    expect(refused).toMatchObject({ exitCode: 8, report: { error: { code: 'file.denied' } } })
    const { exitCode, report } = await run<RestoreReport>(...papermerge.args, '--keep-going', '--replace')
    expect(exitCode).toBe(3)
    expect(report.leftOut.byCode).toEqual({ 'file.denied': 1 })
    expect(report.plan.documents).toEqual({ create: 2 })
    expect(report.bytes).toBe(4)
    expect(await papermerge.files()).toEqual(before)
  })
})
