import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { databases, type TestDatabase } from '../../../test/support/databases.ts'
import { aNode, aTag, aUser } from '../../../test/support/rows.ts'
import {
  childrenOf,
  countSubtree,
  existingNodeIds,
  findChild,
  findNode,
  insertNodes,
  isWithin,
  pathOf,
  updateNode,
} from './nodes.ts'
import { findTag, insertTags, deleteTag, listTags, tagNode, tagsOf, untagNode } from './tags.ts'
import { insertUsers } from './users.ts'

async function withUser(made: TestDatabase): Promise<{ user_id: string }> {
  const user = aUser()
  await made.database.write((tx) => insertUsers(tx, [user]))
  return { user_id: user.id }
}

describe.each(databases)('nodes on $name', ({ create }) => {
  test('are found by title below their parent, however long the title', async () => {
    await using made = await create()
    const { db, write } = made.database
    const owner = await withUser(made)
    const other = await withUser(made)
    const long = '\u{1f600}'.repeat(4095)
    const home = aNode({ ...owner, title: '.home' })
    const first = aNode({ ...owner, parent_id: home.id, title: `${long}a` })
    const second = aNode({ ...owner, parent_id: home.id, title: `${long}b`, type: 'document', ocr: 1 })
    const foreign = aNode({ ...other, title: '.home' })
    await write((tx) => insertNodes(tx, [home, first, second, foreign]))
    expect(await findChild(db, owner.user_id, null, '.home')).toEqual(home)
    expect(await findChild(db, other.user_id, null, '.home')).toEqual(foreign)
    expect(await findChild(db, owner.user_id, home.id, first.title)).toEqual(first)
    expect(await findChild(db, owner.user_id, home.id, second.title)).toEqual(second)
    expect(await findChild(db, owner.user_id, home.id, long)).toBeUndefined()
    expect(await findChild(db, owner.user_id, null, first.title)).toBeUndefined()
    expect(await findNode(db, second.id)).toEqual(second)
  })

  test('cannot be twins below one parent, nor at the top', async () => {
    await using made = await create()
    const owner = await withUser(made)
    const top = aNode({ ...owner, title: 'a' })
    await made.database.write((tx) => insertNodes(tx, [top, aNode({ ...owner, parent_id: top.id, title: 'a' })]))
    for (const parent of [null, top.id]) {
      const twin = aNode({ ...owner, parent_id: parent, title: 'a' })
      await expect(made.database.write((tx) => insertNodes(tx, [twin]))).rejects.toMatchObject({
        code: 'program.fault',
      })
    }
  })

  test('are listed by the bytes of their titles, whole or in batches', async () => {
    await using made = await create()
    const { db, write } = made.database
    const owner = await withUser(made)
    const top = aNode(owner)
    const titles = ['é', 'b', 'B', 'a']
    await write((tx) => insertNodes(tx, [top, ...titles.map((title) => aNode({ ...owner, parent_id: top.id, title }))]))
    const read = async (bounds?: { after?: string; limit?: number }): Promise<string[]> =>
      (await childrenOf(db, owner.user_id, top.id, bounds)).map(({ title }) => title)
    expect(await read()).toEqual(['B', 'a', 'b', 'é'])
    expect(await read({ limit: 3 })).toEqual(['B', 'a', 'b'])
    expect(await read({ after: 'a', limit: 1 })).toEqual(['b'])
    expect((await childrenOf(db, owner.user_id, null)).map(({ id }) => id)).toEqual([top.id])
  })

  test('are moved and renamed', async () => {
    await using made = await create()
    const { db, write } = made.database
    const owner = await withUser(made)
    const [from, to] = [aNode(owner), aNode(owner)]
    const moved = aNode({ ...owner, parent_id: from.id })
    await write((tx) => insertNodes(tx, [from, to, moved]))
    expect(await write((tx) => updateNode(tx, moved.id, { parent_id: to.id, title: 'new' }))).toBe(true)
    expect(await findNode(db, moved.id)).toEqual({ ...moved, parent_id: to.id, title: 'new' })
    expect(await write((tx) => updateNode(tx, randomUUID(), { title: 'new' }))).toBe(false)
    expect(await write((tx) => updateNode(tx, moved.id, {}))).toBe(true)
  })

  test('know the way from the top and what lies within them', async () => {
    await using made = await create()
    const { db, write } = made.database
    const owner = await withUser(made)
    const top = aNode({ ...owner, title: 'top' })
    const middle = aNode({ ...owner, parent_id: top.id, title: 'middle' })
    const below = aNode({ ...owner, parent_id: middle.id, title: 'below' })
    await write((tx) => insertNodes(tx, [top, middle, below]))
    expect((await pathOf(db, below.id)).map(({ title }) => title)).toEqual(['top', 'middle', 'below'])
    expect(await pathOf(db, randomUUID())).toEqual([])
    expect(await isWithin(db, below.id, top.id)).toBe(true)
    expect(await isWithin(db, top.id, top.id)).toBe(true)
    expect(await isWithin(db, top.id, below.id)).toBe(false)
    expect(await countSubtree(db, middle.id)).toBe(2)
    expect(await existingNodeIds(db, [top.id, randomUUID()])).toEqual([top.id])
  })

  test('cannot lose their parent or be a folder with a language', async () => {
    await using made = await create()
    const owner = await withUser(made)
    const top = aNode(owner)
    await made.database.write((tx) => insertNodes(tx, [top, aNode({ ...owner, parent_id: top.id })]))
    const removing = made.database.write((tx) => tx.deleteFrom('nodes').where('id', '=', top.id).execute())
    await expect(removing).rejects.toMatchObject({ code: 'program.fault' })
    const speaking = made.database.write((tx) => insertNodes(tx, [aNode({ ...owner, lang: 'eng' })]))
    await expect(speaking).rejects.toMatchObject({ code: 'program.fault' })
  })
})

