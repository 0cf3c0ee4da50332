import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../../test/support/command-line.ts'
import { at, drill, drillPlace, later, stateOf, type Filled } from '../../test/support/drilling.ts'
import { editMetadata, rewriteArchive, type Member, type Metadata } from '../../test/support/odd-archives.ts'
import type { DrillReport } from '../contract/drill-report.ts'

const { here, createFilled, expectNothingLeft } = drillPlace()
let forged = 0

/** The archive again with other members, its hashes made right. */
async function forge(archive: string, edit: (members: readonly Member[]) => readonly Member[]): Promise<string> {
  const to = join(here.folder, `forged-${(forged += 1)}.tar.gz`)
  await rewriteArchive({ from: archive, to, scratch: here.folder }, edit)
  return to
}

const ada = (metadata: Metadata): Metadata['users'][number] =>
  metadata.users.find(({ username }) => username === 'ada')!
const documentOf = (metadata: Metadata): Metadata['users'][number]['nodes'][number] =>
  ada(metadata).nodes.find(({ ctype }) => ctype === 'document')!
describe('a drill notices', () => {
  /** The code of what is wrong with an archive that cannot be restored, which is told everywhere. */
  async function codeOfDamage({ instance }: Filled, archive: string): Promise<string | undefined> {
    const { report, exitCode } = await drill(instance, archive)
    expect({ exitCode, outcome: report.outcome }).toEqual({ exitCode: 4, outcome: 'archive_damaged' })
    expect(report.proved).toEqual([])
    expect(report.archive).toMatchObject({ path: archive, sha256: null })
    const { error } = report
    expect(await stateOf(instance)).toMatchObject({ outcome: 'archive_damaged', lastProved: null, error })
    const check = await instance.run(['check'])
    expect(check.exitCode).toBe(0)
    expect(check.stdout).toContain('Last drill: failed on 2026-11-26T09:00:00.000000Z; none proved its archive yet.')
    expect(check.stderr).toContain('The last drill, on 2026-11-26T09:00:00.000000Z, proved nothing')
    await expectNothingLeft(instance)
    return error?.code
  }

  test('a flipped byte', async () => {
    await using filled = await createFilled()
    const bytes = await readFile(filled.archive)
    bytes[1000]! ^= 1
    await writeFile(filled.archive, bytes)
    expect(await codeOfDamage(filled, filled.archive)).toMatch(/^archive\./)
  })

  test('a missing member', async () => {
    await using filled = await createFilled()
    const { original } = filled.files
    const forged = await forge(filled.archive, (members) => members.filter(({ name }) => name !== original))
    expect(await codeOfDamage(filled, forged)).toBe('archive.missing_file')
  })

  test('two files that were exchanged', async () => {
    await using filled = await createFilled()
    const { original, earlier } = filled.files
    const forged = await forge(filled.archive, (members) => exchange(members, original, earlier))
    expect(await codeOfDamage(filled, forged)).toBe('archive.checksum_mismatch')
  })

  test('two files that were exchanged with their hashes in backup.json, by the instance alone', async () => {
    await using filled = await createFilled()
    const { original, earlier } = filled.files
    const forged = await forge(filled.archive, (members) =>
      editMetadata((metadata) => {
        const [first, second] = documentOf(metadata).versions! as [Metadata, Metadata]
        const kept = { sha256: first.strongroom['sha256'], size: first.strongroom['size'] }
        Object.assign(first.strongroom, { sha256: second.strongroom['sha256'], size: second.strongroom['size'] })
        Object.assign(second.strongroom, kept)
        ;[first['size'], second['size']] = [second['size'], first['size']]
      })(exchange(members, original, earlier)),
    )
    const { exitCode, codes } = await drill(filled.instance, forged)
    expect({ exitCode, codes }).toEqual({ exitCode: 3, codes: ['drill.rewritten'] })
  })

  test.each([
    ['a title', 'drill.unexplained', (metadata: Metadata) => void (documentOf(metadata)['title'] = 'other.pdf')],
    ['a language', 'drill.unexplained', (metadata: Metadata) => void (documentOf(metadata)['lang'] = 'fra')],
    ['a password', 'drill.unexplained', (metadata: Metadata) => void (ada(metadata)['password'] = '!other')],
    ['a superuser', 'drill.unexplained', (metadata: Metadata) => void (ada(metadata)['is_superuser'] = true)],
    [
      'a text of a page',
      'drill.rewritten',
      (metadata: Metadata) => {
        const [, second] = documentOf(metadata).versions! as [unknown, { pages: { text: string }[] }]
        second.pages[0]!.text = 'another text'
      },
    ],
    [
      'a document that was taken out',
      'drill.not_in_archive',
      (metadata: Metadata) => {
        const { nodes } = ada(metadata)
        nodes.splice(nodes.indexOf(documentOf(metadata)), 1)
      },
    ],
    [
      'a version that was taken out',
      'drill.not_in_archive',
      (metadata: Metadata) => void documentOf(metadata).versions!.pop(),
    ],
  ])('%s in backup.json, its hashes made right again, by the instance alone', async (_what, code, change) => {
    await using filled = await createFilled()
    const forged = await forge(filled.archive, editMetadata(change))
    const { exitCode, codes, report } = await drill(filled.instance, forged)
    expect({ exitCode, codes }).toEqual({ exitCode: 3, codes: [code] })
    expect(report.outcome).toBe('proved_with_findings')
    const elsewhere = await runCommand(['drill', forged, '--json', '--data', join(here.folder, 'none')], later)
    expect(elsewhere.exitCode).toBe(0)
    const { notProved, proved, instance } = JSON.parse(elsewhere.stdout) as DrillReport
    expect(instance).toBeNull()
    expect(notProved.map((each) => each.code)).toContain('not_compared')
    expect(proved.map((each) => each.code)).not.toContain('compared')
  })

  test('an older archive under a newer name', async () => {
    await using filled = await createFilled()
    const { instance, backups, archive } = filled
    await copyFile(archive, join(backups, 'strongroom-20261126T021500Z.tar.gz'))
    const { exitCode, report } = await drill(instance, '--from', backups)
    expect(exitCode).toBe(3)
    expect(report.leftOut.listed).toMatchObject([
      {
        code: 'drill.name_differs',
        message: expect.stringContaining(
          'made on 2026-11-25T02:15:00.000000Z, although its name says 2026-11-26T02:15:00Z',
        ),
      },
    ])
  })

  test('that it is given an older archive than the last one', async () => {
    await using filled = await createFilled()
    const { instance, backups, archive } = filled
    await instance.report(['backup', `${backups}/`], at('2026-11-26T02:15:00Z'))
    expect((await drill(instance, '--from', backups)).report.archive?.name).toBe('strongroom-20261126T021500Z.tar.gz')
    const { exitCode, report } = await drill(instance, archive)
    expect(exitCode).toBe(0)
    expect(report.warnings.byCode).toEqual({ 'drill.older_than_last': 1 })
  })
})

function exchange(members: readonly Member[], one: string, other: string): readonly Member[] {
  const contents = new Map(members.map(({ name, content }) => [name, content]))
  const others = new Map([
    [one, other],
    [other, one],
  ])
  return members.map((member) => ({ ...member, content: contents.get(others.get(member.name) ?? member.name)! }))
}
