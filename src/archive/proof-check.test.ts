import { createHash } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSmallArchive, files, pathOf, repacked, withContent } from '../../test/support/small-archive.ts'
import { surveyReport, type SurveyReport } from '../../test/support/survey-report.ts'
import { inChunks, rawEntry, rawHeader } from '../../test/support/tar-pieces.ts'

const scratch = mkdtempSync(join(tmpdir(), 'strongroom-proof-check-'))
afterAll(() => rm(scratch, { recursive: true, force: true }))

const survey = (bytes: Uint8Array): Promise<SurveyReport> => surveyReport(inChunks(bytes, 100_000), scratch)

let archive: Buffer
let tar: Buffer
let pieces: ReadonlyMap<string, Buffer>
beforeAll(async () => {
  ;({ archive, tar, pieces } = await createSmallArchive(scratch))
})

const indexName = 'strongroom/index'

describe('an archive', () => {
  test('cut at any byte is told from a whole one', async () => {
    for (let cut = 0; cut < archive.length; cut += cut < 20 || cut > archive.length - 30 ? 1 : 17) {
      const { problems } = await survey(archive.subarray(0, cut))
      expect(problems.at(-1), `cut at ${cut}`).toBe(cut < 3 ? 'archive.not_an_archive' : 'archive.truncated')
    }
  })

  test('with a flipped bit anywhere is found out, or holds the same', async () => {
    const missed: unknown[] = []
    const flips = fc.record({ at: fc.integer({ min: 10, max: archive.length - 1 }), bit: fc.nat(7) })
    const law = fc.asyncProperty(flips, async ({ at, bit }) => {
      const flipped = Buffer.from(archive)
      flipped[at]! ^= 1 << bit
      const { problems } = await survey(flipped)
      if (problems.length === 0 && !gunzipSync(flipped).equals(tar)) missed.push({ at, bit })
    })
    await fc.assert(law, { numRuns: 600 })
    expect(missed).toEqual([])
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
      return places.map(
        (at) => [`${name}, byte ${at}`, withContent(pieces, name, (bytes) => (bytes[at]! ^= 0x01))] as const,
      )
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
    const { problems, messages } = await survey(withContent(pieces, pathOf('c.pdf'), (bytes) => (bytes[0] = 0x64)))
    expect(problems).toEqual(['archive.checksum_mismatch'])
    expect(messages[0]).toContain(pathOf('c.pdf'))
  })

  test('backup.json no longer says that it is ours', async () => {
    const changed = withContent(pieces, 'backup.json', (bytes) => bytes.write('x', bytes.indexOf('strongroom')))
    expect(await survey(changed)).toMatchObject({
      survey: { ours: false, proved: false },
      problems: ['archive.damaged'],
    })
  })

  test('a member was changed together with its hash in SHA256SUMS', async () => {
    const changed = new Map(pieces).set(pathOf('c.pdf'), rawEntry({ name: pathOf('c.pdf') }, 'd'))
    const [before, after] = ['c', 'd'].map((text) => createHash('sha256').update(text).digest('hex'))
    const forged = withContent(changed, 'SHA256SUMS', (bytes) => bytes.write(after!, bytes.indexOf(before!), 'latin1'))
    const report = await survey(forged)
    expect(report).toMatchObject({ survey: { proved: false }, problems: ['archive.damaged'] })
    expect(report.messages[0]).toContain('SHA256SUMS is not the one that the index names')
  })

  test('a member that SHA256SUMS does not name is named', async () => {
    const before = [...pieces.keys()].indexOf('SHA256SUMS')
    const added = [...pieces.values()].toSpliced(before, 0, rawEntry({ name: pathOf('z.pdf') }, 'z'))
    expect((await survey(repacked(added))).messages[0]).toContain(`SHA256SUMS does not name ${pathOf('z.pdf')}`)
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
    const { messages, survey: found } = await survey(repacked([second!, first!, ...others]))
    expect(messages[0]).toContain('backup.json is not its first member')
    expect(found?.proved).toBe(false)
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
