import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkArchiveLayout } from '../../test/checker/archive-checker.ts'
import { checkForPapermerge } from '../../test/checker/papermerge-checker.ts'
import { archivedRows, createCommandInstance, listMedia } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { unpackArchive } from '../../test/support/odd-archives.ts'
import { fillSmall, temporaryFolder, type SmallInstance } from '../../test/support/small-instance.ts'
import type { BackupReport } from '../contract/backup-report.ts'
import type { CheckReport } from '../contract/check-report.ts'
import type { RestoreReport } from '../contract/restore-report.ts'
import type { VerifyReport } from '../contract/verify-report.ts'

interface Damage {
  readonly name: string
  readonly of: keyof SmallInstance
  readonly what: 'missing' | 'changed'
  harm(path: string): Promise<unknown>
  /** What is restored in its place; nothing where the file is missing. */
  readonly left?: string
}

const damages: readonly Damage[] = [
  { name: 'a missing original', of: 'original', what: 'missing', harm: (path) => rm(path) },
  { name: 'a missing original of an earlier version', of: 'earlier', what: 'missing', harm: (path) => rm(path) },
  { name: 'a missing sidecar', of: 'sidecar', what: 'missing', harm: (path) => rm(path) },
  {
    name: 'a folder in the place of an original',
    of: 'original',
    what: 'missing',
    harm: (path) => rm(path).then(() => mkdir(path)),
  },
  {
    name: 'a link in the place of an original',
    of: 'original',
    what: 'missing',
    harm: (path) => rm(path).then(() => symlink('/etc/hostname', path)),
  },
  ...(['original', 'sidecar'] as const).flatMap((of): Damage[] =>
    [
      ['other bytes', of === 'original' ? 'second bytez' : '<svg/]'],
      ['more bytes', 'more bytes than there were'],
      ['fewer bytes', 'few'],
      ['no bytes', ''],
    ].map(([left = '', content = '']) => ({
      name: `${of === 'original' ? 'an original' : 'a sidecar'} with ${left}`,
      of,
      what: 'changed',
      harm: (path) => writeFile(path, content),
      left: content,
    })),
  ),
]

describe.each(databases)('on $name', (kind) => {
  const other = databases.find(({ name }) => name !== kind.name)!

  // What is done to files does not depend on the database; the one at the other end is always the other.
  test.each(kind.name === 'SQLite' ? damages : damages.filter((_, index) => index % 4 === 0))(
    '$name is declared in the archive, restored with a warning, and declared again',
    async (damage) => {
      await using instance = await createCommandInstance(kind)
      await using copy = await createCommandInstance(other)
      await using folder = await temporaryFolder()
      const path = (await fillSmall(instance))[damage.of]
      await damage.harm(join(instance.dataDirectory, 'media', path))
      const archive = join(folder.path, 'first.tar.gz')

      const backup = await instance.run(['--json', 'backup', archive])
      expect(backup.exitCode, backup.stderr).toBe(3)
      const report = JSON.parse(backup.stdout) as BackupReport
      expect(report).toMatchObject({
        verified: true,
        leftOut: { total: 1, listed: [{ code: `original.${damage.what}` }] },
      })
      expect(report.leftOut.listed[0]?.message).toContain(path)
      expect(report.leftOut.listed[0]?.about).toContain('Taxes/2023.pdf')
      const members = await unpackArchive(archive)
      const declared = JSON.parse(
        String(members.find(({ name }) => name === 'strongroom/damage.json')?.content),
      ) as unknown
      expect(declared).toMatchObject({ format: 1, damaged: [{ path, what: damage.what, reason: expect.any(String) }] })
      expect(await checkArchiveLayout(archive)).toEqual([])
      expect((await checkForPapermerge(archive)).raises).toEqual([])

      const code =
        damage.of === 'sidecar' ? 'sidecar.lost' : damage.what === 'missing' ? 'version.lost' : 'version.damaged'
      const proof = await instance.report<VerifyReport>(['verify', archive])
      expect(proof).toMatchObject({
        sound: true,
        proved: true,
        warnings: { byCode: { [code]: 1 } },
        findings: { total: 0 },
      })
      const restored = await copy.report<RestoreReport>(['restore', archive])
      expect(restored.warnings.byCode).toEqual({ [code]: 1 })
      // A sidecar can be made again from its original; a lost one is given up.
      const givenUp = damage.of === 'sidecar' && damage.what === 'missing'
      const rows = await archivedRows(instance)
      expect(await archivedRows(copy)).toEqual(givenUp ? { ...rows, sidecars: [] } : rows)
      if (damage.left === undefined) expect((await listMedia(copy)).has(path)).toBe(false)
      else expect(await readFile(join(copy.dataDirectory, 'media', path), 'utf8')).toBe(damage.left)

      const check = await copy.run(['--json', 'check'])
      const found = JSON.parse(check.stdout) as CheckReport
      const again = join(folder.path, 'second.tar.gz')
      const next = await copy.run(['backup', again])
      const declaredAgain = (await unpackArchive(again)).find(({ name }) => name === 'strongroom/damage.json')
      if (givenUp) {
        expect([check.exitCode, found.warnings.total, next.exitCode, declaredAgain]).toEqual([0, 0, 0, undefined])
        return
      }
      const lost = damage.what === 'missing'
      expect([check.exitCode, next.exitCode]).toEqual([lost ? 0 : 3, 3])
      expect(found).toMatchObject({ missing: 0, changed: lost ? 0 : 1 })
      const named = (lost ? found.warnings : found.leftOut).listed
      expect(named.map(({ about }) => about)).toEqual([expect.stringContaining('.home/Taxes/2023.pdf')])
      expect(JSON.parse(String(declaredAgain?.content))).toMatchObject({ damaged: [{ path, what: damage.what }] })
    },
  )

  test('every loss is declared where all files are gone, and the rows come back', async () => {
    await using instance = await createCommandInstance(kind)
    await using copy = await createCommandInstance(other)
    await using folder = await temporaryFolder()
    await fillSmall(instance)
    await rm(join(instance.dataDirectory, 'media', 'docs'), { recursive: true })
    await rm(join(instance.dataDirectory, 'media', 'sidecars'), { recursive: true })
    const archive = join(folder.path, 'all.tar.gz')
    const { exitCode, stderr } = await instance.run(['backup', archive])
    expect(exitCode).toBe(3)
    expect(stderr.match(/^left out: /gm)).toHaveLength(3)
    const report = await copy.report<RestoreReport>(['restore', archive])
    expect(report.warnings.total).toBe(3)
    expect(await archivedRows(copy)).toEqual({ ...(await archivedRows(instance)), sidecars: [] })
  })
})
