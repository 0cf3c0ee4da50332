import { execFileSync } from 'node:child_process'
import { mkdir, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RestoreReport } from '../../src/contract/restore-report.ts'
import { createCommandInstance, type CommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { adaId, addDocument, addFolder, fileOf, homeId, papermergeOfAda, uuid } from '../support/papermerge-of-ada.ts'
import { createPapermerge, loadBackup, papermergeKinds } from '../support/papermerge.ts'
import { everything } from '../support/restoring.ts'
import { samples } from '../support/samples.ts'
import type { Tree } from '../support/tree-report.ts'

const [sqlite] = databases

describe('a living Papermerge', () => {
  const odd = samples.filter(({ name }) => /^odd-(?:duplicate|deep|bad-titles|nested|newline|empty)/.test(name))

  test.each(odd)('is what a restore of its odd backup would be: $name', async ({ path }) => {
    await using papermerge = await createPapermerge('SQLite')
    await loadBackup(papermerge, path)
    await using living = await createCommandInstance(sqlite!)
    await using restored = await createCommandInstance(sqlite!)
    await living.report(papermerge.args)
    await restored.report(['restore', path])
    expect(await everything(living)).toEqual(await everything(restored))
  })
})

const treeOf = async (instance: CommandInstance): Promise<Tree> => instance.report(['tree', '--text'])

const documentsOf = ({ users }: Tree) => users.flatMap(({ nodes }) => nodes.filter(({ type }) => type === 'document'))

describe.each(papermergeKinds)('a Papermerge on %s whose backup fails', (kind) => {
  test('comes without the files that are missing, each of which is named, and with everything else', async () => {
    await using papermerge = await papermergeOfAda(kind)
    await addDocument(papermerge, 10, 'lost.pdf', { text: 'what it said' })
    await addDocument(papermerge, 11, 'never uploaded', { fileName: null })
    await addDocument(papermerge, 12, 'never named', { fileName: '' })
    await addDocument(papermerge, 13, 'whole.pdf', { content: '%PDF-1.4 whole', text: 'words' })
    await papermerge.insert('core_page', { id: uuid(90), document_version_id: uuid(91), number: 1, text: 'orphan' })
    await papermerge.insert('core_documentversion', { id: uuid(92), document_id: uuid(93), number: 1, text: '' })
    await using instance = await createCommandInstance(sqlite!)
    const planned = await instance.run(['--json', ...papermerge.args, '--dry-run'])
    expect(planned.exitCode).toBe(3)
    expect(documentsOf(await treeOf(instance))).toEqual([])
    const { exitCode, stdout } = await instance.run(['--json', ...papermerge.args])
    expect(exitCode).toBe(3)
    const report = JSON.parse(stdout) as RestoreReport
    expect(report.leftOut.listed).toMatchObject([
      { code: 'papermerge.missing_file', about: 'ada: lost.pdf (version 1)' },
    ])
    expect(report.leftOut.listed[0]?.message).toContain(fileOf(uuid(10)))
    expect(report.warnings.byCode).toEqual({ 'papermerge.broken_row': 2, 'version.no_file': 2 })
    const documents = documentsOf(await treeOf(instance))
    expect(documents.map(({ title, versions }) => [title, versions[0]?.size, versions[0]?.text])).toEqual([
      ['lost.pdf', null, 'what it said'],
      ['never named', null, ''],
      ['never uploaded', null, ''],
      ['whole.pdf', 14, 'words'],
    ])
    expect(documents[3]).toMatchObject({
      created_at: '2023-01-20T06:58:27.691980Z',
      lang: 'eng',
      ocr_status: 'succeeded',
    })
    await instance.report(['check'])
    await instance.report(['backup', join(instance.dataDirectory, '..', 'after.tar.gz')])
  })

  test('comes with names in every script, deep folders, tags, groups, and a node that lost its folder', async () => {
    await using papermerge = await papermergeOfAda(kind)
    const titles = [
      'Ätna\u0301.pdf',
      '日本語 書類.pdf',
      'עברית ‮gnp',
      '😀 a:b;c&<d>\\e',
      ' \'quoted" ',
      'tab\tnew\nline',
    ]
    for (const [index, title] of titles.entries()) {
      await addDocument(papermerge, 20 + index, title, { content: title, fileName: `${index} ${title}` })
    }
    let parent = homeId
    for (let depth = 0; depth < 60; depth += 1) {
      await addFolder(papermerge, uuid(100 + depth), `level ${depth}`, parent)
      parent = uuid(100 + depth)
    }
    const deep = await addDocument(papermerge, 50, 'deep.pdf', { parent, content: 'deep' })
    await addDocument(papermerge, 51, 'astray.pdf', { parent: uuid(999), content: 'astray' })
    await papermerge.insert('core_basetreenode', { id: uuid(60), title: 'half', user_id: adaId })
    const tag = { id: uuid(70), slug: 'x', name: 'Steuer 日', bg_color: '#00ff00', fg_color: '#000000', user_id: adaId }
    await papermerge.insert('core_tag', { ...tag, description: null, pinned: true })
    for (const object_id of [deep, uuid(100), uuid(4711)]) {
      await papermerge.insert('core_coloredtag', { object_id, content_type_id: 1, tag_id: tag.id })
    }
    await papermerge.insert('auth_group', { name: 'bookkeeping' })
    await papermerge.insert('core_user_groups', { user_id: adaId, group_id: 1 })
    await papermerge.insert('core_user_user_permissions', { user_id: adaId, permission_id: 3 })
    await using instance = await createCommandInstance(sqlite!)
    const { exitCode, stdout } = await instance.run(['--json', ...papermerge.args])
    expect(exitCode).toBe(3)
    const report = JSON.parse(stdout) as RestoreReport
    expect(report).toMatchObject({ groups: 1, leftOut: { byCode: { 'papermerge.broken_row': 1 } } })
    expect(report.warnings.byCode).toMatchObject({ 'papermerge.parent_missing': 1, 'papermerge.permissions': 1 })
    const [ada] = (await treeOf(instance)).users
    expect(ada?.tags).toMatchObject([{ name: tag.name, bg_color: '#00ff00', pinned: true }])
    const documents = documentsOf({ users: [ada!] })
    expect(documents.map(({ title }) => title).toSorted()).toEqual([...titles, 'astray.pdf', 'deep.pdf'].toSorted())
    expect(documents.find(({ title }) => title === 'astray.pdf')?.path).toEqual(['astray.pdf'])
    const deepest = documents.find(({ id }) => id === deep)
    expect(deepest).toMatchObject({ tags: [tag.name] })
    expect(deepest?.path).toHaveLength(62)
    for (const title of titles)
      expect(documents.find((node) => node.title === title)?.versions[0]?.size).toBe(Buffer.byteLength(title))
    const { users } = await instance.report<{ users: { groups: string[] }[] }>(['user', 'list'])
    expect(users).toMatchObject([{ groups: ['bookkeeping'] }])
    await instance.report(['check'])
  })

  test('is read where a column is missing that only later releases have', async () => {
    await using papermerge = await papermergeOfAda(kind)
    await addDocument(papermerge, 10, 'a.pdf', { content: 'a' })
    for (const column of ['ctype', 'created_at', 'lang']) {
      await papermerge.run(`alter table core_basetreenode drop column ${column}`)
    }
    await using instance = await createCommandInstance(sqlite!)
    await instance.report(papermerge.args)
    expect(documentsOf(await treeOf(instance))).toMatchObject([{ title: 'a.pdf', created_at: null }])
  })
})

test('a text that no database of ours could hold is altered, and said to be', async () => {
  await using papermerge = await papermergeOfAda('SQLite')
  await addDocument(papermerge, 10, 'nul\0title', { content: 'a', text: 'before\0after' })
  await papermerge.run("update core_page set text = cast(x'61ff62' as text)")
  await using instance = await createCommandInstance(databases[1]!)
  const report = await instance.report<RestoreReport>(papermerge.args)
  expect(report.warnings.byCode).toEqual({ 'text.replaced': 2 })
  const [document] = documentsOf(await treeOf(instance))
  expect(document).toMatchObject({ title: 'nul\uFFFDtitle', versions: [{ text: 'before\uFFFDafter' }] })
  expect(document?.versions[0]?.pages[0]?.text).toBe('a\uFFFDb')
})

test('folders that contain each other are refused, and nothing comes in', async () => {
  await using papermerge = await papermergeOfAda('SQLite')
  await addFolder(papermerge, uuid(10), 'hen', uuid(11))
  await addFolder(papermerge, uuid(11), 'egg', uuid(10))
  await using instance = await createCommandInstance(sqlite!)
  const before = await everything(instance)
  const { exitCode, stdout } = await instance.run(['--json', ...papermerge.args])
  expect(exitCode).toBe(4)
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'papermerge.invalid' } })
  expect(await everything(instance)).toEqual(before)
})

