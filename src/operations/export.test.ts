import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rm, stat, symlink, truncate, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillEverything } from '../../test/support/everything.ts'
import { hashesBelow } from '../../test/support/extracting.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { fillPlain } from '../../test/support/fixtures.ts'
import { hasProgram, needs } from '../../test/support/needs.ts'
import { startCommand } from '../../test/support/processes.ts'
import { hasSmallDisks, smallDisk } from '../../test/support/small-disk.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import type { Tree } from '../../test/support/tree-report.ts'
import { createApp } from '../app.ts'
import { readConfig } from '../config.ts'
import type { ExportReport } from '../contract/export-report.ts'

const runProgram = promisify(execFile)

const programs = hasProgram('python3') && hasProgram('unzip', '-v') && hasProgram('bsdtar')
const hasReaders = needs('python3, unzip or bsdtar', programs, 'what they read in an export')

let place: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  place = await temporaryFolder()
})
afterAll(() => place[Symbol.asyncDispose]())

let number = 0
const fresh = (ending = ''): string => join(place.path, `${(number += 1)}${ending}`)

const megabyte = 1 << 20

/** A document of two versions with pages and a tag, one whose title is a formula, and something of somebody else. */
async function fill(instance: CommandInstance): Promise<void> {
  await fillSmall(instance)
  await fillDirectly(instance, async ({ user, node, tag, version, page }) => {
    const bob = await user({ username: 'bob' })
    const date = { created_at: '2019-03-04T05:06:07.000000Z', updated_at: '2020-01-02T03:04:05.000000Z' }
    const add = (title: string) => node({ user_id: bob.id, parent_id: bob.home, title, type: 'document', ...date })
    const lease = await add('Mietvertrag, neu.pdf')
    await tag({ user_id: bob.id, name: 'Wohnung' }, [lease])
    await tag({ user_id: bob.id, name: 'wichtig' }, [lease])
    await version({ user: bob.id, document: lease }, { number: 1, file_name: 'old.pdf', ...date }, 'old')
    const last = await version(
      { user: bob.id, document: lease },
      { number: 2, file_name: 'lease.pdf', lang: 'deu', created_at: date.created_at },
      'new',
    )
    await page(last, { number: 1, text: 'Seite eins' })
    await page(last, { number: 2, text: 'Seite zwei' })
    const formula = await add('=HYPERLINK("x")')
    await version({ user: bob.id, document: formula }, { file_name: 'x.txt', created_at: date.created_at }, 'formula')
    const removed = await node({
      user_id: bob.id,
      title: 'gone.txt',
      type: 'document',
      deleted_at: '2026-11-24T15:00:00.000001Z',
      deleted_from: '.home/gone.txt',
    })
    await version({ user: bob.id, document: removed }, { file_name: 'gone.txt' }, 'removed')
  })
}

async function contentsOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    found[path.slice(folder.length + 1)] = await readFile(path, 'utf8')
  }
  return found
}

async function exported(
  instance: CommandInstance,
  exitCode: number,
  ...args: readonly string[]
): Promise<ExportReport> {
  const result = await instance.run(['--json', 'export', ...args])
  expect(result.exitCode, result.stdout + result.stderr).toBe(exitCode)
  return JSON.parse(result.stdout) as ExportReport
}

const codeOf = ({ exitCode, stdout }: { exitCode: number; stdout: string }): string =>
  `${exitCode} ${(JSON.parse(stdout) as { error: { code: string } }).error.code}`

