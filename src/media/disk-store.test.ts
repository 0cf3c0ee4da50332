import { createHash } from 'node:crypto'
import { link, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDiskStore } from './disk-store.ts'
import type { MediaFile, MediaStore } from './media-store.ts'

let base: string
let root: string
let store: MediaStore & AsyncDisposable

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'strongroom-media-'))
  root = join(base, 'media')
  await mkdir(root)
  store = await openDiskStore(root)
})

afterEach(async () => {
  await store[Symbol.asyncDispose]()
  await rm(base, { recursive: true, force: true })
})

const key = 'docs/user_1/document_1/v1/scan.pdf'

async function* bytesOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

async function put(target: string, ...texts: readonly string[]) {
  const batch = store.begin()
  const stored = await batch.put(target, bytesOf(...texts))
  await batch.sync()
  return stored
}

async function textOf(file: MediaFile): Promise<string> {
  let text = ''
  for await (const chunk of file.chunks()) text += Buffer.from(chunk).toString()
  await file[Symbol.asyncDispose]()
  return text
}

const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length

const listed = async (): Promise<string[]> => (await Array.fromAsync(store.list())).map((each) => each.key).sort()

test('a file comes back as it was put, with its size and hash', async () => {
  const stored = await put(key, 'one ', 'two')
  expect(stored).toEqual({ key, size: 7, sha256: createHash('sha256').update('one two').digest('hex') })
  const file = await store.open(key)
  expect(file.size).toBe(7)
  expect(await textOf(file)).toBe('one two')
  expect(await store.size(key)).toBe(7)
})

test('an empty file is a file', async () => {
  expect((await put(key)).size).toBe(0)
  expect(await textOf(await store.open(key))).toBe('')
})

test('a file of several chunks is read in pieces of at most 1 MiB', async () => {
  const megabyte = 'x'.repeat(1024 * 1024)
  await put(key, megabyte, megabyte, 'end')
  await using file = await store.open(key)
  const sizes: number[] = []
  for await (const chunk of file.chunks()) sizes.push(chunk.length)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2 * 1024 * 1024 + 3)
})

test('files and folders are for their owner only', async () => {
  await put(key, 'x')
  expect((await stat(join(root, key))).mode & 0o777).toBe(0o600)
  for (const folder of ['docs', 'docs/user_1', 'docs/user_1/document_1/v1'])
    expect((await stat(join(root, folder))).mode & 0o777).toBe(0o700)
})

test('a file that is there already is never replaced', async () => {
  await put(key, 'first')
  await expect(put(key, 'second')).rejects.toMatchObject({ code: 'file.exists' })
  expect(await readFile(join(root, key), 'utf8')).toBe('first')
})

test('a put that fails half-way leaves no file and no folder, and passes the failure on', async () => {
  const failure = new Error('the source broke')
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('half')
    throw failure
  }
  await expect(store.begin().put(key, broken())).rejects.toBe(failure)
  expect(await listed()).toEqual([])
  expect(await readdir(join(root, 'docs'))).toEqual([])
})

test('a missing file is media.missing, and has no size', async () => {
  await expect(store.open(key)).rejects.toMatchObject({ code: 'media.missing', details: { key } })
  expect(await store.size(key)).toBeUndefined()
  await put(key, 'x')
  await expect(store.open('docs/user_1/document_1/v1/other.pdf')).rejects.toMatchObject({ code: 'media.missing' })
})

test('a key cannot lead out of the two folders', async () => {
  await writeFile(join(base, 'secret'), 'secret')
  for (const bad of [
    'docs/../../secret',
    'docs/./a',
    'docs//a',
    '/etc/passwd',
    'other/a',
    'docs',
    'docs/',
    '../secret',
  ]) {
    await expect(store.open(bad)).rejects.toMatchObject({ code: 'media.missing' })
    expect(await store.size(bad)).toBeUndefined()
    await expect(store.begin().put(bad, bytesOf('x'))).rejects.toMatchObject({ code: 'program.fault' })
    await expect(store.remove(bad)).rejects.toMatchObject({ code: 'program.fault' })
  }
})

test('a link in the place of a file is neither read nor written nor followed', async () => {
  await writeFile(join(base, 'secret'), 'secret')
  await mkdir(join(root, 'docs/user_1/document_1/v1'), { recursive: true })
  await symlink(join(base, 'secret'), join(root, key))
  await expect(store.open(key)).rejects.toMatchObject({ code: 'media.missing' })
  expect(await store.size(key)).toBeUndefined()
  await expect(put(key, 'x')).rejects.toMatchObject({ code: 'file.exists' })
  expect(await readFile(join(base, 'secret'), 'utf8')).toBe('secret')
})

test('a link in the place of a folder leads nowhere', async () => {
  await mkdir(join(base, 'outside/v1'), { recursive: true })
  await writeFile(join(base, 'outside/v1/scan.pdf'), 'outside')
  await mkdir(join(root, 'docs/user_1'), { recursive: true })
  await symlink(join(base, 'outside'), join(root, 'docs/user_1/document_1'))
  await expect(store.open(key)).rejects.toMatchObject({ code: 'media.missing' })
  await expect(put('docs/user_1/document_1/v1/new.pdf', 'x')).rejects.toMatchObject({ code: 'file.io' })
  await store.remove(key)
  expect(await readdir(join(base, 'outside/v1'))).toEqual(['scan.pdf'])
})

