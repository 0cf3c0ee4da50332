import { execFile } from 'node:child_process'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasProgram, needs } from '../../test/support/needs.ts'
import { createZipWriter, zipCrc, type ZipWriter } from './zip-writer.ts'

const run = promisify(execFile)

const programs = hasProgram('python3') && hasProgram('unzip', '-v') && hasProgram('bsdtar')
const hasReaders = needs('python3, unzip or bsdtar', programs, 'what they read in a zip file')

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-zip-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function write(name: string, most: number | undefined, fill: (zip: ZipWriter) => Promise<void>): Promise<string> {
  const path = join(folder, name)
  await using file = await open(path, 'w')
  await using zip = await createZipWriter(async (bytes) => void (await file.writeFile(bytes)), folder, most)
  await fill(zip)
  await zip.finish()
  return path
}

const contentOf = (text: string) => ({
  size: Buffer.byteLength(text),
  crc32: zipCrc(Buffer.from(text), 0),
  async *chunks() {
    for (let at = 0; at < text.length; at += 1000) yield Buffer.from(text.slice(at, at + 1000))
  },
})

const listing = `import sys, zipfile, json
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print(json.dumps([[i.filename, i.file_size, i.compress_type, oct(i.external_attr >> 16), list(i.date_time)] for i in z.infolist()]))`

const mtime = Date.UTC(2019, 2, 4, 5, 6, 8) / 1000

// With a limit of 0 everything is written as if it were larger than 4 GiB.
describe.skipIf(!hasReaders).each([
  ['plain', undefined],
  ['zip64', 0],
])('a %s zip file', (kind, most) => {
  test('is read by Python, unzip and bsdtar, packed and not', async () => {
    const long = 'so much text '.repeat(10_000)
    const path = await write(`${kind}.zip`, most, async (zip) => {
      await zip.folder({ name: 'Ordner ä', mtime })
      await zip.file({ name: 'Ordner ä/日本語.txt', mtime }, contentOf(long), true)
      await zip.file({ name: 'Ordner ä/stored', mtime }, contentOf(long), false)
      await zip.file({ name: 'empty', mtime }, contentOf(''), true)
      await zip.file({ name: 'empty and stored', mtime: 0 }, contentOf(''), false)
    })
    const date = [2019, 3, 4, 5, 6, 8]
    expect(JSON.parse((await run('python3', ['-c', listing, path])).stdout)).toEqual([
      ['Ordner ä/', 0, 0, '0o40700', date],
      ['Ordner ä/日本語.txt', 130_000, 8, '0o100600', date],
      ['Ordner ä/stored', 130_000, 0, '0o100600', date],
      ['empty', 0, 8, '0o100600', date],
      ['empty and stored', 0, 0, '0o100600', [1980, 1, 1, 0, 0, 0]],
    ])
    expect((await run('unzip', ['-t', path])).stdout).toContain('No errors detected')
    expect(
      (await run('bsdtar', ['-xOf', path, 'Ordner ä/日本語.txt', 'Ordner ä/stored'], { env: { ...utf8 } })).stdout,
    ).toBe(long + long)
  })
})

const utf8 = { LC_ALL: 'C.UTF-8', PATH: process.env.PATH }

test.skipIf(!hasReaders)('more entries than 16 bits can count are all found', async () => {
  const path = await write('many.zip', undefined, async (zip) => {
    for (let index = 0; index < 70_000; index += 1) await zip.folder({ name: `${index}`, mtime })
  })
  expect(JSON.parse((await run('python3', ['-c', listing, path], { maxBuffer: 1 << 24 })).stdout)).toHaveLength(70_000)
  expect((await run('unzip', ['-Z', '-t', path])).stdout).toContain('70000 files')
})

test.skipIf(!hasReaders)('an empty zip file is one', async () => {
  const path = await write('empty.zip', undefined, async () => undefined)
  expect(JSON.parse((await run('python3', ['-c', listing, path])).stdout)).toEqual([])
})

test('what fails while a file is read is thrown', async () => {
  const broken = {
    ...contentOf('abc'),
    async *chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      throw new Error('the disk is broken')
    },
  }
  for (const compress of [true, false]) {
    await expect(
      write('broken.zip', undefined, (zip) => zip.file({ name: 'a', mtime }, broken, compress)),
    ).rejects.toThrow('the disk is broken')
  }
})
