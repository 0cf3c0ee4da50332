import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noise } from '../../test/support/fixtures.ts'
import { surveyReport, type SurveyReport } from '../../test/support/survey-report.ts'
import { endOfTar, inChunks, rawEntry, rawHeader } from '../../test/support/tar-pieces.ts'
import { createArchiveWriter } from './archive-writer.ts'
import { readTar } from './tar-reader.ts'

const scratch = mkdtempSync(join(tmpdir(), 'strongroom-survey-'))
afterAll(() => rm(scratch, { recursive: true, force: true }))

const survey = (bytes: Uint8Array): Promise<SurveyReport> => surveyReport(inChunks(bytes, 100_000), scratch)

const user = 'ce67fe07-e5e3-4269-8d20-d262e8fb655a'
const pathOf = (name: string): string => `docs/user_${user}/document_${user}/v1/${name}`
const metadata = (own: unknown = { format: 1 }): string =>
  JSON.stringify({
    created: 'now',
    users: [{ id: user, username: 'ada', nodes: [{ title: 'a' }], tags: [] }],
    ...(own === null ? {} : { strongroom: own }),
  })

const files: readonly (readonly [string, string | Buffer])[] = [
  ['backup.json', metadata()],
  ['README.txt', 'This is a backup.'],
  [pathOf('a.pdf'), noise(300, 1)],
  [pathOf('b.pdf'), ''],
  [pathOf('c.pdf'), 'c'],
  ['strongroom/damage.json', '{"format": 1, "damaged": [{"version": "x", "what": "missing"}]}'],
]

let archive: Buffer
let tar: Buffer
/** The entries of the archive's tar, headers and padding included, and what comes after the last. */
let pieces: Map<string, Buffer>

beforeAll(async () => {
  const parts: Buffer[] = []
  await using writer = await createArchiveWriter(async (bytes) => void parts.push(Buffer.from(bytes)), scratch)
  for (const [name, content] of files) {
    const bytes = Buffer.from(content)
    await writer.addFile({ name, size: bytes.length, mtime: 1, content: inChunks(bytes, 100) })
  }
  await writer.addFolder({ name: 'ada/.home', mtime: 1 })
  await writer.addLink({ name: 'ada/.home/a', target: `../../${pathOf('c.pdf')}`, mtime: 1, type: 'symlink' })
  await writer.finish(1)
  archive = Buffer.concat(parts)
  tar = gunzipSync(archive)
  const starts: (readonly [string, number])[] = []
  for await (const { name, position } of readTar(inChunks(tar, 10_000), 'a', () => undefined))
    starts.push([name, position])
  pieces = new Map(
    starts.map(([name, start], index) => [name, tar.subarray(start, starts[index + 1]?.[1] ?? tar.length - 1024)]),
  )
})

/** The archive put together again from other pieces, by another program. */
const repacked = (list: Iterable<Buffer>): Buffer => gzipSync(Buffer.concat([...list, endOfTar]))

/** The archive with the content of one member replaced by one of the same length. */
function withContent(name: string, change: (content: Buffer) => void): Buffer {
  const copy = new Map([...pieces].map(([key, piece]) => [key, Buffer.from(piece)]))
  change(copy.get(name)!.subarray(512))
  return repacked(copy.values())
}

const indexName = 'strongroom/index'

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

  test('cut at any byte is told from a whole one', async () => {
    for (let cut = 0; cut < archive.length; cut += cut < 20 || cut > archive.length - 30 ? 1 : 17) {
      const { problems } = await survey(archive.subarray(0, cut))
      expect(problems.at(-1), `cut at ${cut}`).toBe(cut < 3 ? 'archive.not_an_archive' : 'archive.truncated')
    }
  })

  test('with a flipped bit anywhere is found out, or holds the same', async () => {
    const flips = fc.record({ at: fc.integer({ min: 10, max: archive.length - 1 }), bit: fc.nat(7) })
    const law = fc.asyncProperty(flips, async ({ at, bit }) => {
      const flipped = Buffer.from(archive)
      flipped[at]! ^= 1 << bit
      const { problems } = await survey(flipped)
      if (problems.length === 0) expect(gunzipSync(flipped).equals(tar)).toBe(true)
    })
    await fc.assert(law, { numRuns: 600 })
  })

  test('with any byte of its last 1,554 changed is found out, but for bits that mean nothing', async () => {
    for (let at = archive.length - 1554; at < archive.length; at += 5) {
      const changed = Buffer.from(archive)
      changed[at]! ^= 0x01
      const { problems, survey: found } = await survey(changed)
      expect(problems, `byte ${at - archive.length}`).not.toEqual([])
      expect(found?.proved ?? false).toBe(false)
    }
  })
})

