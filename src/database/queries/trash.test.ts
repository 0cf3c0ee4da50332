import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { databases, type TestDatabase } from '../../../test/support/databases.ts'
import { aNode, aPage, aSidecar, aTag, aUser, aVersion } from '../../../test/support/rows.ts'
import type { NodeRow } from '../schema.ts'
import { countAll } from './counts.ts'
import { listDiscardedFiles } from './files.ts'
import { childrenOf, findChild, findNode, insertNodes, updateNode } from './nodes.ts'
import { orderNodes, readOrderedNodes } from './ordered-nodes.ts'
import { insertPages } from './pages.ts'
import { hasSidecarsWithoutFile, insertSidecars } from './sidecars.ts'
import { insertTags, listTagsWithUses, tagNode } from './tags.ts'
import {
  countTrash,
  deleteTrash,
  discardFilesOfTrash,
  findTrashed,
  hasTrash,
  isInTrash,
  listTrash,
  moveToTrash,
} from './trash.ts'
import { insertUsers } from './users.ts'
import { insertVersions } from './versions.ts'

const earlier = '2026-11-24T14:03:52.304446Z'
const later = '2026-11-25T14:03:52.304446Z'

/** A home with a folder that holds a document with a file, a page and a sidecar; and a twin of another user. */
async function filled({ database }: TestDatabase) {
  const users = [aUser({ username: 'ada' }), aUser({ username: 'bob' })] as const
  const trees = users.map((user) => {
    const home = aNode({ user_id: user.id, title: '.home' })
    const folder = aNode({ user_id: user.id, parent_id: home.id, title: 'a/b' })
    const inner = aNode({ user_id: user.id, parent_id: folder.id, title: 'inner' })
    const document = aNode({ user_id: user.id, parent_id: inner.id, title: 'deed.pdf', type: 'document' })
    const version = aVersion({ document_id: document.id, media_key: `docs/${user.username}`, size: 2 ** 40 })
    const page = aPage({ version_id: version.id })
    const sidecar = aSidecar({ page_id: page.id, media_key: `sidecars/${user.username}` })
    return { user, home, folder, inner, document, version, page, sidecar }
  })
  await database.write(async (tx) => {
    await insertUsers(tx, users)
    for (const { home, folder, inner, document, version, page, sidecar } of trees) {
      await insertNodes(tx, [home, folder, inner, document])
      await insertVersions(tx, [version])
      await insertPages(tx, [page])
      await insertSidecars(tx, [sidecar])
    }
  })
  return { ada: trees[0]!, bob: trees[1]! }
}

