import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listDiscardedFiles } from '../database/queries/files.ts'
import { databases } from '../../test/support/databases.ts'
import { bytesOf, createInstance, type TestInstance } from '../../test/support/instances.ts'

describe.each(databases)('nodes on $name', (kind) => {
  let instance: TestInstance
  let userId: string
  const username = 'ada'

  beforeEach(async () => {
    instance = await createInstance(kind)
    userId = await instance.users.add({ username, password: null })
  })

  afterEach(async () => {
    await instance[Symbol.asyncDispose]()
  })

  const make = (path: string, parents = false) => instance.nodes.makeFolder({ username, path, parents })
  const move = (from: string, to: string) => instance.nodes.move({ username, from, to })
  const remove = (...paths: string[]) => instance.nodes.remove({ username, paths })
  const idOf = async (path: string) => (await instance.nodes.resolve({ username, path })).id

  async function putDocument(folder: string, title: string): Promise<string> {
    const { documentId } = await instance.documents.create({
      userId,
      parentId: await idOf(folder),
      title,
      fileName: title,
      bytes: bytesOf(title),
      mediaType: 'text/plain',
      pageCount: null,
    })
    return documentId
  }

  test('a path that begins with no top-level node starts at the home', async () => {
    const id = await make('Taxes')
    expect(await idOf('.home/Taxes')).toBe(id)
    expect(await idOf('Taxes/')).toBe(id)
    await expect(idOf('.inbox/Taxes')).rejects.toMatchObject({ code: 'node.not_found' })
  })

  test('folders above are made only when that is asked for', async () => {
    await expect(make('a/b/c')).rejects.toMatchObject({ code: 'node.not_found' })
    const id = await make('a/b/c', true)
    expect(await make('a/b/c', true)).toBe(id)
    await expect(make('a/b/c')).rejects.toMatchObject({ code: 'node.exists' })
    await make('.inbox/a\\/b')
    expect(await instance.nodes.resolve({ username, path: '.inbox/a\\/b' })).toMatchObject({ title: 'a/b' })
  })

  test('a document holds no folder', async () => {
    await putDocument('.home', 'scan.pdf')
    await expect(make('scan.pdf/a')).rejects.toMatchObject({ code: 'node.not_folder' })
    await expect(make('scan.pdf/a/b', true)).rejects.toMatchObject({ code: 'node.not_folder' })
    await expect(make('scan.pdf', true)).rejects.toMatchObject({ code: 'node.not_folder' })
    await expect(make('scan.pdf')).rejects.toMatchObject({ code: 'node.exists' })
  })

  test('a bad path, and a title that cannot be, are refused', async () => {
    await expect(make('')).rejects.toMatchObject({ code: 'node.bad_path' })
    await expect(make('a//b')).rejects.toMatchObject({ code: 'node.bad_path' })
    await expect(make('a\0')).rejects.toMatchObject({ code: 'text.nul' })
    await expect(make('\ud800')).rejects.toMatchObject({ code: 'text.surrogate' })
    await expect(make('x'.repeat(4097))).rejects.toMatchObject({ code: 'text.too_long' })
    await make('🗂'.repeat(4096))
    await expect(instance.nodes.makeFolder({ username: 'nobody', path: 'a', parents: false })).rejects.toMatchObject({
      code: 'user.not_found',
    })
  })

  test('moving to a folder goes into it, and to another path renames', async () => {
    const id = await putDocument('.inbox', 'scan.pdf')
    await make('Taxes')
    await move('.inbox/scan.pdf', 'Taxes')
    expect(await idOf('Taxes/scan.pdf')).toBe(id)
    await move('Taxes/scan.pdf', 'Taxes/Notice: 2026/1.pdf'.replace('/1', '\\/1'))
    expect(await instance.nodes.resolve({ username, path: 'Taxes/Notice: 2026\\/1.pdf' })).toMatchObject({ id })
    await move('Taxes', '.inbox')
    expect(await idOf('.inbox/Taxes/Notice: 2026\\/1.pdf')).toBe(id)
  })

  test('a move that would lose or hide something is refused', async () => {
    await make('a/b', true)
    await make('b')
    await putDocument('.home', 'scan.pdf')
    await expect(move('b', 'a')).rejects.toMatchObject({ code: 'node.exists' })
    await expect(move('a', 'a/b')).rejects.toMatchObject({ code: 'node.into_itself' })
    await expect(move('a', 'a')).rejects.toMatchObject({ code: 'node.into_itself' })
    await expect(move('a', 'a/c')).rejects.toMatchObject({ code: 'node.into_itself' })
    await expect(move('a', 'scan.pdf')).rejects.toMatchObject({ code: 'node.exists' })
    await expect(move('scan.pdf', 'scan.pdf')).rejects.toMatchObject({ code: 'node.exists' })
    await expect(move('a', 'scan.pdf/a')).rejects.toMatchObject({ code: 'node.not_folder' })
    await expect(move('a', 'nowhere/a')).rejects.toMatchObject({ code: 'node.not_found' })
    await expect(move('nowhere', 'a')).rejects.toMatchObject({ code: 'node.not_found' })
    await expect(move('.home', '.inbox')).rejects.toMatchObject({ code: 'node.is_root' })
    await expect(move('.inbox', 'a')).rejects.toMatchObject({ code: 'node.is_root' })
  })

  test('removing moves a folder with all below it to the trash', async () => {
    await make('a/b', true)
    await putDocument('a/b', 'deep.txt')
    await putDocument('a', 'near.txt')
    await putDocument('.home', 'other.txt')
    expect(await remove('a')).toBe(4)
    await expect(idOf('a')).rejects.toMatchObject({ code: 'node.not_found' })
    await expect(idOf('a/b')).rejects.toMatchObject({ code: 'node.not_found' })
    expect(await listDiscardedFiles(instance.database.db, '', 10)).toEqual([])
    expect(await Array.fromAsync(instance.media.list())).toHaveLength(3)
    expect((await instance.check({ quick: false }, () => {})).leftOut.total).toBe(0)
  })

  test('several things are removed together or not at all', async () => {
    await make('a')
    await make('b')
    await expect(remove('a', 'nowhere')).rejects.toMatchObject({ code: 'node.not_found' })
    expect(await idOf('a')).toEqual(expect.any(String))
    expect(await remove('a', 'b')).toBe(2)
  })

  test('a root, and what is not there, cannot be removed', async () => {
    await expect(remove('.home')).rejects.toMatchObject({ code: 'node.is_root' })
    await expect(remove('.inbox')).rejects.toMatchObject({ code: 'node.is_root' })
    await expect(remove('nowhere')).rejects.toMatchObject({ code: 'node.not_found' })
    const nested = await make('.home/a/.home', true)
    expect(await idOf('a/.home')).toBe(nested)
    await remove('a/.home')
    await remove('a')
  })

  test('tags are made, put on, changed, counted and taken off', async () => {
    const { tags } = instance
    await make('a')
    await make('b')
    await tags.add({ username, path: 'a', name: 'urgent' })
    await tags.add({ username, path: 'a', name: 'urgent' })
    await tags.add({ username, path: 'b', name: 'urgent', bgColor: '#000000', pinned: true, description: 'soon' })
    await tags.add({ username, path: 'b', name: 'a/b <x>' })
    expect(await tags.list({ username })).toEqual([
      expect.objectContaining({ name: 'a/b <x>', bg_color: '#c41fff', fg_color: '#FFFFFF', pinned: 0, nodes: 1 }),
      expect.objectContaining({ name: 'urgent', bg_color: '#000000', description: 'soon', pinned: 1, nodes: 2 }),
    ])
    await tags.remove({ username, name: 'urgent', path: 'a' })
    expect((await tags.list({ username })).map(({ nodes }) => nodes)).toEqual([1, 1])
    await tags.remove({ username, name: 'urgent' })
    expect((await tags.list({ username })).map(({ name }) => name)).toEqual(['a/b <x>'])
    await expect(tags.remove({ username, name: 'urgent' })).rejects.toMatchObject({ code: 'tag.not_found' })
    await expect(tags.add({ username, path: 'nowhere', name: 'x' })).rejects.toMatchObject({ code: 'node.not_found' })
    await expect(tags.add({ username, path: 'a', name: '' })).rejects.toMatchObject({ code: 'text.empty' })
  })
})
