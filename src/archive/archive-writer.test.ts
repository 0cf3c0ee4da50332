import { createHash } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { collectingSink } from '../../test/support/collecting-sink.ts'
import { noise } from '../../test/support/fixtures.ts'
import { allOf, inChunks } from '../../test/support/tar-pieces.ts'
import { surveyReport } from '../../test/support/survey-report.ts'
import { createArchiveWriter } from './archive-writer.ts'
import { decodeHeader } from './tar-format.ts'
import { readTar } from './tar-reader.ts'

const scratch = mkdtempSync(join(tmpdir(), 'strongroom-archive-writer-'))
afterAll(() => rm(scratch, { recursive: true, force: true }))

interface Member {
  readonly name: string
  readonly content: Buffer
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const metadata: Member = { name: 'backup.json', content: Buffer.from('{"users": [], "strongroom": {"format": 1}}') }

/** An archive of these members behind a backup.json. */
async function archiveOf(members: readonly Member[], mtime = 1_700_000_000): Promise<Buffer> {
  const { sink, bytes } = collectingSink()
  await using writer = await createArchiveWriter(sink, scratch)
  for (const { name, content } of [metadata, ...members]) {
    const written = await writer.addFile({ name, size: content.length, mtime, content: inChunks(content, 50_000) })
    expect(written).toEqual({ sha256: sha256(content), missingBytes: 0 })
  }
  await writer.finish(mtime)
  return bytes()
}

/** The regular members of an archive, read by the reader. */
async function membersOf(archive: Buffer): Promise<readonly Member[]> {
  const members: Member[] = []
  for await (const entry of readTar(inChunks(gunzipSync(archive), 10_000), 'a', () => undefined)) {
    if (entry.type === 'file') members.push({ name: entry.name, content: await allOf(entry.content()) })
  }
  return members
}

/** Contents that compress, that do not, and that are longer than a piece of the compressed stream. */
const content = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(fc.nat(400_000), fc.nat(1000)).map(([size, seed]) => noise(size, seed)),
  fc.nat(400_000).map((size) => Buffer.alloc(size, 'text ')),
)
const members = fc
  .array(fc.record({ name: fc.stringMatching(/^[a-zé€ ]{1,80}[a-z]$/).map((name) => `docs/${name}`), content }), {
    maxLength: 12,
  })
  .map((list) => list.map((member, index) => ({ ...member, name: `${member.name.replace(/\/ +/, '/')} ${index}` })))

describe('an archive', () => {
  test('holds what was written, surveys as proved, and its index leads to every member', async () => {
    const law = fc.asyncProperty(members, async (written) => {
      const archive = await archiveOf(written)
      const found = await membersOf(archive)
      expect(found.slice(0, -2)).toEqual([metadata, ...written])
      expect(found.slice(-2).map(({ name }) => name)).toEqual(['SHA256SUMS', 'strongroom/index'])
      const lines = found.at(-1)!.content.toString('utf8').split('\n')
      expect(lines.slice(0, 2)).toEqual(['strongroom index 1', `SHA256SUMS ${sha256(found.at(-2)!.content)}`])
      for (const [index, member] of found.slice(0, -1).entries()) {
        const [, offset = '', within = '', name] = /^(\d+) (\d+) (.+)$/.exec(lines[index + 2]!) ?? []
        expect(name).toBe(member.name)
        const from = inflateRawSync(archive.subarray(Number(offset), -8)).subarray(Number(within))
        expect(decodeHeader(from.subarray(0, 512))).toMatchObject({ name: member.name, size: member.content.length })
        expect(from.subarray(512, 512 + member.content.length).equals(member.content)).toBe(true)
      }
      const { survey, problems, warnings } = await surveyReport(inChunks(archive, 10_000), scratch)
      expect({ problems, warnings: warnings.filter((code) => code !== 'archive.strangers') }).toEqual({
        problems: [],
        warnings: [],
      })
      expect(survey).toMatchObject({ ours: true, proved: true, files: written.length + 3 })
    })
    await fc.assert(law, { numRuns: 20 })
  })

  test('names every member before it in SHA256SUMS, as sha256sum does', async () => {
    const archive = await archiveOf([{ name: 'docs/é  b', content: Buffer.from('x') }])
    const sums = (await membersOf(archive)).at(-2)!.content.toString('utf8')
    expect(sums).toBe(`${sha256(metadata.content)}  backup.json\n${sha256(Buffer.from('x'))}  docs/é  b\n`)
  })

  test('ends in the form that docs/archive-format.md gives', async () => {
    for (let size = 0; size < 11_000; size += 1_571) {
      const archive = await archiveOf([{ name: 'docs/a', content: noise(size, 1) }])
      const tar = gunzipSync(archive)
      expect(tar.length % 10_240).toBe(0)
      const tail = archive.subarray(-1554)
      expect(tail.toString('hex', 0, 5)).toBe('000006fff9')
      expect(tail.subarray(517, 1541).equals(Buffer.alloc(1024))).toBe(true)
      expect(tail.toString('hex', 1541, 1546)).toBe('010000ffff')
      const index = (await membersOf(archive)).at(-1)!.content
      expect(tail.subarray(5, 517).equals(index.subarray(-512))).toBe(true)
      const [, offset = '', hash] =
        /\nstrongroom index 1 offset ([0-9a-f]{16}) sha256 ([0-9a-f]{64})$/.exec(tail.toString('latin1', 5, 517)) ?? []
      expect(hash).toBe(sha256(index.subarray(0, -512)))
      const header = inflateRawSync(archive.subarray(Number.parseInt(offset, 16), -8)).subarray(0, 512)
      expect(decodeHeader(header)).toMatchObject({ name: 'strongroom/index', size: index.length })
    }
  })

  test('is the same bytes for the same members, and other bytes for other times', async () => {
    const list = [
      { name: 'docs/a', content: noise(300_000, 2) },
      { name: 'docs/b', content: Buffer.alloc(300_000) },
    ]
    expect((await archiveOf(list)).equals(await archiveOf(list))).toBe(true)
    expect((await archiveOf(list)).equals(await archiveOf(list, 1))).toBe(false)
  })
})