describe.each(databases)('tags on $name', ({ create }) => {
  test('are found by name, listed by its bytes, and belong to one user', async () => {
    await using made = await create()
    const { db, write } = made.database
    const owner = await withUser(made)
    const other = await withUser(made)
    const tags = ['é', 'b', 'B', 'x'.repeat(4096)].map((name) => aTag({ ...owner, name, description: 'd', pinned: 1 }))
    await write((tx) => insertTags(tx, [...tags, aTag({ ...other, name: 'b' })]))
    expect(await findTag(db, owner.user_id, 'b')).toEqual(tags[1])
    expect(await findTag(db, owner.user_id, tags[3]!.name)).toEqual(tags[3])
    expect(await findTag(db, other.user_id, 'B')).toBeUndefined()
    expect((await listTags(db, owner.user_id)).map(({ name }) => name.slice(0, 2))).toEqual(['B', 'b', 'xx', 'é'])
    expect((await listTags(db, owner.user_id, { after: 'B', limit: 1 })).map(({ name }) => name)).toEqual(['b'])
    const twin = write((tx) => insertTags(tx, [aTag({ ...owner, name: 'b' })]))
    await expect(twin).rejects.toMatchObject({ code: 'program.fault' })
  })

  test('are put on nodes once, and taken off', async () => {
    await using made = await create()
    const { db, write } = made.database
    const owner = await withUser(made)
    const nodes = [aNode(owner), aNode({ ...owner, type: 'document' }), aNode(owner)]
    const [z, a] = [aTag({ ...owner, name: 'z' }), aTag({ ...owner, name: 'a' })]
    await write(async (tx) => {
      await insertNodes(tx, nodes)
      await insertTags(tx, [z, a])
      expect(await tagNode(tx, nodes[0]!.id, z.id)).toBe(true)
      expect(await tagNode(tx, nodes[0]!.id, z.id)).toBe(false)
      await tagNode(tx, nodes[0]!.id, a.id)
      await tagNode(tx, nodes[1]!.id, z.id)
    })
    const named = async (): Promise<[string, string][]> =>
      (await tagsOf(db, [nodes[0]!.id, nodes[2]!.id])).map(({ node_id: node, name }) => [node, name])
    expect(await named()).toEqual([
      [nodes[0]!.id, 'a'],
      [nodes[0]!.id, 'z'],
    ])
    expect(await tagsOf(db, [nodes[1]!.id])).toEqual([{ ...z, node_id: nodes[1]!.id }])
    expect(await write((tx) => untagNode(tx, nodes[0]!.id, a.id))).toBe(true)
    expect(await write((tx) => untagNode(tx, nodes[0]!.id, a.id))).toBe(false)
    expect(await write((tx) => deleteTag(tx, z.id))).toBe(true)
    expect(await write((tx) => deleteTag(tx, z.id))).toBe(false)
    expect(await named()).toEqual([])
  })
})
