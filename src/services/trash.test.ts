import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listDiscardedFiles } from '../database/queries/files.ts'
import { databases } from '../../test/support/databases.ts'
import { bytesOf, createInstance, type TestInstance, testTime } from '../../test/support/instances.ts'

describe.each(databases)('the trash on $name', (kind) => {
  let instance: TestInstance
  const username = 'ada'

  beforeEach(async () => {
    instance = await createInstance(kind)
    await instance.users.add({ username, password: null })
  })

  afterEach(async () => {
    await instance[Symbol.asyncDispose]()
  })

  const make = (path: string) => instance.nodes.makeFolder({ username, path, parents: true })
  const remove = (...paths: string[]) => instance.nodes.remove({ username, paths })
  const restore = (item: string, place: { into?: string; title?: string } = {}) =>
    instance.trash.restore({ username, item, ...place })
  const nodeAt = (path: string) => instance.nodes.resolve({ username, path })
  const rows = () => instance.database.db.selectFrom('nodes').selectAll().orderBy('id').execute()
  const paths = async () => (await instance.trash.list({ username })).map((node) => node.deleted_from)

  async function putDocument(folder: string, title: string, text = title): Promise<string> {
    const { user_id: userId, id: parentId } = await nodeAt(folder)
    const file = { fileName: title, bytes: bytesOf(text), mediaType: 'text/plain', pageCount: null }
    return (await instance.documents.create({ userId, parentId, title, ...file })).documentId
  }

  test('a thing goes back to its place just as it was, with all below it', async () => {
    await make('Taxes/2026')
    await putDocument('Taxes/2026', 'notice.pdf')
    await instance.tags.add({ username, path: 'Taxes', name: 'paid' })
    const before = await rows()
    expect(await remove('Taxes')).toBe(3)
    expect(await paths()).toEqual(['.home/Taxes'])
    expect((await instance.tags.list({ username })).map(({ nodes }) => nodes)).toEqual([0])
    expect(await restore('.home/Taxes')).toBe('.home/Taxes')
    expect(await rows()).toEqual(before)
    expect((await instance.tags.list({ username })).map(({ nodes }) => nodes)).toEqual([1])
    expect(await paths()).toEqual([])
  })

  test('a thing goes to another place, and is then changed as by a move', async () => {
    const id = await make('a/b/c')
    await make('.inbox/d')
    await remove('a/b/c')
    expect(await restore(id.toUpperCase(), { into: '.inbox/d', title: 'x/y' })).toBe('.inbox/d/x\\/y')
    expect(await nodeAt('.inbox/d/x\\/y')).toMatchObject({ id, updated_at: testTime, deleted_at: null })
  })

  test('where the place is gone or taken, it says so and changes nothing', async () => {
    await make('a/b')
    await remove('a/b')
    await make('a/b')
    await expect(restore('.home/a/b')).rejects.toMatchObject({
      code: 'trash.place_taken',
      details: { item: '.home/a/b', folder: '.home/a', title: 'b' },
    })
    await expect(restore('.home/a/b', { into: 'a' })).rejects.toMatchObject({ code: 'trash.place_taken' })
    expect(await restore('.home/a/b', { title: 'b (2)' })).toBe('.home/a/b (2)')
    await remove('a/b')
    await remove('a')
    await expect(restore('.home/a/b')).rejects.toMatchObject({ code: 'trash.place_gone' })
    await expect(restore('.home/a/b', { into: 'a' })).rejects.toMatchObject({ code: 'node.not_found' })
    expect((await instance.trash.empty({ username })).items).toBe(2)
    await expect(restore('.home/a/b')).rejects.toMatchObject({ code: 'trash.not_found' })
  })

  test('a thing whose folder was removed after it is brought back elsewhere, or after the folder', async () => {
    await make('a/b')
    await remove('a/b')
    await remove('a')
    await expect(restore('.home/a/b')).rejects.toMatchObject({ code: 'trash.place_gone' })
    expect(await restore('.home/a')).toBe('.home/a')
    expect(await restore('.home/a/b')).toBe('.home/a/b')
  })

  test('of two things from one path the id says which', async () => {
    const first = await make('a')
    await remove('a')
    const second = await make('a')
    await remove('a')
    await expect(restore('.home/a')).rejects.toMatchObject({ code: 'trash.ambiguous', details: { count: 2 } })
    await restore(first)
    expect((await nodeAt('a')).id).toBe(first)
    expect((await instance.trash.list()).map(({ id }) => id)).toEqual([second])
  })

  test("what is not in the trash, or lies below something in it, or is another user's, is not found", async () => {
    await instance.users.add({ username: 'bob', password: null })
    const below = await make('a/b')
    const id = (await nodeAt('a')).id
    for (const item of ['.home/a', id, 'nonsense', '']) {
      await expect(restore(item)).rejects.toMatchObject({ code: 'trash.not_found', kind: 'not_found' })
    }
    await remove('a')
    for (const item of [below, '.home/a/b'])
      await expect(restore(item)).rejects.toMatchObject({ code: 'trash.not_found' })
    await expect(instance.trash.restore({ username: 'bob', item: id })).rejects.toMatchObject({
      code: 'trash.not_found',
    })
    expect(await instance.trash.list({ username: 'bob' })).toEqual([])
    await expect(instance.trash.list({ username: 'nobody' })).rejects.toMatchObject({ code: 'user.not_found' })
  })

  test('nothing in the trash can be moved, tagged, added to or removed again', async () => {
    const documentId = await putDocument('.home', 'scan.pdf')
    const folder = await make('a')
    await remove('scan.pdf', 'a')
    const file = { fileName: 'x', bytes: bytesOf('x'), mediaType: 'text/plain', pageCount: null }
    const { user_id: userId } = await nodeAt('.home')
    await expect(instance.documents.addVersion({ documentId, ...file })).rejects.toMatchObject({
      code: 'node.not_found',
    })
    const inside = instance.documents.create({ userId, parentId: folder, title: 'x', ...file })
    await expect(inside).rejects.toMatchObject({ code: 'node.not_found' })
    for (const path of ['scan.pdf', 'a']) {
      await expect(instance.nodes.move({ username, from: path, to: '.inbox' })).rejects.toMatchObject({
        code: 'node.not_found',
      })
      await expect(instance.tags.add({ username, path, name: 't' })).rejects.toMatchObject({ code: 'node.not_found' })
      await expect(remove(path)).rejects.toMatchObject({ code: 'node.not_found' })
    }
    expect(await instance.tree({ text: false })).not.toContain('scan.pdf')
    expect(await Array.fromAsync(instance.media.list())).toHaveLength(1)
  })

  test('a folder called .home in the trash is no root, and can be brought back', async () => {
    await make('a/.home')
    await remove('a/.home')
    expect(await restore('.home/a/.home')).toBe('.home/a/.home')
    await remove('a/.home')
    expect((await instance.trash.empty({})).folders).toBe(1)
    expect((await nodeAt('.home')).parent_id).toBeNull()
  })

  test('an import next to things in the trash takes their titles anew', async () => {
    await putDocument('.inbox', 'scan.pdf', 'old')
    await remove('.inbox/scan.pdf')
    const id = await putDocument('.inbox', 'scan.pdf', 'new')
    expect((await nodeAt('.inbox/scan.pdf')).id).toBe(id)
    await instance.nodes.move({ username, from: '.inbox/scan.pdf', to: '.home' })
    await remove('scan.pdf')
    expect(await paths()).toEqual(expect.arrayContaining(['.inbox/scan.pdf', '.home/scan.pdf']))
  })

  test('emptying removes rows at once and files when nobody reads them, of one user, and only what is old enough', async () => {
    await instance.users.add({ username: 'bob', password: null })
    await instance.nodes.makeFolder({ username: 'bob', path: 'x', parents: false })
    await instance.nodes.remove({ username: 'bob', paths: ['x'] })
    await putDocument('.home', 'scan.pdf')
    await remove('scan.pdf')
    expect(await instance.trash.count({ olderThanDays: 1 })).toMatchObject({ items: 0 })
    expect(await instance.trash.empty({ olderThanDays: 1 })).toMatchObject({ items: 0, documents: 0 })
    expect(await instance.trash.empty({ username, olderThanDays: 0 })).toEqual({
      ...{ items: 1, folders: 0, documents: 1, versions: 1, pages: 0, sidecars: 0, originalBytes: 8, sidecarBytes: 0 },
    })
    expect(await listDiscardedFiles(instance.database.db, '', 10)).toHaveLength(1)
    expect(await instance.recover()).toEqual({ unfinished: 0, discarded: 1 })
    expect(await Array.fromAsync(instance.media.list())).toEqual([])
    expect((await instance.trash.list()).map(({ username: whose }) => whose)).toEqual(['bob'])
  })
})