describe('the writer', () => {
  async function entriesOf(work: (writer: Awaited<ReturnType<typeof createArchiveWriter>>) => Promise<void>) {
    const { sink, bytes } = collectingSink()
    await using writer = await createArchiveWriter(sink, scratch)
    await work(writer)
    const { position } = writer
    await writer.finish(0)
    const entries: (readonly [string, string, string])[] = []
    let proof = ''
    const tar = gunzipSync(bytes())
    for await (const { name, type, linkName, content } of readTar(inChunks(tar, 10_000), 'a', () => undefined)) {
      entries.push([name, type, linkName])
      if (type === 'file') proof += (await allOf(content())).toString()
    }
    return { entries, position, tar, proof }
  }

  test('adds folders and links, which stand in neither SHA256SUMS nor index', async () => {
    const { entries, proof } = await entriesOf(async (writer) => {
      await writer.addFolder({ name: 'ada/.home', mtime: 1 })
      await writer.addLink({ name: 'ada/.home/a', target: `../../docs/${'d'.repeat(150)}`, mtime: 1, type: 'symlink' })
      await writer.addLink({ name: 'ada/.home/b', target: 'docs/b', mtime: 1, type: 'hardlink' })
    })
    expect(entries).toEqual([
      ['ada/.home/', 'folder', ''],
      ['ada/.home/a', 'symlink', `../../docs/${'d'.repeat(150)}`],
      ['ada/.home/b', 'hardlink', 'docs/b'],
      ['SHA256SUMS', 'file', ''],
      ['strongroom/index', 'file', ''],
    ])
    expect(proof).not.toContain('ada/')
  })

  test('fills up a content that is too short and says by how much; a content that is too long is cut', async () => {
    const results: unknown[] = []
    const { entries, position, tar } = await entriesOf(async (writer) => {
      const add = async (text: string, size: number) =>
        results.push(
          await writer.addFile({ name: `f${size}`, size, mtime: 0, content: inChunks(Buffer.from(text), 2) }),
        )
      await add('abc', 100_000)
      await add('abcdefgh', 3)
      await add('', 0)
      await add('ignored', 0)
    })
    const filled = Buffer.concat([Buffer.from('abc'), Buffer.alloc(99_997)])
    expect(results).toEqual([
      { sha256: sha256(filled), missingBytes: 99_997 },
      { sha256: sha256(Buffer.from('abc')), missingBytes: 0 },
      { sha256: sha256(Buffer.alloc(0)), missingBytes: 0 },
      { sha256: sha256(Buffer.alloc(0)), missingBytes: 0 },
    ])
    expect(tar.subarray(512, 100_512).equals(filled)).toBe(true)
    expect(entries).toHaveLength(6)
    expect(position).toBe(512 * 4 + 100_352 + 512)
  })

  test('leaves nothing in its scratch folder', async () => {
    await archiveOf([{ name: 'docs/a', content: noise(100, 1) }])
    expect(await readdir(scratch)).toEqual([])
  })
})