describe.each(databases)('the trash on $name', ({ create }) => {
  test('takes a node with all below it, notes from where, and keeps its rows', async () => {
    await using made = await create()
    const { db, write } = made.database
    const { ada, bob } = await filled(made)
    expect(await hasTrash(db)).toBe(false)
    expect(await write((tx) => moveToTrash(tx, ada.folder.id, earlier))).toBe(true)
    const moved = { parent_id: null, deleted_at: earlier, deleted_parent: ada.home.id, deleted_from: '.home/a\\/b' }
    expect(await findNode(db, ada.folder.id)).toEqual({ ...ada.folder, ...moved })
    expect(await findNode(db, ada.document.id)).toEqual(ada.document)
    expect(await isInTrash(db, ada.document.id)).toBe(true)
    expect(await isInTrash(db, ada.home.id)).toBe(false)
    expect(await isInTrash(db, randomUUID())).toBe(false)
    expect(await hasTrash(db)).toBe(true)
    for (const id of [ada.folder.id, ada.document.id, randomUUID()]) {
      expect(await write((tx) => moveToTrash(tx, id, later))).toBe(false)
    }
    expect(await isInTrash(db, bob.document.id)).toBe(false)
  })

  test('is left out of the top level, of the walk, and of what carries a tag', async () => {
    await using made = await create()
    const { db, write } = made.database
    const { ada } = await filled(made)
    const tag = aTag({ user_id: ada.user.id })
    await write(async (tx) => {
      await insertTags(tx, [tag])
      for (const { id } of [ada.home, ada.folder, ada.document]) await tagNode(tx, id, tag.id)
      await moveToTrash(tx, ada.folder.id, earlier)
    })
    expect(await findChild(db, ada.user.id, null, 'a/b')).toBeUndefined()
    expect((await childrenOf(db, ada.user.id, null)).map(({ id }) => id)).toEqual([ada.home.id])
    expect(await childrenOf(db, ada.user.id, ada.home.id)).toEqual([])
    expect(await listTagsWithUses(db, ada.user.id)).toEqual([{ ...tag, nodes: 1 }])
    const walk = async (trash: boolean): Promise<(readonly [string, number, number])[]> =>
      made.database.snapshot(async (snapshot) => {
        await orderNodes(snapshot, { userId: ada.user.id, trash })
        return (await readOrderedNodes(snapshot, 0, 10)).map((row) => [row.title, row.depth, row.trashed] as const)
      })
    expect(await walk(false)).toEqual([['.home', 0, 0]])
    expect(await walk(true)).toEqual([
      ['.home', 0, 0],
      ['a/b', 0, 1],
      ['inner', 1, 1],
      ['deed.pdf', 2, 1],
    ])
  })

  test('frees the title, for a living twin and for more in the trash; below one folder of it titles stay unique', async () => {
    await using made = await create()
    const { db, write } = made.database
    const { ada } = await filled(made)
    const twins = [0, 1].map(() => aNode({ user_id: ada.user.id, parent_id: ada.home.id, title: 'a/b' }))
    for (const twin of twins) {
      await write(async (tx) => {
        const there = await findChild(tx, ada.user.id, ada.home.id, 'a/b')
        await moveToTrash(tx, there!.id, earlier)
        await insertNodes(tx, [twin])
      })
    }
    expect(await findChild(db, ada.user.id, ada.home.id, 'a/b')).toEqual(twins[1])
    expect((await findTrashed(db, ada.user.id, '.home/a\\/b')).map(({ id }) => id).toSorted()).toEqual(
      [ada.folder.id, twins[0]!.id].toSorted(),
    )
    const inner = aNode({ user_id: ada.user.id, parent_id: ada.folder.id, title: 'inner' })
    await expect(write((tx) => insertNodes(tx, [inner]))).rejects.toMatchObject({ code: 'program.fault' })
  })

  test('is listed by user, the latest first, with how much each thing holds', async () => {
    await using made = await create()
    const { db, write } = made.database
    const { ada, bob } = await filled(made)
    await write(async (tx) => {
      await moveToTrash(tx, bob.folder.id, later)
      await moveToTrash(tx, ada.document.id, earlier)
      await moveToTrash(tx, ada.folder.id, later)
    })
    const listed = await listTrash(db)
    expect(listed.map(({ username, id }) => [username, id])).toEqual([
      ['ada', ada.folder.id],
      ['ada', ada.document.id],
      ['bob', bob.folder.id],
    ])
    const counts = ({ folders, documents, versions, bytes }: (typeof listed)[number]) => [
      folders,
      documents,
      versions,
      bytes,
    ]
    expect(listed.map(counts)).toEqual([
      [2, 0, 0, 0],
      [0, 1, 1, 2 ** 40],
      [2, 1, 1, 2 ** 40],
    ])
    expect(await listTrash(db, { userId: bob.user.id })).toEqual([listed[2]])
    expect(await listTrash(db, { until: earlier })).toEqual([listed[1]])
  })

  test('is counted apart', async () => {
    await using made = await create()
    const { db, write } = made.database
    const { ada, bob } = await filled(made)
    const all = await countAll(db)
    const one = { documents: 1, versions: 1, pages: 1, sidecars: 1, originalBytes: 2 ** 40, sidecarBytes: 5 }
    await write((tx) => moveToTrash(tx, ada.folder.id, earlier))
    expect(await countAll(db)).toEqual({ ...all, ...one, folders: 2, trash: { ...one, folders: 2 } })
    expect((await countAll(db, bob.user.id)).trash).toMatchObject({ folders: 0, documents: 0, originalBytes: 0 })
    expect(await countTrash(db, { userId: ada.user.id })).toEqual({ ...one, items: 1, folders: 2 })
    const home: NodeRow = aNode({ user_id: ada.user.id, parent_id: ada.home.id, title: '.home' })
    await write(async (tx) => {
      await insertNodes(tx, [home])
      await moveToTrash(tx, home.id, earlier)
    })
    expect((await countAll(db)).trash.folders).toBe(3)
  })

  test('is emptied with all below it, of one user or up to a moment, and the files are noted for removal', async () => {
    await using made = await create()
    const { db, write } = made.database
    const { ada, bob } = await filled(made)
    await write(async (tx) => {
      await moveToTrash(tx, ada.folder.id, earlier)
      await moveToTrash(tx, bob.folder.id, later)
    })
    const empty = (choice: Parameters<typeof deleteTrash>[1]): Promise<number> =>
      write(async (tx) => {
        await discardFilesOfTrash(tx, choice)
        return deleteTrash(tx, choice)
      })
    expect(await empty({ userId: ada.user.id, until: '2026-11-24T14:03:52.304445Z' })).toBe(0)
    expect(await empty({ until: earlier })).toBe(3)
    expect(await listDiscardedFiles(db, '', 10)).toEqual(['docs/ada', 'sidecars/ada'])
    expect(await findNode(db, ada.document.id)).toBeUndefined()
    expect(await findNode(db, bob.document.id)).toEqual(bob.document)
    expect(await empty({ userId: ada.user.id })).toBe(0)
    expect(await empty({})).toBe(3)
    expect(await listDiscardedFiles(db, '', 10)).toEqual(['docs/ada', 'docs/bob', 'sidecars/ada', 'sidecars/bob'])
    expect((await childrenOf(db, bob.user.id, null)).map(({ id }) => id)).toEqual([bob.home.id])
  })

  test.each<Partial<NodeRow>>([
    { deleted_at: earlier, deleted_from: '.home/a' },
    { parent_id: null, deleted_at: earlier },
    { deleted_from: '.home/a' },
    { deleted_parent: 'x' },
  ])('cannot hold what is half there: %j', async (changes) => {
    await using made = await create()
    const { ada } = await filled(made)
    const change = made.database.write((tx) => updateNode(tx, ada.folder.id, changes))
    await expect(change).rejects.toMatchObject({ code: 'program.fault' })
  })
})

describe.each(databases)('sidecars on $name', ({ create }) => {
  test('of a document that never had a file are found', async () => {
    await using made = await create()
    const { db, write } = made.database
    const { ada } = await filled(made)
    expect(await hasSidecarsWithoutFile(db)).toBe(false)
    const none = { file_name: null, size: null, sha256: null, media_key: null }
    await write((tx) => insertVersions(tx, [aVersion({ document_id: ada.document.id, number: 2, ...none })]))
    expect(await hasSidecarsWithoutFile(db)).toBe(false)
    await write((tx) => tx.updateTable('versions').set(none).where('id', '=', ada.version.id).execute())
    expect(await hasSidecarsWithoutFile(db)).toBe(true)
  })
})