test('nothing but a regular file below the media folder is read', async () => {
  await using papermerge = await papermergeOfAda('SQLite')
  const place = (number: number): string => join(papermerge.media, fileOf(uuid(number)))
  await papermerge.put('../outside/secret', 'a secret')
  await papermerge.put('../outside/v1/scan.pdf', 'a secret')
  const outside = join(papermerge.media, '..', 'outside')
  await addDocument(papermerge, 10, 'whole.pdf', { content: 'whole' })
  for (const [number, title] of ['link', 'pipe', 'folder', 'linked folder', 'dots'].entries()) {
    const fileName = title === 'dots' ? '../../../../../outside/secret' : 'scan.pdf'
    await addDocument(papermerge, 11 + number, title, { fileName })
    if (number < 3) await mkdir(dirname(place(11 + number)), { recursive: true })
  }
  await symlink(join(outside, 'secret'), place(11))
  execFileSync('mkfifo', [place(12)])
  await mkdir(place(13))
  await mkdir(dirname(dirname(dirname(place(14)))), { recursive: true })
  await symlink(outside, dirname(dirname(place(14))))
  await using instance = await createCommandInstance(sqlite!)
  const { exitCode, stdout } = await instance.run(['--json', ...papermerge.args])
  expect(exitCode).toBe(3)
  expect((JSON.parse(stdout) as RestoreReport).leftOut.byCode).toEqual({ 'papermerge.missing_file': 5 })
  const sizes = documentsOf(await treeOf(instance)).map(({ title, versions }) => [title, versions[0]?.size])
  expect(sizes.filter(([, size]) => size !== null)).toEqual([['whole.pdf', 5]])
})

test('the backup of a Papermerge that was mended later is in conflict only where its files came back', async () => {
  await using papermerge = await papermergeOfAda('SQLite')
  await addDocument(papermerge, 10, 'lost.pdf', { content: 'lost' })
  await addDocument(papermerge, 11, 'whole.pdf', { content: 'whole' })
  const place = join(papermerge.media, fileOf(uuid(10)))
  await rename(place, `${place}.away`)
  await using instance = await createCommandInstance(sqlite!)
  expect((await instance.run(papermerge.args)).exitCode).toBe(3)
  await rename(`${place}.away`, place)
  const mended = await instance.run(['--json', ...papermerge.args])
  expect(mended.exitCode).toBe(5)
  expect(JSON.parse(mended.stdout)).toMatchObject({ error: { code: 'restore.conflicts', details: { conflicts: 1 } } })
  const report = await instance.report<RestoreReport>([...papermerge.args, '--on-conflict', 'overwrite'])
  expect(report.plan.documents).toEqual({ overwrite: 1, unchanged: 1 })
  await rm(place)
})
