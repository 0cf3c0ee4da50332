import { link, mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCommand, type CommandResult } from '../../test/support/command-line.ts'
import { createCommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { aFile, docsFile, packPapermerge, papermerge, rewriteArchive } from '../../test/support/odd-archives.ts'
import { fillSmall, temporaryFolder, type SmallInstance } from '../../test/support/small-instance.ts'
import type { ExtractReport } from '../contract/extract-report.ts'

let place: Awaited<ReturnType<typeof temporaryFolder>>
let folder = ''
let sound = ''
let small: SmallInstance
let documentId = ''
let trashedId = ''

beforeAll(async () => {
  place = await temporaryFolder()
  folder = place.path
  sound = join(folder, 'sound.tar.gz')
  await using instance = await createCommandInstance(databases[0]!)
  small = await fillSmall(instance)
  documentId = /document_([^/]+)/.exec(small.original)![1]!
  await fillDirectly(instance, async ({ user, node, version }) => {
    const bob = await user({ username: 'bob' })
    const letters = await node({ user_id: bob.id, parent_id: bob.home, title: 'Letters' })
    for (const [title, file_name, text] of [
      ['To Müller', 'scan.PDF', 'one'],
      ['to mu\u0308ller', 'scan.PDF', 'two'],
      ['Invoice 2023.04', 'invoice.pdf', 'three'],
      ['notes.md', 'notes.md', 'four'],
    ] as const) {
      const document = await node({ user_id: bob.id, parent_id: letters, title, type: 'document' })
      await version({ user: bob.id, document }, { file_name, created_at: '2019-03-04T05:06:07.000000Z' }, text)
    }
    const drafts = await node({ user_id: bob.id, parent_id: letters, title: 'Drafts' })
    const draft = await node({ user_id: bob.id, parent_id: drafts, title: 'draft', type: 'document' })
    await version({ user: bob.id, document: draft }, { number: 1, file_name: 'draft.docx' }, 'v1')
    await version({ user: bob.id, document: draft }, { number: 2, file_name: 'draft.pdf' }, 'v2')
    const taxes = await node({ user_id: bob.id, parent_id: bob.home, title: 'Taxes' })
    const same = await node({ user_id: bob.id, parent_id: taxes, title: '2023.pdf', type: 'document' })
    await version({ user: bob.id, document: same }, { file_name: 'x.pdf' }, 'of bob')
    await node({ user_id: bob.id, parent_id: bob.home, title: 'never uploaded', type: 'document' })
    trashedId = await node({
      user_id: bob.id,
      title: 'gone.txt',
      type: 'document',
      deleted_at: '2026-11-24T15:00:00.000001Z',
      deleted_from: '.home/gone.txt',
    })
    await version({ user: bob.id, document: trashedId }, { file_name: 'gone.txt' }, 'in the trash')
  })
  await instance.report(['backup', sound])
})
afterAll(() => place[Symbol.asyncDispose]())

const extract = (...args: readonly string[]): Promise<CommandResult> =>
  runCommand(['--json', 'extract', ...args], { workingDirectory: folder })

async function extracted(exitCode: number, ...args: readonly string[]): Promise<ExtractReport> {
  const result = await extract(...args)
  expect(result.exitCode, result.stdout + result.stderr).toBe(exitCode)
  return JSON.parse(result.stdout) as ExtractReport
}

async function failure(...args: readonly string[]): Promise<{ exitCode: number; code: string; message: string }> {
  const { exitCode, stdout } = await extract(...args)
  return { exitCode, ...(JSON.parse(stdout) as { error: { code: string; message: string } }).error }
}

async function filesBelow(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name)
    found[file.slice(path.length + 1)] = await readFile(file, 'utf8')
  }
  return found
}

let number = 0
const fresh = (): string => join(folder, `to ${(number += 1)}`)