test('a link swapped in for a folder that is in use does not lead outside', async () => {
  await put(key, 'inside')
  await mkdir(join(base, 'outside'), { recursive: true })
  await rename(join(root, 'docs/user_1/document_1/v1'), join(base, 'away'))
  await symlink(join(base, 'outside'), join(root, 'docs/user_1/document_1/v1'))
  await store
    .begin()
    .put('docs/user_1/document_1/v1/new.pdf', bytesOf('x'))
    .catch(() => undefined)
  expect(await readdir(join(base, 'outside'))).toEqual([])
})

test('a folder or a pipe in the place of a file is no file', async () => {
  await mkdir(join(root, key), { recursive: true })
  await expect(store.open(key)).rejects.toMatchObject({ code: 'media.missing' })
  expect(await store.size(key)).toBeUndefined()
})

test('a file cut short while it is read is a failure, not an end', async () => {
  await put(key, 'a whole text')
  await using file = await store.open(key)
  await writeFile(join(root, key), 'a')
  await expect(Array.fromAsync(file.chunks())).rejects.toMatchObject({ code: 'file.io' })
})

test('removing a file prunes the folders that it leaves empty, and no others', async () => {
  await put(key, 'x')
  await put('docs/user_1/document_2/v1/a.pdf', 'x')
  await put('sidecars/user_1/document_1/v1/pages/000001/000001_ocr.svg', 'x')
  await store.remove(key)
  expect(await readdir(join(root, 'docs/user_1'))).toEqual(['document_2'])
  await store.removeAll([
    'docs/user_1/document_2/v1/a.pdf',
    key,
    'sidecars/user_1/document_1/v1/pages/000001/000001_ocr.svg',
  ])
  expect(await readdir(root)).toEqual(['docs', 'sidecars'])
  expect(await readdir(join(root, 'docs'))).toEqual([])
  expect(await readdir(join(root, 'sidecars'))).toEqual([])
  await put(key, 'again')
  expect(await listed()).toEqual([key])
})

test('a folder that another program removed meanwhile is made again', async () => {
  await put(key, 'x')
  await rm(join(root, 'docs'), { recursive: true })
  await put(key, 'y')
  expect(await textOf(await store.open(key))).toBe('y')
})

test('a folder that is removed while files are put into it is made again, with those above it', async () => {
  await using batch = store.begin()
  await batch.put(key, bytesOf('x'))
  await rm(join(root, 'docs'), { recursive: true })
  await batch.put('docs/user_1/document_1/v1/second.pdf', bytesOf('y'))
  await batch.put('docs/user_1/document_2/v1/third.pdf', bytesOf('z'))
  await batch.sync()
  expect(await listed()).toEqual(['docs/user_1/document_1/v1/second.pdf', 'docs/user_1/document_2/v1/third.pdf'])
})

test('a batch that is let go of, made durable or not, leaves nothing open', async () => {
  const before = await openFiles()
  {
    await using batch = store.begin()
    for (let number = 0; number < 60; number += 1)
      await batch.put(`docs/user_1/document_${number}/v1/f.pdf`, bytesOf('x'))
  }
  expect(await openFiles()).toBe(before)
})

test('list names every file, links too, wherever it lies below the two folders', async () => {
  await put(key, 'four')
  await writeFile(join(root, 'docs/stray'), 'x')
  await writeFile(join(root, 'elsewhere'), 'x')
  await link(join(root, 'docs/stray'), join(root, 'docs/user_1/second name'))
  await symlink('/etc', join(root, 'docs/user_1/link'))
  await put('sidecars/user_1/a.svg', 'x')
  const all = new Map((await Array.fromAsync(store.list())).map((each) => [each.key, each.size]))
  expect([...all.keys()].sort()).toEqual(
    ['docs/stray', key, 'docs/user_1/link', 'docs/user_1/second name', 'sidecars/user_1/a.svg'].sort(),
  )
  expect(all.get(key)).toBe(4)
})

test('many files in many folders at once leave no file open', async () => {
  await put(key, 'x')
  const before = await openFiles()
  const batch = store.begin()
  const names = Array.from({ length: 600 }, (_, index) => `docs/user_${index % 7}/document_${index}/v1/f.pdf`)
  for (let start = 0; start < names.length; start += 20)
    await Promise.all(names.slice(start, start + 20).map((name) => batch.put(name, bytesOf(name))))
  expect((await openFiles()) - before).toBeLessThan(120)
  await batch.sync()
  expect((await openFiles()) - before).toBeLessThan(80)
  expect((await listed()).length).toBe(601)
  await Promise.all(names.map(async (name) => expect(await textOf(await store.open(name))).toBe(name)))
  await store.removeAll(names)
  expect(await listed()).toEqual([key])
  await store[Symbol.asyncDispose]()
  expect(await openFiles()).toBeLessThanOrEqual(before)
  store = await openDiskStore(root)
})

test('the free bytes are those of its disk', async () => {
  expect(await store.freeBytes()).toBeGreaterThan(0)
})

test('a root that is not there is file.not_found', async () => {
  await expect(openDiskStore(join(base, 'nowhere'))).rejects.toMatchObject({ code: 'file.not_found' })
})
