import { execFile } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PDFDocument } from '@cantoo/pdf-lib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { databases } from '../../test/support/databases.ts'
import { createInstance, type TestInstance } from '../../test/support/instances.ts'
import type { ImportReport } from '../contract/import-report.ts'
import { hasUnfinishedFiles } from '../database/queries/files.ts'

interface ShownVersion {
  readonly size: number
  readonly media_type: string
  readonly page_count: number | null
  readonly file_name: string
  readonly pages: readonly unknown[]
}

describe.each(databases)('import on $name', (kind) => {
  let instance: TestInstance
  let source: string
  const username = 'ada'

  beforeEach(async () => {
    instance = await createInstance(kind)
    await instance.users.add({ username, password: null })
    source = await mkdtemp(join(tmpdir(), 'strongroom-import-'))
  })

  afterEach(async () => {
    await instance[Symbol.asyncDispose]()
    await rm(source, { recursive: true, force: true })
  })

  const write = async (name: string, bytes: string | Uint8Array): Promise<string> => {
    const path = join(source, name)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, bytes)
    return path
  }

  const take = (...paths: readonly string[]): Promise<ImportReport> =>
    instance.importFiles({ paths, username }, () => {})

  const leftOut = (report: ImportReport) =>
    report.leftOut.listed.map(({ code, about }) => `${code} ${about.replace(`${source}/`, '')}`)

  /** Path -> versions, of all below the inbox and the home. */
  async function documents(): Promise<Record<string, readonly ShownVersion[]>> {
    const tree = JSON.parse(await instance.tree({ text: false }))
    const nodes: { path: string[]; type: string; versions: ShownVersion[] }[] = tree.users[0].nodes
    return Object.fromEntries(
      nodes
        .filter(({ path }) => path.length > 1)
        .map(({ path, type, versions }) => [`${path.join('/')}${type === 'folder' ? '/' : ''}`, versions]),
    )
  }

  async function expectSound(): Promise<void> {
    expect((await instance.check({ quick: false }, () => {})).leftOut).toMatchObject({ total: 0 })
    expect(await hasUnfinishedFiles(instance.database.db)).toBe(false)
  }

  test('files and folders become documents and folders below the inbox', async () => {
    const pdf = await PDFDocument.create()
    pdf.addPage()
    pdf.addPage()
    await write('Papers/2026/notice.pdf', await pdf.save())
    await write('Papers/letter.txt', 'Dear Ada')
    await mkdir(join(source, 'Papers/empty'))
    const photo = await write('photo', Buffer.from([0xff, 0xd8, 0xff, 0xe0]))
    const report = await take(join(source, 'Papers'), photo)
    expect(report).toMatchObject({
      operation: 'import',
      username,
      into: '.inbox',
      added: 3,
      folders: 3,
      newVersions: 0,
    })
    expect(report.warnings.total + report.leftOut.total).toBe(0)
    const found = await documents()
    expect(Object.keys(found)).toEqual([
      '.inbox/Papers/',
      '.inbox/Papers/2026/',
      '.inbox/Papers/2026/notice.pdf',
      '.inbox/Papers/empty/',
      '.inbox/Papers/letter.txt',
      '.inbox/photo',
    ])
    expect(found['.inbox/Papers/2026/notice.pdf']).toEqual([
      expect.objectContaining({ media_type: 'application/pdf', page_count: 2, file_name: 'notice.pdf' }),
    ])
    expect(found['.inbox/Papers/2026/notice.pdf']![0]!.pages).toHaveLength(2)
    expect(found['.inbox/Papers/letter.txt']).toEqual([
      expect.objectContaining({ size: 8, media_type: 'text/plain', page_count: null, pages: [] }),
    ])
    expect(found['.inbox/photo']).toEqual([expect.objectContaining({ media_type: 'image/jpeg' })])
    await expectSound()
  })

  test("what is in the trash is in nobody's way, and is not added to", async () => {
    await write('Papers/letter.txt', 'Dear Ada')
    await take(join(source, 'Papers'))
    await instance.nodes.remove({ username, paths: ['.inbox/Papers/letter.txt'] })
    expect(await take(join(source, 'Papers'))).toMatchObject({ added: 1, folders: 0, unchanged: 0, newVersions: 0 })
    await instance.nodes.remove({ username, paths: ['.inbox/Papers'] })
    expect(await take(join(source, 'Papers'))).toMatchObject({ added: 1, folders: 1, unchanged: 0, newVersions: 0 })
    expect(Object.keys(await documents())).toEqual(['.inbox/Papers/', '.inbox/Papers/letter.txt'])
    expect((await instance.trash.list()).map((node) => node.documents)).toEqual([1, 1])
    await expectSound()
  })

  test('what goes into a folder that is moved to the trash meanwhile is left out and named', async () => {
    await write('Papers/a/one.txt', 'one')
    await write('Papers/b/two.txt', 'two')
    let removal: Promise<unknown> | undefined
    const report = await instance.importFiles({ paths: [join(source, 'Papers')], username }, () => {
      removal ??= instance.nodes.remove({ username, paths: ['.inbox/Papers'] })
    })
    await removal
    expect(report.leftOut.listed.map(({ code }) => code).filter((code) => code !== 'import.refused')).toEqual([])
    expect(Object.keys(await documents())).toEqual([])
    await expectSound()
  })

  test('the same bytes at the same place are skipped, others become a new version', async () => {
    const a = await write('a.txt', 'same')
    const b = await write('b.txt', 'before')
    const c = await write('c.txt', 'one')
    expect(await take(a, b, c)).toMatchObject({ added: 3, bytes: 13 })
    await writeFile(b, 'after it')
    await writeFile(c, 'two')
    expect(await take(a, b, c)).toMatchObject({ added: 0, newVersions: 2, unchanged: 1, bytes: 11 })
    expect(await take(a, b, c)).toMatchObject({ added: 0, newVersions: 0, unchanged: 3, bytes: 0 })
    expect((await documents())['.inbox/c.txt']!.map(({ size }) => size)).toEqual([3, 3])
    await expectSound()
  })

  test('the folder that takes them can be named', async () => {
    await instance.nodes.makeFolder({ username, path: 'Taxes', parents: false })
    const paths = [await write('a.txt', 'a')]
    const report = await instance.importFiles({ paths, username, into: 'Taxes' }, () => {})
    expect(report.into).toBe('.home/Taxes')
    expect(Object.keys(await documents())).toEqual(['.home/Taxes/', '.home/Taxes/a.txt'])
  })

  test('what is named wrongly is said before anything is taken in', async () => {
    const a = await write('a.txt', 'a')
    await expect(take(a, join(source, 'nowhere'))).rejects.toMatchObject({ code: 'file.not_found' })
    const wrong = (input: { username?: string; into?: string }) =>
      instance.importFiles({ paths: [a], username, ...input }, () => {})
    await expect(wrong({ username: 'nobody' })).rejects.toMatchObject({ code: 'user.not_found' })
    await expect(wrong({ into: 'nowhere' })).rejects.toMatchObject({ code: 'node.not_found' })
    expect(await documents()).toEqual({})
    await take(a)
    await expect(wrong({ into: '.inbox/a.txt' })).rejects.toMatchObject({ code: 'node.not_folder' })
  })

  test('links, pipes and what cannot be read are left out and named', async () => {
    await write('tree/good.txt', 'good')
    await symlink('/etc', join(source, 'tree/folder-link'))
    await symlink('good.txt', join(source, 'tree/link.txt'))
    await promisify(execFile)('mkfifo', [join(source, 'tree/pipe')])
    // Its beginning belongs to no memory, so that reading it fails.
    const unreadable = '/proc/self/mem'
    const report = await take(join(source, 'tree'), unreadable)
    expect(report).toMatchObject({ added: 1, folders: 1 })
    expect(leftOut(report)).toEqual([
      'import.link tree/folder-link',
      'import.link tree/link.txt',
      'import.special tree/pipe',
      'import.unreadable /proc/self/mem',
    ])
    await expectSound()
  })

  test('a document is never replaced by a folder, nor a folder by a document', async () => {
    await write('one/a', 'a document')
    await write('two/a/b', 'below a folder')
    await take(join(source, 'one/a'))
    const folder = await take(join(source, 'two/a'))
    expect(leftOut(folder)).toEqual(['import.document_there two/a'])
    await take(join(source, 'two'))
    const document = await instance.importFiles(
      { paths: [join(source, 'one/a')], username, into: '.inbox/two' },
      () => {},
    )
    expect(leftOut(document)).toEqual(['import.folder_there one/a'])
    expect(Object.keys(await documents())).toEqual(['.inbox/a', '.inbox/two/', '.inbox/two/a/', '.inbox/two/a/b'])
  })

  test('two named paths that are called the same do not become versions of one document', async () => {
    const first = await write('x/a.txt', 'first')
    const second = await write('y/a.txt', 'second')
    const report = await take(first, first, second)
    expect(report.added).toBe(1)
    expect(leftOut(report)).toEqual(['import.same_name y/a.txt'])
  })

  test('a name that is no UTF-8 is kept as far as it can be, with a warning', async () => {
    const folder = Buffer.from(`${source}/`)
    for (const last of [0xfe, 0xff])
      await writeFile(Buffer.concat([folder, Buffer.from('caf'), Buffer.from([last])]), String(last))
    const report = await take(source)
    expect(report.added).toBe(1)
    expect(report.warnings.byCode).toEqual({ 'import.name_not_utf8': 1 })
    expect(report.leftOut.byCode).toEqual({ 'import.same_name': 1 })
    expect(Object.keys(await documents()).at(-1)).toMatch(/\/caf\ufffd$/)
  })

  test('names of all kinds come through, in the order of their bytes', async () => {
    const names = [' padded ', '..hidden', 'a\\b', 'e\u0301', 'it\'s "x"', 'line\nbreak', 'é', '文書', '🗂']
    for (const name of names) await write(`tree/${name}`, name)
    expect((await take(join(source, 'tree'))).added).toBe(names.length)
    const titles = Object.keys(await documents())
      .slice(1)
      .map((path) => path.replace('.inbox/tree/', ''))
    expect(titles).toEqual(names)
    expect((await take(join(source, 'tree'))).unchanged).toBe(names.length)
    await expectSound()
  })

  test('the data directory is not imported into itself', async () => {
    const inside = join(instance.dataDirectory, 'a.txt')
    await writeFile(inside, 'x')
    const report = await take(instance.dataDirectory, inside)
    expect(report.added).toBe(0)
    expect(report.leftOut.byCode).toEqual({ 'import.data_directory': 2 })
    await rm(inside)
  })

  test('a file that changes while it is read is left out, the others are taken in', async () => {
    for (const name of ['a', 'b', 'c']) await write(`tree/${name}`, name)
    let seen = 0
    const report = await instance.importFiles({ paths: [join(source, 'tree')], username }, () => {
      seen += 1
      if (seen === 2) appendFileSync(join(source, 'tree/a'), ' and more')
    })
    // The first file waits opened until its group is stored; by then it has grown.
    expect(leftOut(report)).toEqual(['import.changed tree/a'])
    expect(report.added).toBe(2)
    await expectSound()
  })

  test('a PDF whose pages cannot be counted is taken in, with a warning', async () => {
    const report = await take(await write('broken.pdf', '%PDF-1.7\nbroken'))
    expect(report.warnings.byCode).toEqual({ 'import.pages_unknown': 1 })
    expect((await documents())['.inbox/broken.pdf']).toEqual([
      expect.objectContaining({ media_type: 'application/pdf', page_count: null }),
    ])
  })

  test('more files than one group are taken in, and none stays open', async () => {
    const before = (await readdir('/proc/self/fd')).length
    for (let index = 0; index < 150; index += 1) await write(`tree/${index % 3}/${index}`, `file ${index}`)
    let shown = 0
    const report = await instance.importFiles({ paths: [join(source, 'tree')], username }, ({ done, unit }) => {
      expect(unit).toBe('files')
      shown = done
    })
    expect(report).toMatchObject({ added: 150, folders: 4 })
    expect(shown).toBe(150)
    expect((await readdir('/proc/self/fd')).length - before).toBeLessThan(80)
    expect((await take(join(source, 'tree'))).unchanged).toBe(150)
    await expectSound()
  })

  test('ended by a signal, it leaves whole documents only', async () => {
    for (let index = 0; index < 100; index += 1) await write(`tree/${index}`, `file ${index}`)
    const controller = new AbortController()
    const reason = new Error('ended')
    const running = instance.importFiles(
      { paths: [join(source, 'tree')], username },
      ({ done }) => done === 80 && controller.abort(reason),
      controller.signal,
    )
    await expect(running).rejects.toBe(reason)
    await expectSound()
    expect(await take(join(source, 'tree'))).toMatchObject({ added: 36, unchanged: 64 })
  })
})
