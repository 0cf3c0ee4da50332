import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { unpackArchive } from '../../test/support/odd-archives.ts'
import { fillSmall } from '../../test/support/small-instance.ts'
import type { BackupReport } from '../contract/backup-report.ts'
import { StrongroomError } from '../errors.ts'

// Where an archive lies does not depend on the database.
const [sqlite] = databases

let instance: CommandInstance
let folder = ''

beforeAll(async () => {
  instance = await createCommandInstance(sqlite!)
  await fillSmall(instance)
})
afterAll(() => instance[Symbol.asyncDispose]())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-target-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const environment = { SOURCE_DATE_EPOCH: '1795525432' }
const name = 'strongroom-20261124T130352Z.tar.gz'

const backup = (...args: readonly string[]) =>
  instance.run(['--json', 'backup', ...args], { environment, workingDirectory: folder })

/** Backs up, which must succeed; gives where the archive lies, relative to the folder. */
async function backedUp(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await backup(...args)
  expect(exitCode, stderr).toBe(0)
  const { archive } = JSON.parse(stdout) as BackupReport
  expect((await stat(archive)).mode & 0o777).toBe(0o600)
  return archive.slice(folder.length + 1)
}

/** Backs up, which must fail and leave the folder as it was. */
async function failure(...args: readonly string[]): Promise<string> {
  const before = await readdir(folder, { recursive: true })
  const { exitCode, stdout } = await backup(...args)
  expect(await readdir(folder, { recursive: true })).toEqual(before)
  const { error } = JSON.parse(stdout) as { error: { code: string } }
  return `${exitCode} ${error.code}`
}

test('without a location the archive lies in the current folder under the moment that it shows, and the next beside it', async () => {
  expect(await backedUp()).toBe(name)
  expect(await backedUp()).toBe(name.replace('Z.', 'Z-2.'))
  expect(await backedUp('.', '--overwrite')).toBe(name.replace('Z.', 'Z-3.'))
})

test('a folder takes the default name, and a path that ends in a slash is made a folder', async () => {
  await mkdir(join(folder, 'there'))
  expect(await backedUp('there')).toBe(`there/${name}`)
  expect(await backedUp('new/and deep/')).toBe(`new/and deep/${name}`)
  await symlink('there', join(folder, 'link'))
  expect(await backedUp('link')).toBe(`link/${name.replace('Z.', 'Z-2.')}`)
})

test('a file takes the name that was asked for, whatever it is', async () => {
  expect(await backedUp('no extension')).toBe('no extension')
  expect(await backedUp('тест.tar.gz')).toBe('тест.tar.gz')
})

test('what exists is refused and left as it was, a link that leads nowhere too', async () => {
  await writeFile(join(folder, 'there'), 'precious')
  await symlink('nowhere', join(folder, 'link'))
  expect(await failure('there')).toBe('5 file.exists')
  expect(await failure('link')).toBe('5 file.exists')
  expect(await failure('there/')).toBe('5 file.exists')
  expect(await readFile(join(folder, 'there'), 'utf8')).toBe('precious')
})

test('--overwrite replaces a file once the new one is complete, and a link rather than what it leads to', async () => {
  await writeFile(join(folder, 'there'), 'old')
  await symlink('there', join(folder, 'link'))
  expect(await backedUp('link', '--overwrite')).toBe('link')
  expect(await readFile(join(folder, 'there'), 'utf8')).toBe('old')
  expect(await backedUp('there', '--overwrite')).toBe('there')
  expect(await readFile(join(folder, 'there'))).toEqual(await readFile(join(folder, 'link')))
})

test('a folder that is missing, or is a file, is named', async () => {
  await writeFile(join(folder, 'file'), '')
  expect(await failure('nowhere/x.tar.gz')).toBe('6 file.not_found')
  expect(await failure('file/x.tar.gz')).toBe('6 file.not_found')
  expect(await failure('file/deeper/')).toBe('6 file.not_found')
  expect(await failure('x'.repeat(300))).toBe('9 file.io')
})

