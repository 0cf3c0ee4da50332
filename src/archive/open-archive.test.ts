import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { appendFile, mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { noise } from '../../test/support/fixtures.ts'
import { allOf, endOfTar, inChunks, rawEntry } from '../../test/support/tar-pieces.ts'
import type { GunzipEnd } from './gunzip.ts'
import { openArchive } from './open-archive.ts'

const folder = mkdtempSync(join(tmpdir(), 'strongroom-open-archive-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const makePipe = (path: string, program = 'mkfifo'): unknown => execFileSync(program, [path])

const tar = Buffer.concat([rawEntry({ name: 'a' }, noise(3 << 20, 1)), endOfTar])

let files = 0
async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `file-${(files += 1)}`)
  await writeFile(path, bytes)
  return path
}

test.each([
  ['gzip', gzipSync(tar)],
  ['none', tar],
] as const)(
  'an archive with compression %s is read from a file and from a stream, twice',
  async (compression, bytes) => {
    const scratch = join(folder, compression)
    await mkdir(scratch)
    for (const input of [await fileOf(bytes), inChunks(bytes, 100_000)]) {
      await using archive = await openArchive(input, scratch)
      expect(archive).toMatchObject({
        compression,
        size: bytes.length,
        name: typeof input === 'string' ? input : 'standard input',
      })
      for (let round = 0; round < 2; round += 1) {
        const ends: GunzipEnd[] = []
        const read: number[] = []
        const found = await allOf(
          archive.tar(
            (end) => ends.push(end),
            (position) => read.push(position),
          ),
        )
        expect(found.equals(tar)).toBe(true)
        expect(ends).toEqual([
          {
            members: compression === 'gzip' ? 1 : 0,
            compressedBytes: bytes.length,
            trailing: 'nothing',
            trailingBytes: 0,
          },
        ])
        expect(read.at(-1)).toBe(bytes.length)
      }
      expect((await archive.bytes(2, 10)).equals(bytes.subarray(2, 12))).toBe(true)
      expect(await archive.bytes(bytes.length - 3, 10)).toHaveLength(3)
      expect(await archive.bytes(bytes.length + 3, 10)).toHaveLength(0)
      await archive.assertUnchanged()
      // What came as a stream has no name on disk.
      expect(await readdir(scratch)).toEqual([])
    }
  },
)

describe('what is no archive is refused:', () => {
  test.each([
    ['nothing', Buffer.alloc(0), 'archive.not_an_archive'],
    ['one byte', Buffer.from([0x1f]), 'archive.not_an_archive'],
    ['a text', Buffer.from('hello'), 'archive.not_an_archive'],
    ['zeros', Buffer.alloc(10_240), 'archive.not_an_archive'],
    ['gzip of another method', Buffer.from([0x1f, 0x8b, 7, 0]), 'archive.not_an_archive'],
  ])('%s', async (_, bytes, code) => {
    for (const input of [await fileOf(bytes), inChunks(bytes, 100)]) {
      await expect(openArchive(input, folder)).rejects.toMatchObject({ code })
    }
  })

  test('a file that is not there, a folder, a pipe that nobody writes', async () => {
    await expect(openArchive(join(folder, 'absent'), folder)).rejects.toMatchObject({ code: 'file.not_found' })
    await expect(openArchive(folder, folder)).rejects.toMatchObject({ code: 'file.not_regular' })
    const pipe = join(folder, 'pipe')
    makePipe(pipe)
    await expect(openArchive(pipe, folder)).rejects.toMatchObject({ code: 'file.not_regular' })
  })
})

test('a stream that fails fails the opening, and leaves nothing', async () => {
  const scratch = join(folder, 'failing')
  await mkdir(scratch)
  const failure = new Error('connection lost')
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield tar.subarray(0, 1000)
    throw failure
  }
  await expect(openArchive(failing(), scratch)).rejects.toBe(failure)
  expect(await readdir(scratch)).toEqual([])
  await expect(openArchive(inChunks(tar, 1000), join(folder, 'absent'))).rejects.toMatchObject({
    code: 'file.not_found',
  })
})

test('a file that was written to meanwhile is told', async () => {
  const path = await fileOf(tar)
  await using archive = await openArchive(path, folder)
  await appendFile(path, 'more')
  await expect(archive.assertUnchanged()).rejects.toMatchObject({ code: 'archive.changed' })
  const touched = await fileOf(tar)
  await using other = await openArchive(touched, folder)
  await utimes(touched, 1, 1)
  await expect(other.assertUnchanged()).rejects.toMatchObject({ code: 'archive.changed' })
})
