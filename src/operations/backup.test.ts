import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkArchiveLayout } from '../../test/checker/archive-checker.ts'
import { checkForPapermerge } from '../../test/checker/papermerge-checker.ts'
import {
  archivedRows,
  createCommandInstance,
  listMedia,
  sha256OfFile,
  takeIdOf,
  type CommandInstance,
} from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillEverything } from '../../test/support/everything.ts'
import type { BackupReport } from '../contract/backup-report.ts'

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-backup-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const environment = { SOURCE_DATE_EPOCH: '1795525432' }

async function contentOf(instance: CommandInstance): Promise<unknown> {
  const { stdout } = await instance.run(['tree', '--json', '--text'])
  return { tree: JSON.parse(stdout), rows: await archivedRows(instance), media: await listMedia(instance) }
}

describe.each(databases)('a backup of every kind of content on $name', (kind) => {
  const other = databases.find(({ name }) => name !== kind.name)!

  test('comes back into the other database as it was, and the next backup has the same bytes', async () => {
    await using original = await createCommandInstance(kind)
    await using copy = await createCommandInstance(other)
    await fillEverything(original)
    const first = join(scratch, `first ${kind.name}.tar.gz`)
    const second = join(scratch, `second ${kind.name}.tar.gz`)
    const report = await original.report<BackupReport>(['backup', first], { environment })
    expect(report).toMatchObject({ verified: true, leftOut: { total: 0 }, warnings: { total: 0 } })
    expect(await checkArchiveLayout(first)).toEqual([])
    expect(await checkForPapermerge(first)).toMatchObject({ raises: [], loses: [] })
    await copy.report(['restore', first])
    expect(await contentOf(copy)).toEqual(await contentOf(original))
    await copy.report(['check'])
    await takeIdOf(copy, original)
    await copy.report(['backup', second], { environment })
    expect(await sha256OfFile(second)).toBe(await sha256OfFile(first))
  })
  test.each(['symbolic', 'hard'])(
    'unpacks with tar without a word, and its sums hold, with %s links',
    async (links) => {
      await using instance = await createCommandInstance(kind)
      await fillEverything(instance)
      const archive = join(scratch, `${links} ${kind.name}.tar.gz`)
      const cwd = join(scratch, `${links} ${kind.name}`)
      await mkdir(cwd)
      await instance.report(['backup', archive, '--links', links])
      expect(await checkArchiveLayout(archive)).toEqual([])
      const run = promisify(execFile)
      expect(await run('tar', ['xzf', archive], { cwd })).toEqual({ stdout: '', stderr: '' })
      const sums = await run('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd })
      expect(sums).toEqual({ stdout: '', stderr: '' })
      // Each link leads to a file: find prints those that do not.
      expect((await run('find', ['-L', '.', '-type', 'l'], { cwd })).stdout).toBe('')
    },
  )
})
