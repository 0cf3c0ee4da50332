import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSmallArchive, metadata, pathOf, repacked, user } from '../../test/support/small-archive.ts'
import { surveyReport, type SurveyReport } from '../../test/support/survey-report.ts'
import { endOfTar, inChunks, rawEntry, rawHeader } from '../../test/support/tar-pieces.ts'

const scratch = mkdtempSync(join(tmpdir(), 'strongroom-survey-'))
afterAll(() => rm(scratch, { recursive: true, force: true }))

const survey = (bytes: Uint8Array): Promise<SurveyReport> => surveyReport(inChunks(bytes, 100_000), scratch)

let archive: Buffer
let tar: Buffer
beforeAll(async () => {
  ;({ archive, tar } = await createSmallArchive(scratch))
})

describe('an archive of ours', () => {
  test('is proved, and all that is in it told', async () => {
    const report = await survey(archive)
    expect(report.problems).toEqual([])
    expect(report.warnings).toEqual([])
    expect(report.survey).toMatchObject({
      ours: true,
      proved: true,
      files: 8,
      bytes: expect.any(Number) as number,
      strangers: 0,
      folders: 1,
      links: 1,
      metadataBytes: metadata().length,
    })
    expect(report.content.map(({ path, size }) => [path, size])).toEqual([
      [pathOf('a.pdf'), 300],
      [pathOf('b.pdf'), 0],
      [pathOf('c.pdf'), 1],
    ])
    expect(report.records.map(({ path }) => path)).toEqual(['users.nodes', 'users', ''])
    expect(report.damage).toEqual([{ version: 'x', what: 'missing' }])
  })

  test('that was compressed again, or not at all, is proved with a warning', async () => {
    for (const again of [gzipSync(tar), gzipSync(tar, { level: 1 }), tar]) {
      expect(await survey(again)).toMatchObject({
        survey: { ours: true, proved: true },
        problems: [],
        warnings: ['archive.recompressed'],
      })
    }
  })

  test('with something behind it is proved with a warning', async () => {
    const garbage = await survey(Buffer.concat([archive, Buffer.from('garbage')]))
    expect(garbage).toMatchObject({ survey: { proved: true }, problems: [], warnings: ['archive.trailing_bytes'] })
    const zeros = await survey(Buffer.concat([archive, Buffer.alloc(512)]))
    expect(zeros).toMatchObject({ survey: { proved: true }, problems: [], warnings: [] })
  })
})

describe('a newer or an unreadable backup.json', () => {
  const withMetadata = (text: string): Buffer => repacked([rawEntry({ name: 'backup.json' }, text)])

  test('of a newer format is told as such', async () => {
    for (const own of [
      { format: 3, writer: 'Strongroom 9' },
      { format: '1' },
      { format: {} },
      { format: [1] },
      { format: null },
      {},
    ]) {
      expect((await survey(withMetadata(metadata(own)))).problems).toEqual(['archive.newer_format'])
    }
  })

  test('is told with the place where it is wrong', async () => {
    for (const text of ['', '{', '[]', 'null', '{"users": 1}', '{"users": [], "users": []}', '\ufeff\ufeff{}']) {
      const { problems, survey: found } = await survey(withMetadata(text))
      expect(problems, text).toEqual(['archive.bad_metadata'])
      expect(found?.ours).toBe(false)
    }
  })

  test('twice is one too many', async () => {
    const twice = repacked([
      rawEntry({ name: 'backup.json' }, metadata(null)),
      rawEntry({ name: './backup.json' }, metadata(null)),
    ])
    expect((await survey(twice)).problems).toEqual(['archive.bad_metadata'])
  })
})