describe('extract', () => {
  test('writes everything under the names that people know, a folder for each user', async () => {
    const to = fresh()
    const report = await extracted(0, sound, '--to', to)
    expect(await filesBelow(to)).toEqual({
      'ada/home/Taxes/2023.pdf': 'second bytes',
      'bob/home/Letters/Drafts/draft.pdf': 'v2',
      'bob/home/Letters/Invoice 2023.04.pdf': 'three',
      'bob/home/Letters/To Müller.PDF': 'one',
      'bob/home/Letters/to müller (2).PDF': 'two',
      'bob/home/Letters/notes.md': 'four',
      'bob/home/Taxes/2023.pdf': 'of bob',
    })
    expect(report).toMatchObject({ files: 7, unchanged: 0, replaced: 0, proved: true, leftOut: { total: 0 } })
    expect(report.warnings.byCode).toEqual({ 'document.no_file': 1 })
    expect((await readdir(join(to, 'root'))).toSorted()).toEqual(['home', 'inbox'])
    const status = await stat(join(to, 'bob/home/Letters/notes.md'))
    expect([status.mtime.toISOString(), status.mode & 0o777]).toEqual(['2019-03-04T05:06:07.000Z', 0o600])
    expect((await stat(join(to, 'bob/home'))).mode & 0o777).toBe(0o700)
  })

  test('writes a chosen folder or document under its own name', async () => {
    const to = fresh()
    await extracted(0, sound, '.home/Letters/Drafts', 'Letters/notes.md', '--to', to)
    expect(await filesBelow(to)).toEqual({ 'Drafts/draft.pdf': 'v2', 'notes.md': 'four' })
  })

  test('writes earlier versions beside the last', async () => {
    const to = fresh()
    await extracted(0, sound, 'Letters/Drafts', '--to', to, '--versions', 'all')
    expect(await filesBelow(to)).toEqual({ 'Drafts/draft.pdf': 'v2', 'Drafts/draft (version 1).docx': 'v1' })
  })

  test('takes a document by its id, out of the trash too', async () => {
    const to = fresh()
    await extracted(0, sound, '--document', documentId.toUpperCase(), '--document', trashedId, '--to', to)
    expect(await filesBelow(to)).toEqual({ '2023.pdf': 'second bytes', 'gone.txt': 'in the trash' })
  })

  test('asks whose, where several users have such a path', async () => {
    const to = fresh()
    expect(await failure(sound, '.home/Taxes', '--to', to)).toMatchObject({
      exitCode: 5,
      code: 'contents.ambiguous_path',
      message: '2 users have something at .home/Taxes: ada, bob.',
    })
    await extracted(0, sound, '.home/Taxes', '--user', 'bob', '--to', to)
    expect(await filesBelow(to)).toEqual({ 'Taxes/2023.pdf': 'of bob' })
  })

  test('says what is near, where there is nothing, and makes no folder', async () => {
    const to = fresh()
    expect(await failure(sound, '.home/Letters/note.md', '--to', to)).toMatchObject({
      exitCode: 6,
      code: 'contents.nothing_there',
      message: expect.stringContaining('Near it: .home/Letters/notes.md') as string,
    })
    expect((await failure(sound, 'Texas/2023.pfd', '--user', 'bob', '--to', to)).message).toContain(
      '.home/Taxes/2023.pdf',
    )
    expect(await failure(sound, '--user', 'eve', '--to', to)).toMatchObject({
      exitCode: 6,
      code: 'contents.user_not_found',
    })
    const unknown = '00000000-0000-4000-8000-000000000000'
    expect(await failure(sound, '--document', unknown, '--to', to)).toMatchObject({
      exitCode: 6,
      code: 'contents.document_not_found',
    })
    expect(await failure(sound, 'a\\b', '--to', to)).toMatchObject({ exitCode: 4, code: 'node.bad_path' })
    await expect(stat(to)).rejects.toThrow('ENOENT')
  })

  test('finds a title that is typed with its accents put together in another way', async () => {
    const to = fresh()
    await extracted(0, sound, 'Letters/to m\u00fcller', '--to', to)
    expect(Object.values(await filesBelow(to))).toEqual(['two'])
  })

  test('a second time writes nothing', async () => {
    const to = fresh()
    await extracted(0, sound, '--to', to)
    expect(await extracted(0, sound, '--to', to)).toMatchObject({ files: 0, unchanged: 7 })
  })

  test('refuses whole where a file is there and different, unless told to replace it', async () => {
    const to = fresh()
    await mkdir(join(to, 'Taxes'), { recursive: true })
    await writeFile(join(to, 'Taxes', '2023.pdf'), 'mine')
    const args = [sound, 'Taxes', 'Letters', '--user', 'bob', '--to', to]
    expect(await failure(...args)).toMatchObject({ exitCode: 5, code: 'file.exists' })
    expect(await filesBelow(to)).toEqual({ 'Taxes/2023.pdf': 'mine' })
    expect(await extracted(0, ...args, '--overwrite')).toMatchObject({ replaced: 1 })
    expect((await filesBelow(to))['Taxes/2023.pdf']).toBe('of bob')
  })

  test.each([
    ['a link in place of the file', 'Taxes/2023.pdf', 'file'],
    ['a broken link in place of the file', 'Taxes/2023.pdf', 'nothing'],
    ['a link in place of the folder', 'Taxes', 'folder'],
    ['a file in place of the folder', 'Taxes', 'plain'],
    ['a folder in place of the file', 'Taxes/2023.pdf', 'made'],
  ])('never writes through %s', async (_what, name, kind) => {
    const to = fresh()
    const outside = fresh()
    await mkdir(join(to, name, '..'), { recursive: true })
    await mkdir(outside)
    await writeFile(join(outside, 'target'), 'outside')
    const target = { file: join(outside, 'target'), nothing: join(outside, 'new'), folder: outside }[kind]
    if (target !== undefined) await symlink(target, join(to, name))
    else if (kind === 'plain') await writeFile(join(to, name), '')
    else await mkdir(join(to, name))
    for (const options of [[], ['--overwrite']]) {
      expect(await failure(sound, 'Taxes', 'Letters', '--user', 'bob', '--to', to, ...options)).toMatchObject({
        exitCode: 5,
        code: 'extract.in_the_way',
      })
    }
    expect(await filesBelow(outside)).toEqual({ target: 'outside' })
    expect(await readdir(to)).toEqual(['Taxes'])
  })

  test('replaces a file, not what else has its bytes', async () => {
    const to = fresh()
    await mkdir(to)
    await writeFile(join(to, 'other name'), 'shared')
    await link(join(to, 'other name'), join(to, 'notes.md'))
    await extracted(0, sound, 'Letters/notes.md', '--to', to, '--overwrite')
    expect(await filesBelow(to)).toEqual({ 'notes.md': 'four', 'other name': 'shared' })
  })

  test('writes one document to standard output, and nothing else there', async () => {
    const people = await runCommand(['extract', sound, 'Taxes/2023.pdf', '--user', 'ada', '--to', '-'])
    expect([people.exitCode, people.stdout, people.stderr]).toEqual([0, 'second bytes', ''])
    for (const args of [
      ['extract', sound, '--to', '-'],
      ['extract', sound, 'Letters', '--to', '-'],
      ['extract', sound, 'Letters/notes.md', '--to', '-', '--versions', 'all'],
      ['--json', 'extract', sound, 'Letters/notes.md', '--to', '-'],
    ]) {
      expect((await runCommand(args)).exitCode).toBe(2)
    }
    expect(await failure(sound, '--to')).toMatchObject({ exitCode: 2 })
    const none = await runCommand(['extract', sound, 'never uploaded', '--to', '-'])
    expect([none.exitCode, none.stdout]).toEqual([4, ''])
    expect(none.stderr).toContain('contents.file_lost')
  })

  test('reads the archive from standard input', async () => {
    const to = fresh()
    const stdin = await readFile(sound)
    expect((await runCommand(['extract', '-', 'Letters/notes.md', '--to', to], { stdin })).exitCode).toBe(0)
    expect(await filesBelow(to)).toEqual({ 'notes.md': 'four' })
  })
})

