import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needs } from '../../test/support/needs.ts'
import { emptyScratch, hasScratch, prepareDataDirectory, requireDataDirectory } from './data-directory.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-data-'))
  path = join(folder, 'data')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const prepare = () => prepareDataDirectory({ path, inContainer: false })
const required = (inContainer = false) => requireDataDirectory({ path, inContainer })
const marker = () => join(path, 'strongroom.json')

test('a new one is for its owner alone, and marked', async () => {
  await prepare()
  await required()
  expect((await stat(path)).mode & 0o777).toBe(0o700)
  expect((await stat(marker())).mode & 0o777).toBe(0o600)
  expect(JSON.parse(await readFile(marker(), 'utf8'))).toEqual({
    strongroom: 'data directory',
    layout: 1,
    instance: await required(),
  })
  expect((await readdir(path)).toSorted()).toEqual(['media', 'strongroom.json', 'tmp'])
})

test('it can be prepared twice, and by several at once', async () => {
  await Promise.all([prepare(), prepare(), prepare()])
  await prepare()
  expect((await readdir(path)).toSorted()).toEqual(['media', 'strongroom.json', 'tmp'])
})

test('the folders above it are made', async () => {
  path = join(folder, 'a', 'b', 'data')
  await prepare()
  expect(await readdir(path)).toContain('strongroom.json')
})

test('an empty folder becomes one, also with what a file system or a dead process left there', async () => {
  await mkdir(join(path, 'lost+found'), { recursive: true })
  const unfinished = 'strongroom.json.0b0f2a46-5b9c-4c7e-8f5e-2f3d1f6f0a11.tmp'
  await writeFile(join(path, unfinished), '{"stro')
  await prepare()
  await required()
  await emptyScratch(path)
  expect((await readdir(path)).toSorted()).toEqual(['lost+found', 'media', 'strongroom.json', 'tmp'])
})

test('a missing or empty one is missing, in a container not mounted', async () => {
  await expect(required()).rejects.toMatchObject({ code: 'data.missing' })
  await mkdir(path)
  await expect(required()).rejects.toMatchObject({ code: 'data.missing' })
  await expect(required(true)).rejects.toMatchObject({ code: 'data.not_mounted' })
  expect(await readdir(path)).toEqual([])
})

test('the files of another program are left alone', async () => {
  await mkdir(path)
  for (const name of ['d', 'b', 'a', 'c']) await writeFile(join(path, name), '')
  for (const look of [required, prepare]) {
    await expect(look()).rejects.toMatchObject({ code: 'data.foreign', details: { found: 'a, b, c, …' } })
  }
  expect((await readdir(path)).toSorted()).toEqual(['a', 'b', 'c', 'd'])
})

test.each([
  ['no JSON', '{"strong'],
  ['other JSON', '{"layout": 1}'],
  ['a layout that is none', '{"strongroom": "data directory", "layout": 0}'],
  ['very large', ' '.repeat(5000) + '{"strongroom": "data directory", "layout": 1}'],
])('a marker that is %s marks another program', async (_what, text) => {
  await mkdir(path)
  await writeFile(marker(), text)
  for (const look of [required, prepare]) await expect(look()).rejects.toMatchObject({ code: 'data.foreign' })
})

test('a newer layout is refused by name', async () => {
  await mkdir(path)
  await writeFile(marker(), '{"strongroom": "data directory", "layout": 2, "more": true}')
  for (const look of [required, prepare]) {
    await expect(look()).rejects.toMatchObject({ code: 'data.newer_layout', details: { layout: 2, known: 1 } })
  }
})

test('a file in its place is refused', async () => {
  await writeFile(path, '')
  for (const look of [required, prepare]) await expect(look()).rejects.toMatchObject({ code: 'data.not_folder' })
})

test('scratch files are found and removed', async () => {
  await prepare()
  expect(await hasScratch(path)).toBe(false)
  await mkdir(join(path, 'tmp', 'a', 'b'), { recursive: true })
  expect(await hasScratch(path)).toBe(true)
  await emptyScratch(path)
  expect(await hasScratch(path)).toBe(false)
  await rm(join(path, 'tmp'), { recursive: true })
  expect(await hasScratch(path)).toBe(false)
})

const other = { uid: 12345, gid: 12346 }
const isRoot = process.getuid?.() === 0
const canBeOther = isRoot && spawnSync(process.execPath, ['--version'], other).status === 0

/** Runs a function of the module under test as a user without rights, in a process of its own. */
function asOther(call: string) {
  const module = JSON.stringify(join(import.meta.dirname, 'data-directory.ts'))
  const script = `const m = await import(${module}); await m.${call}({ path: ${JSON.stringify(path)}, inContainer: false }).catch(
    (error) => console.log(JSON.stringify({ code: error.code, hint: error.hint })))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], other)
  return (stdout.length > 0 ? JSON.parse(stdout.toString()) : { stderr: stderr.toString() }) as object
}

test.runIf(needs('a root user who can be another', canBeOther, 'folders that this user may not write'))(
  'a folder that this user may not write is refused, with the chown that helps',
  async () => {
    await chmod(folder, 0o755)
    await mkdir(path)
    const refusal = { code: 'data.not_writable', hint: `Give it to that user: chown -R 12345:12346 ${path}` }
    await prepare()
    await chmod(path, 0o755)
    expect(asOther('requireDataDirectory')).toEqual(refusal)
    expect(asOther('prepareDataDirectory')).toEqual(refusal)
    await chmod(path, 0o700)
    expect(asOther('requireDataDirectory')).toEqual(refusal)
    // The folder itself may be written, the ones inside belong to somebody else.
    await chmod(path, 0o777)
    expect(asOther('requireDataDirectory')).toEqual(refusal)
  },
)