describe("another program's archive", () => {
  const foreign = (...entries: readonly Buffer[]): Buffer =>
    repacked([rawEntry({ name: 'backup.json' }, metadata(null)), ...entries])

  test('is read, and never proved', async () => {
    const report = await survey(
      foreign(
        rawEntry(
          { name: pathOf('a.pdf').toUpperCase().replace('DOCS/USER', 'docs/user').replace('DOCUMENT', 'document') },
          'a',
        ),
      ),
    )
    expect(report).toMatchObject({ survey: { ours: false, proved: false, files: 2 }, problems: [], warnings: [] })
    expect(report.content[0]?.path).toMatch(new RegExp(`^docs/user_${user}/document_${user}/`))
  })

  test('may be packed again, have its metadata last, strangers and data after its end, each with a warning', async () => {
    const members = [
      rawEntry({ name: `./${pathOf('a.pdf')}` }, 'a'),
      rawEntry({ name: './stranger' }, 's'),
      rawEntry({ name: './backup.json' }, metadata(null)),
    ]
    const report = await survey(gzipSync(Buffer.concat([...members, endOfTar, rawEntry({ name: 'x' }, 'x')])))
    expect(report.problems).toEqual([])
    expect(report.warnings.toSorted()).toEqual(['archive.hidden_bytes', 'archive.repacked', 'archive.strangers'])
    expect(report.content.map(({ path }) => path)).toEqual([pathOf('a.pdf')])
  })

  test('without the zeros at its end is read with a warning', async () => {
    const report = await survey(gzipSync(rawEntry({ name: 'backup.json' }, metadata(null))))
    expect(report).toMatchObject({ problems: [], warnings: ['archive.no_end_marker'] })
  })

  test.each([
    ['climbs out of its folder', rawEntry({ name: 'docs/../../etc/passwd' }, 'x')],
    ['is absolute', rawEntry({ name: '/etc/passwd' }, 'x')],
    ['is an absolute folder', rawHeader({ name: '/etc/', flag: '5' })],
    ['is a device', rawHeader({ name: 'docs/null', flag: '3' })],
    ['is a pipe', rawHeader({ name: 'pipe', flag: '6' })],
    ['is sparse', rawEntry({ name: 'docs/s', flag: 'S' }, 'x')],
    ['is a link in the place of a file', rawHeader({ name: pathOf('a.pdf'), flag: '2', linkName: '/etc/passwd' })],
    ['is a link in the place of a folder', rawHeader({ name: `docs/user_${user}`, flag: '2', linkName: '/tmp' })],
    ['is a hard link among the files', rawHeader({ name: pathOf('a.pdf'), flag: '1', linkName: 'etc/passwd' })],
    ['is a folder that climbs', rawHeader({ name: 'docs/../', flag: '5' })],
  ])('with an entry that %s is hostile', async (_, entry) => {
    const { problems } = await survey(foreign(entry))
    expect(problems).toEqual(['archive.hostile'])
  })

  test.each([
    [
      'links among the folders of people, wherever they lead',
      rawHeader({ name: 'ada/.home/a', flag: '2', linkName: '../../../../etc/passwd' }),
    ],
    [
      'a user called docs, whose links lead to the files',
      rawHeader({ name: 'docs/.home/a', flag: '2', linkName: `../../${pathOf('a.pdf')}` }),
    ],
    ['a user called "..", whose folders lie outside', rawHeader({ name: '../.home/', flag: '5' })],
  ])('may have %s: they are counted, not followed', async (_, entry) => {
    const { problems, content } = await survey(foreign(entry))
    expect({ problems, content }).toEqual({ problems: [], content: [] })
  })
})

test('random changes to the tar of an archive end in a report, whatever they are', async () => {
  const change = fc.record({ at: fc.nat(tar.length - 1), to: fc.nat(255) })
  const contradictions: unknown[] = []
  const law = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
    const bytes = Buffer.from(tar)
    for (const { at, to } of changes) bytes[at] = to
    const { survey: found, problems } = await survey(gzipSync(bytes, { level: 1 }))
    if (found?.proved === true && problems.length > 0) contradictions.push(changes, problems)
  })
  await fc.assert(law, { numRuns: 200 })
  expect(contradictions).toEqual([])
})