test('a device and a pipe are refused, with --overwrite too', async () => {
  await promisify(execFile)('mkfifo', [join(folder, 'pipe')])
  for (const path of ['/dev/null', '/dev/full', 'pipe']) {
    expect(await failure(path)).toBe('4 file.not_regular')
    expect(await failure(path, '--overwrite')).toBe('4 file.not_regular')
  }
})

const instanceId = async (): Promise<string> =>
  (JSON.parse(await readFile(join(instance.dataDirectory, 'strongroom.json'), 'utf8')) as { instance: string }).instance

test('what dead backups of this instance left is removed by the next one, and nothing else', async () => {
  const own = `.strongroom-${await instanceId()}-${randomUUID()}.partial`
  const others = [`.strongroom-${randomUUID()}-${randomUUID()}.partial`, `${own}.txt`, '.strongroom-notes.partial']
  for (const each of [own, ...others]) await writeFile(join(folder, each), 'half')
  await backedUp('x.tar.gz')
  expect((await readdir(folder)).toSorted()).toEqual([...others, 'x.tar.gz'].toSorted())
})

test('what a living backup is writing is not removed by another', async () => {
  const holder = spawn(process.execPath, [
    join(import.meta.dirname, '../../test/support/lock-holder.ts'),
    'shared',
    instance.dataDirectory,
  ])
  try {
    await once(holder.stdout, 'data')
    const living = `.strongroom-${await instanceId()}-${randomUUID()}.partial`
    await writeFile(join(folder, living), 'half')
    await backedUp('x.tar.gz')
    expect(await readdir(folder)).toContain(living)
  } finally {
    holder.kill('SIGKILL')
    await once(holder, 'close')
  }
})

test('a backup that is ended leaves nothing in the folder, nor in the instance', async () => {
  const ended = new AbortController()
  ended.abort(new StrongroomError('program.interrupted', { signal: 'SIGINT' }))
  const { exitCode } = await instance.run(['backup', 'x.tar.gz'], { workingDirectory: folder, signal: ended.signal })
  expect(exitCode).toBe(130)
  expect(await readdir(folder)).toEqual([])
  expect(await readdir(join(instance.dataDirectory, 'tmp'))).toEqual([])
})

test('--no-verify leaves out the reading back, and says so', async () => {
  const { stdout } = await backup('x.tar.gz', '--no-verify')
  expect(JSON.parse(stdout)).toMatchObject({ verified: false, archive: join(folder, 'x.tar.gz') })
  expect((await instance.run(['verify', join(folder, 'x.tar.gz')])).exitCode).toBe(0)
})

test('--links hard gives a tree of files where tar unpacks it, and the sums hold', async () => {
  await backedUp('x.tar.gz', '--links', 'hard')
  const run = promisify(execFile)
  const { stderr } = await run('tar', ['xzf', 'x.tar.gz'], { cwd: folder })
  expect(stderr).toBe('')
  expect(await readFile(join(folder, 'ada/.home/Taxes/2023.pdf'), 'utf8')).toBe('second bytes')
  expect((await stat(join(folder, 'ada/.home/Taxes/2023.pdf'))).nlink).toBe(2)
  const links = (await unpackArchive(join(folder, 'x.tar.gz'))).filter(
    ({ type }) => type === 'link' || type === 'symlink',
  )
  expect(links.map((link) => `${link.type} ${basename(link.name)}`)).toEqual(['link 2023.pdf'])
  expect((await run('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: folder })).stdout).toBe('')
})

test('an instance that does not exist is not made', async () => {
  const { exitCode, stdout } = await instance.run(['--data', join(folder, 'none'), '--json', 'backup', folder])
  expect([exitCode, (JSON.parse(stdout) as { error: { code: string } }).error.code]).toEqual([6, 'data.missing'])
  expect(await readdir(folder)).toEqual([])
})
