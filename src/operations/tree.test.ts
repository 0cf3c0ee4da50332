import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { databases } from '../../test/support/databases.ts'
import { bytesOf, createInstance, type TestInstance, testTime } from '../../test/support/instances.ts'
import { insertNodes } from '../database/queries/nodes.ts'
import { folderRow } from '../services/folder-row.ts'
import { createTree } from './tree.ts'

describe.each(databases)('tree on $name', (kind) => {
  let instance: TestInstance

  beforeEach(async () => {
    instance = await createInstance(kind)
  })

  afterEach(async () => {
    await instance[Symbol.asyncDispose]()
  })

  async function addDocument(username: string, folder: string, title: string, pages: readonly string[] = []) {
    const node = await instance.nodes.resolve({ username, path: folder })
    return instance.documents.create({
      userId: node.user_id,
      parentId: node.id,
      title,
      fileName: title,
      bytes: bytesOf('x'),
      mediaType: 'text/plain',
      pageCount: pages.length,
      pages: pages.map((text) => ({ text })),
      text: pages.join(' '),
    })
  }

  const parsed = async (input: { text: boolean; username?: string }) => JSON.parse(await instance.tree(input))

  test('an instance without users is an empty list', async () => {
    expect(await parsed({ text: true })).toEqual({ users: [] })
  })

  test('everything has the documented keys in the documented order', async () => {
    const userId = await instance.users.add({ username: 'ada', password: 'x', email: 'a@b', superuser: true })
    const { documentId, versionId } = await addDocument('ada', '.home', 'a.txt', ['one', 'two'])
    await instance.tags.add({ username: 'ada', path: 'a.txt', name: 'b' })
    await instance.tags.add({ username: 'ada', path: 'a.txt', name: 'a', pinned: true, description: 'first' })
    const tree = await parsed({ text: true })
    const id = expect.any(String)
    const folder = { created_at: testTime, updated_at: testTime, lang: null, ocr: null, ocr_status: null, versions: [] }
    expect(tree).toEqual({
      users: [
        {
          id: userId,
          username: 'ada',
          email: 'a@b',
          is_active: true,
          is_superuser: true,
          tags: [
            { name: 'a', bg_color: '#c41fff', fg_color: '#FFFFFF', description: 'first', pinned: true },
            { name: 'b', bg_color: '#c41fff', fg_color: '#FFFFFF', description: null, pinned: false },
          ],
          nodes: [
            { id, type: 'folder', path: ['.home'], title: '.home', tags: [], ...folder },
            {
              id: documentId,
              type: 'document',
              path: ['.home', 'a.txt'],
              title: 'a.txt',
              tags: ['a', 'b'],
              created_at: testTime,
              updated_at: testTime,
              lang: 'deu',
              ocr: true,
              ocr_status: 'unknown',
              versions: [
                {
                  id: versionId,
                  number: 1,
                  file_name: 'a.txt',
                  size: 1,
                  sha256: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
                  media_type: 'text/plain',
                  page_count: 2,
                  lang: 'deu',
                  short_description: '',
                  created_at: testTime,
                  text: 'one two',
                  pages: [
                    { id, number: 1, lang: 'deu', text: 'one' },
                    { id, number: 2, lang: 'deu', text: 'two' },
                  ],
                },
              ],
            },
            { id, type: 'folder', path: ['.inbox'], title: '.inbox', tags: [], ...folder },
          ],
        },
      ],
    })
    expect(Object.keys(tree.users[0].nodes[1])).toEqual(
      'id type path title tags created_at updated_at lang ocr ocr_status versions'.split(' '),
    )
    expect(Object.keys(tree.users[0].nodes[1].versions[0])).toEqual(
      'id number file_name size sha256 media_type page_count lang short_description created_at text pages'.split(' '),
    )
    const bare = await parsed({ text: false })
    expect(bare.users[0].nodes[1].versions[0]).not.toHaveProperty('text')
    expect(bare.users[0].nodes[1].versions[0].pages).toEqual([
      { id, number: 1, lang: 'deu' },
      { id, number: 2, lang: 'deu' },
    ])
  })

  test('users and nodes stand in the order of their UTF-8 bytes, element by element', async () => {
    for (const username of ['é', 'b', 'B']) await instance.users.add({ username, password: null })
    const make = (path: string) => instance.nodes.makeFolder({ username: 'b', path, parents: true })
    for (const path of ['a b', 'a/z', 'a!', 'Z', '\ufffd', '𐀀', 'a/"\n\\\\x']) await make(path)
    await addDocument('b', 'a', 'A')
    const { users } = await parsed({ text: false })
    expect(users.map((user: { username: string }) => user.username)).toEqual(['B', 'b', 'é'])
    expect(users[1].nodes.map((node: { path: string[] }) => node.path.join('|'))).toEqual([
      '.home',
      '.home|Z',
      '.home|a',
      '.home|a|"\n\\x',
      '.home|a|A',
      '.home|a|z',
      '.home|a b',
      '.home|a!',
      '.home|\ufffd',
      '.home|𐀀',
      '.inbox',
    ])
    expect(users[0].nodes).toHaveLength(2)
    expect((await parsed({ text: false, username: 'b' })).users).toEqual([users[1]])
    await expect(instance.tree({ text: false, username: 'x' })).rejects.toMatchObject({ code: 'user.not_found' })
  })

  test('more nodes, versions, pages and text than a batch holds come out whole and in order', async () => {
    const userId = await instance.users.add({ username: 'ada', password: null })
    const parentId = (await instance.nodes.resolve({ username: 'ada', path: '.home' })).id
    const names = Array.from({ length: 450 }, (_, index) => `f${String(index).padStart(4, '0')}`)
    await instance.database.write((tx) =>
      insertNodes(
        tx,
        names.map((title) => folderRow({ id: instance.ids.next(), userId, parentId, title, now: testTime })),
      ),
    )
    const many = Array.from({ length: 4100 }, (_, index) => `page ${index + 1}`)
    await addDocument('ada', '.home', 'g-many', many)
    await addDocument('ada', '.home', 'g-small', ['only'])
    await addDocument('ada', '.home', 'g-long', ['x'.repeat(3_000_000), '', 'y'])
    for (let version = 2; version <= 3; version += 1) {
      const document = await instance.nodes.resolve({ username: 'ada', path: 'g-small' })
      await instance.documents.addVersion({
        documentId: document.id,
        fileName: 'x',
        bytes: bytesOf('x'),
        mediaType: 'text/plain',
        pageCount: 1,
        pages: [{ text: `version ${version}` }],
      })
    }
    const { nodes } = (await parsed({ text: true })).users[0]
    const titles = nodes.map((node: { title: string }) => node.title)
    expect(titles).toEqual(['.home', ...names, 'g-long', 'g-many', 'g-small', '.inbox'])
    const texts = (title: string) =>
      nodes
        .find((node: { title: string }) => node.title === title)
        .versions.map((version: { pages: { text: string }[] }) => version.pages.map((page) => page.text))
    expect(texts('g-many')).toEqual([many])
    expect(texts('g-small')).toEqual([['only'], ['version 2'], ['version 3']])
    expect(texts('g-long')).toEqual([['x'.repeat(3_000_000), '', 'y']])
  })

  test('a reader that stops early leaves nothing open', async () => {
    await instance.users.add({ username: 'ada', password: null })
    await addDocument('ada', '.home', 'long', ['x'.repeat(200_000), 'y'.repeat(200_000)])
    for (let time = 0; time < 12; time += 1)
      for await (const piece of createTree(instance)({ text: true })) {
        expect(piece.startsWith('{"users":[')).toBe(true)
        break
      }
    expect((await parsed({ text: false })).users).toHaveLength(1)
  })
})