describe('of a damaged archive', () => {
  test('nothing is written; with --keep-going what is whole is, and the rest is named', async () => {
    const path = join(folder, 'altered.tar.gz')
    await rewriteArchive({ from: sound, to: path, scratch: folder }, (members) =>
      members.map((member) => (member.name === small.original ? aFile(member.name, 'Second bytes') : member)),
    )
    const to = fresh()
    expect(await failure(path, '--to', to)).toMatchObject({ exitCode: 4, code: 'archive.checksum_mismatch' })
    await expect(stat(to)).rejects.toThrow('ENOENT')
    const report = await extracted(3, path, '--to', to, '--keep-going')
    expect(Object.keys(await filesBelow(to))).toHaveLength(6)
    expect(report.leftOut.listed.map(({ about }) => about)).toEqual(['ada: .home/Taxes/2023.pdf'])
    const other = await extracted(0, path, '--user', 'bob', '--to', fresh(), '--keep-going')
    expect(other.warnings.byCode).toHaveProperty(['archive.checksum_mismatch'])
    const bytes = await runCommand(['extract', path, 'Taxes/2023.pdf', '--user', 'ada', '--to', '-', '--keep-going'])
    expect([bytes.exitCode, bytes.stdout]).toEqual([4, ''])
  })

  test('that is cut, what came before the cut is written', async () => {
    const whole = await readFile(sound)
    const path = join(folder, 'cut.tar.gz')
    const lengths = Array.from({ length: 12 }, (_, index) => Math.floor(whole.length * (1 - (index + 1) / 40)))
    for (const length of lengths) {
      await writeFile(path, whole.subarray(0, length))
      const to = fresh()
      expect(await failure(path, '--to', to)).toMatchObject({ exitCode: 4 })
      const result = await extract(path, '--to', to, '--keep-going')
      if (result.exitCode === 4) continue
      expect(result.exitCode).toBe(3)
      const expected = ['second bytes', 'v2', 'one', 'two', 'three', 'four', 'of bob']
      for (const content of Object.values(await filesBelow(to))) expect(expected).toContain(content)
    }
  })

  test('of Papermerge, a file that is missing is named once', async () => {
    const path = join(folder, 'papermerge.tar.gz')
    const home = papermerge.folder('.home/')
    const versions = [papermerge.version({ number: 1 }), papermerge.version({ number: 2 })]
    const user = papermerge.user({ nodes: [home, papermerge.document('.home/lease', { versions })] })
    await packPapermerge(path, [user], [docsFile(1, 'scan.pdf', 'first')])
    const to = fresh()
    const report = await extracted(3, path, '--to', to, '--keep-going')
    expect(report).toMatchObject({ proved: false, leftOut: { total: 1 } })
    expect(report.leftOut.listed[0]).toMatchObject({ code: 'archive.missing_file', about: 'john: .home/lease' })
  })
})