describe('a change to the tar of an archive of ours is found out:', () => {
  const findings = new Set([
    'archive.damaged',
    'archive.checksum_mismatch',
    'archive.truncated',
    'archive.bad_metadata',
    'archive.newer_format',
    'archive.hostile',
  ])

  /** Nothing where the change was found; else how the survey missed it. */
  async function missed(bytes: Buffer, where: string): Promise<readonly string[]> {
    const { survey: found, problems } = await survey(bytes)
    if (found?.proved === true) return [`${where}: proved`]
    return problems.length > 0 && problems.every((code) => findings.has(code))
      ? []
      : [`${where}: ${problems.join() || 'no problem'}`]
  }

  async function allMissed(changes: Iterable<readonly [string, Buffer]>): Promise<readonly string[]> {
    const all: string[] = []
    for (const [where, bytes] of changes) all.push(...(await missed(bytes, where)))
    return all
  }

  test.each([...files.slice(1).map(([name]) => name), 'SHA256SUMS', indexName])('%s is missing', async (removed) => {
    const rest = [...pieces].filter(([name]) => name !== removed).map(([, piece]) => piece)
    expect(await missed(repacked(rest), removed)).toEqual([])
  })

  test('backup.json is missing', async () => {
    const { problems, survey: found } = await survey(
      repacked([...pieces].filter(([name]) => name !== 'backup.json').map(([, piece]) => piece)),
    )
    expect(problems).toEqual(['archive.no_metadata'])
    expect(found).toMatchObject({ ours: false, proved: false })
  })

  test('a member was added, wherever it stands', async () => {
    const added = {
      content: rawEntry({ name: pathOf('z.pdf') }, 'z'),
      stranger: rawEntry({ name: 'stranger.txt' }, 's'),
      sums: rawEntry({ name: 'SHA256SUMS' }, ''),
      twin: pieces.get('README.txt')!,
    }
    const places = Array.from({ length: pieces.size }, (_, index) => index + 1)
    const changes = Object.entries(added).flatMap(([what, piece]) =>
      places.map((at) => [`${what} at ${at}`, repacked([...pieces.values()].toSpliced(at, 0, piece))] as const),
    )
    expect(await allMissed(changes)).toEqual([])
  })

  test('a member stands twice', async () => {
    const changes = [...pieces]
      .filter(([name]) => !name.startsWith('ada/'))
      .map(([name, piece]) => [name, repacked([...pieces.values(), piece])] as const)
    expect(await allMissed(changes)).toEqual([])
  })

  test('two members were swapped', async () => {
    const list = [...pieces.values()]
    const changes = [0, 1, 2, 3, 4].map(
      (at) => [String(at), repacked(list.with(at, list[at + 1]!).with(at + 1, list[at]!))] as const,
    )
    expect(await allMissed(changes)).toEqual([])
  })

  test('a byte of any content was changed', async () => {
    const lengths = new Map(files.map(([name, content]) => [name, content.length]))
    lengths.set('SHA256SUMS', 200).set(indexName, 1000)
    const changes = [...lengths].flatMap(([name, length]) => {
      const places = Array.from({ length: Math.min(12, length) }, (_, index) => Math.floor((index * length) / 12))
      return places.map((at) => [`${name}, byte ${at}`, withContent(name, (bytes) => (bytes[at]! ^= 0x01))] as const)
    })
    expect(await allMissed(changes)).toEqual([])
  })

  test('what a member is called was changed', async () => {
    const changes = files.slice(1).map(([name, content]) => {
      const header = rawHeader({ name: `${name.slice(0, -1)}X`, size: content.length })
      const renamed = new Map(pieces).set(name, Buffer.concat([header, pieces.get(name)!.subarray(512)]))
      return [name, repacked(renamed.values())] as const
    })
    expect(await allMissed(changes)).toEqual([])
  })

  test('the hash that SHA256SUMS gives for a member is that of another content', async () => {
    const { problems, messages } = await survey(withContent(pathOf('c.pdf'), (bytes) => (bytes[0] = 0x64)))
    expect(problems).toEqual(['archive.checksum_mismatch'])
    expect(messages[0]).toContain(pathOf('c.pdf'))
  })

  test('backup.json no longer says that it is ours', async () => {
    const changed = withContent('backup.json', (bytes) => bytes.write('x', bytes.indexOf('strongroom')))
    expect(await survey(changed)).toMatchObject({
      survey: { ours: false, proved: false },
      problems: ['archive.damaged'],
    })
  })

  test('data was hidden after the end of the tar', async () => {
    for (const hiding of [
      gzipSync(Buffer.concat([tar, rawEntry({ name: 'z' }, 'z')])),
      Buffer.concat([archive, gzipSync('hidden')]),
    ]) {
      expect(await survey(hiding)).toMatchObject({ survey: { proved: false }, problems: ['archive.damaged'] })
    }
  })

  test('backup.json is not its first member', async () => {
    const [first, second, ...others] = [...pieces.values()]
    expect(await missed(repacked([second!, first!, ...others]), 'order')).toEqual([])
  })

  test('the last bytes lead somewhere else', async () => {
    // A whole archive whose tail is that of another one: its checksum is put right, as a forger would.
    const forged = Buffer.from(archive)
    const text = forged.subarray(archive.length - 1554 + 5, archive.length - 1554 + 517)
    const place = text.indexOf('offset ') + 'offset '.length
    text.write('0000000000000010', place, 'latin1')
    const inside = Buffer.from(tar)
    inside.set(text, tar.length - 1024 - 512)
    forged.set(gzipSync(inside).subarray(-8), forged.length - 8)
    expect(await survey(forged)).toMatchObject({ survey: { proved: false }, problems: ['archive.damaged'] })
  })
})

describe('a newer or an unreadable backup.json', () => {
  const withMetadata = (text: string): Buffer => repacked([rawEntry({ name: 'backup.json' }, text)])

  test('of a newer format is told as such', async () => {
    for (const own of [
      { format: 2, writer: 'Strongroom 9' },
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
      rawEntry({ name: 'a.pdf', prefix: `./${pathOf('').slice(0, -1)}` }, 'a'),
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
  const law = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
    const bytes = Buffer.from(tar)
    for (const { at, to } of changes) bytes[at] = to
    const { survey: found, problems } = await survey(gzipSync(bytes, { level: 1 }))
    expect(found?.proved === true && problems.length > 0).toBe(false)
  })
  await fc.assert(law, { numRuns: 200 })
})