/** What Python's csv reads in the table. */
async function readTable(path: string): Promise<Record<string, string>[]> {
  const script =
    'import csv, json, sys; print(json.dumps(list(csv.DictReader(open(sys.argv[1], encoding="utf-8-sig", newline="")))))'
  return JSON.parse((await runProgram('python3', ['-c', script, path])).stdout) as Record<string, string>[]
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

describe.skipIf(!hasReaders).each(databases)('export from an instance on $name', (kind) => {
  test('writes the documents of one user, and a table of what is known of them', async () => {
    await using instance = await createCommandInstance(kind)
    await fill(instance)
    const to = fresh()
    const report = await exported(instance, 0, '--user', 'bob', '--to', to)
    const files = await contentsOf(to)
    expect(Object.keys(files).toSorted()).toEqual([
      'documents.csv',
      'home/=HYPERLINK(＂x＂).txt',
      'home/Mietvertrag, neu.pdf',
    ])
    expect(report).toMatchObject({ documents: 2, files: 3, format: 'folder', leftOut: { total: 0 } })
    expect(files['documents.csv']).toMatch(/^\uFEFFpath,title,[^\n]*\r\n[^]*\r\n$/)
    const [formula, lease] = await readTable(join(to, 'documents.csv'))
    expect(formula).toMatchObject({ title: '\'=HYPERLINK("x")', sha256: sha256('formula') })
    expect(lease).toMatchObject({
      path: '.home/Mietvertrag, neu.pdf',
      file: 'home/Mietvertrag, neu.pdf',
      version: '2',
      date: '2019-03-04T05:06:07.000000Z',
      tags: 'Wohnung; wichtig',
      language: 'deu',
      size: '3',
      sha256: sha256('new'),
      changed: '2020-01-02T03:04:05.000000Z',
    })
    expect((await stat(join(to, 'home', 'Mietvertrag, neu.pdf'))).mtime.toISOString()).toBe('2019-03-04T05:06:07.000Z')
    expect(await exported(instance, 0, '--user', 'bob', '--to', to)).toMatchObject({ files: 0, unchanged: 3 })
  })

  test('writes all versions, texts and facts beside each document where they are asked for', async () => {
    await using instance = await createCommandInstance(kind)
    await fill(instance)
    const to = fresh()
    await exported(instance, 0, '--user', 'bob', '--to', to, '--versions', 'all', '--text', '--metadata', 'json')
    const files = await contentsOf(to)
    const lease = 'home/Mietvertrag, neu.pdf'
    expect(files[lease]).toBe('new')
    expect(files['home/Mietvertrag, neu (version 1).pdf']).toBe('old')
    expect(files[`${lease}.txt`]).toBe('Seite eins\n\fSeite zwei\n\f')
    expect(JSON.parse(files[`${lease}.json`]!)).toMatchObject({
      title: 'Mietvertrag, neu.pdf',
      tags: ['Wohnung', 'wichtig'],
      versions: [{ number: 1 }, { number: 2, sha256: sha256('new'), pages: [{ number: 1 }, { number: 2 }] }],
    })
    expect(Object.keys(files)).toHaveLength(6)
  })

  test('leaves out what is missing or no longer what came in, and names it', async () => {
    await using instance = await createCommandInstance(kind)
    await fill(instance)
    const tree = await instance.report<Tree>(['tree', '--user', 'bob'])
    const keys = new Map(tree.users[0]!.nodes.map(({ id, title }) => [title, id]))
    const media = join(instance.dataDirectory, 'media', 'docs', `user_${tree.users[0]!.id}`)
    await unlink(join(media, `document_${keys.get('Mietvertrag, neu.pdf')!}`, 'v2', 'lease.pdf'))
    await truncate(join(media, `document_${keys.get('=HYPERLINK("x")')!}`, 'v1', 'x.txt'), 3)
    for (const to of [fresh(), fresh('.zip')]) {
      const { leftOut, documents } = await exported(instance, 3, '--user', 'bob', '--to', to)
      expect([documents, leftOut.byCode]).toEqual([0, { 'version.missing': 1, 'version.damaged': 1 }])
      expect(leftOut.listed.map(({ about }) => about)).toContain('bob: .home/Mietvertrag, neu.pdf')
      const folder = to.endsWith('.zip') ? fresh() : to
      if (folder !== to) await runProgram('unzip', ['-q', to, '-d', folder])
      expect(Object.keys(await contentsOf(folder))).toEqual(['documents.csv'])
      for (const row of await readTable(join(folder, 'documents.csv'))) expect(row['file']).toBe('')
    }
  })

  test('writes a zip file that unzip, Python and bsdtar read, the same twice', async () => {
    await using instance = await createCommandInstance(kind)
    await fillEverything(instance)
    const { users } = await instance.report<Tree>(['tree', '--user', 'ada'])
    const wanted = users[0]!.nodes.flatMap(({ versions }) => versions.filter(({ file_name: name }) => name !== null))
    const [zip, again, folder] = [fresh('.zip'), fresh('.ZIP'), fresh()]
    const clock = { environment: { SOURCE_DATE_EPOCH: '1795525432' } }
    const args = ['export', '--user', 'ada', '--versions', 'all', '--text', '--to']
    expect((await instance.run([...args, zip], clock)).exitCode).toBe(0)
    expect((await instance.run([...args, again], clock)).exitCode).toBe(0)
    expect((await readFile(zip)).equals(await readFile(again))).toBe(true)
    expect((await stat(zip)).mode & 0o777).toBe(0o600)
    expect((await instance.run([...args, folder], clock)).exitCode).toBe(0)
    const hashes = await hashesBelow(folder)
    expect(hashes).toEqual(expect.arrayContaining(wanted.map(({ sha256: hash }) => hash!)))

    await runProgram('unzip', ['-tq', zip])
    const script = `import sys, zipfile, hashlib
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print("\\n".join(sorted(hashlib.sha256(z.read(i)).hexdigest() for i in z.infolist() if not i.is_dir())))`
    expect((await runProgram('python3', ['-c', script, zip])).stdout.trim().split('\n')).toEqual(hashes)
    const unpacked = fresh()
    await mkdir(unpacked)
    await runProgram('bsdtar', ['-xf', zip, '-C', unpacked], { env: { LC_ALL: 'C.UTF-8', PATH: process.env.PATH } })
    expect(await contentsOf(unpacked)).toEqual(await contentsOf(folder))
  })
})

test.skipIf(!hasReaders)('files that do not fit in memory come out of a zip whole', async () => {
  await using instance = await createCommandInstance(databases[0]!)
  await fillPlain(instance, 3, 3 * megabyte)
  const [zip, folder] = [fresh('.zip'), fresh()]
  await exported(instance, 0, '--user', 'ada', '--to', zip, '--metadata', 'none')
  await exported(instance, 0, '--user', 'ada', '--to', folder, '--metadata', 'none')
  const unpacked = fresh()
  await runProgram('unzip', ['-q', zip, '-d', unpacked])
  expect(await hashesBelow(unpacked)).toEqual(await hashesBelow(folder))
})

test.skipIf(!hasReaders)('is refused where something is there, and says how it is used', async () => {
  await using instance = await createCommandInstance(databases[0]!)
  await fill(instance)
  const run = (...args: readonly string[]) => instance.run(['--json', 'export', ...args])
  const zip = fresh('.zip')
  await writeFile(zip, 'mine')
  expect(codeOf(await run('--user', 'bob', '--to', zip))).toBe('5 file.exists')
  expect(await readFile(zip, 'utf8')).toBe('mine')
  await exported(instance, 0, '--user', 'bob', '--to', zip, '--overwrite')
  await runProgram('unzip', ['-tq', zip])
  const folder = fresh()
  await mkdir(folder)
  await writeFile(join(folder, 'documents.csv'), 'mine')
  expect(codeOf(await run('--user', 'bob', '--to', folder))).toBe('5 file.exists')
  expect(await readdir(folder)).toEqual(['documents.csv'])
  await rm(join(folder, 'documents.csv'))
  await symlink(place.path, join(folder, 'home'))
  expect(codeOf(await run('--user', 'bob', '--to', folder, '--overwrite'))).toBe('5 extract.in_the_way')
  expect(codeOf(await run('--user', 'eve', '--to', fresh()))).toBe('6 user.not_found')
  expect(codeOf(await run('--user', 'bob'))).toBe('2 usage.invalid')
  expect(codeOf(await run('--to', folder))).toBe('2 usage.invalid')
})

test.skipIf(!hasReaders)('a user without documents gets empty folders and an empty table', async () => {
  await using instance = await createCommandInstance(databases[0]!)
  await fillSmall(instance)
  const to = fresh()
  await exported(instance, 0, '--user', 'root', '--to', to)
  expect((await readdir(to)).toSorted()).toEqual(['documents.csv', 'home', 'inbox'])
  expect(await readTable(join(to, 'documents.csv'))).toEqual([])
})

test('waits for a restore, and lets others work beside it', async () => {
  await using instance = await createCommandInstance(databases[0]!)
  await fillSmall(instance)
  const app = createApp(readConfig({}, { data: instance.dataDirectory, database: instance.url }, '/'))
  const args = ['--json', 'export', '--user', 'ada', '--to', fresh()]
  const overrides = { lockWaitSeconds: 0 }
  {
    await using alone = await app.open({ access: 'exclusive', command: 'restore' })
    expect(alone).toBeDefined()
    expect(codeOf(await instance.run(args, { overrides }))).toBe('7 instance.closed_to_writers')
  }
  await using beside = await app.open({ access: 'write', command: 'import' })
  expect(beside).toBeDefined()
  expect((await instance.run(args, { overrides })).exitCode).toBe(0)
})

test('a document that is called as the table is stands beside it', async () => {
  await using instance = await createCommandInstance(databases[0]!)
  await fillDirectly(instance, async ({ user, node, version }) => {
    const top = await user({ username: 'top' })
    const document = await node({ user_id: top.id, title: 'Documents.csv', type: 'document' })
    await version({ user: top.id, document }, { file_name: 'x.csv' }, 'a document')
  })
  const to = fresh()
  await exported(instance, 0, '--user', 'top', '--to', to)
  expect((await contentsOf(to))['Documents (2).csv']).toBe('a document')
})

test.skipIf(!hasReaders)('a zip file whose process is killed is not there', async () => {
  await using instance = await createCommandInstance(databases[0]!)
  await fillPlain(instance, 40, megabyte / 4)
  const folder = fresh()
  await mkdir(folder)
  const zip = join(folder, 'ada.zip')
  const { child, ended } = startCommand(instance, ['export', '--user', 'ada', '--to', zip])
  while (child.exitCode === null && (await readdir(folder)).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
  child.kill('SIGKILL')
  await ended
  const names = await readdir(folder)
  expect(names.filter((name) => !name.endsWith('.partial') && name !== 'ada.zip')).toEqual([])
  // It may have been quicker than the kill.
  if (names.includes('ada.zip')) await runProgram('unzip', ['-tq', zip])
})

test.skipIf(!hasSmallDisks('what an export does on a full disk'))(
  'a zip file that does not fit leaves nothing',
  async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await using disk = await smallDisk(2 * megabyte)
    await fillPlain(instance, 6, megabyte)
    const run = (name: string) => instance.run(['--json', 'export', '--user', 'ada', '--to', join(disk.path, name)])
    expect(codeOf(await run('ada.zip'))).toBe('9 file.no_space')
    expect(codeOf(await run('ada'))).toBe('9 file.too_little_space')
    expect(await readdir(disk.path)).toEqual([])
  },
)
