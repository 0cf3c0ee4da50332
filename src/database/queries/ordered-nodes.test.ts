import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { databases } from '../../../test/support/databases.ts'
import { aNode, aUser } from '../../../test/support/rows.ts'
import type { Db } from '../database.ts'
import { insertNodes } from './nodes.ts'
import { orderNodes, readOrderedNodes, withOrderedNodes, type OrderedNode } from './ordered-nodes.ts'
import { insertUsers } from './users.ts'

async function readAll(db: Db, batch: number): Promise<OrderedNode[]> {
  const all: OrderedNode[] = []
  for (;;) {
    const rows = await readOrderedNodes(db, all.at(-1)?.ordinal ?? 0, batch)
    if (rows.length === 0) return all
    all.push(...rows)
  }
}

describe.each(databases)('the walk over all nodes on $name', ({ create }) => {
  test('goes by user, then folders before what they hold, siblings by the bytes of their titles', async () => {
    await using made = await create()
    const { database } = made
    const [zoe, anna] = [aUser({ username: 'zoe' }), aUser({ username: 'Anna' })]
    const top = aNode({ user_id: anna.id, title: 'a' })
    const beside = aNode({ user_id: anna.id, title: 'a.b' })
    const below = ['z', 'B', 'a', 'é', '\u{1f600}', '\uffee', ' '].map((title) =>
      aNode({ user_id: anna.id, parent_id: top.id, title }),
    )
    const other = aNode({ user_id: zoe.id, title: '.home' })
    await database.write(async (tx) => {
      await insertUsers(tx, [zoe, anna])
      await insertNodes(tx, [other, beside, top, ...below])
    })
    await database.snapshot(async (db) => {
      expect(await orderNodes(db)).toBe(10)
      const nodes = await readAll(db, 3)
      expect(nodes.map(({ title }) => title)).toEqual([
        'a',
        ' ',
        'B',
        'a',
        'z',
        'é',
        '\uffee',
        '\u{1f600}',
        'a.b',
        '.home',
      ])
      expect(nodes.map(({ ordinal }) => ordinal)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      expect(nodes.map(({ depth }) => depth)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 0, 0])
      expect(nodes.map(({ parent_ordinal: parent }) => parent)).toEqual([null, 1, 1, 1, 1, 1, 1, 1, null, null])
      expect(nodes[0]).toMatchObject({ ...top, safe_title: null, link_name: null, link_key: null })
    })
    await database.snapshot(async (db) => {
      expect(await orderNodes(db, { userId: zoe.id })).toBe(1)
      expect((await readAll(db, 5)).map(({ title }) => title)).toEqual(['.home'])
    })
  })

  test('has room for the names that a backup gives, however long', async () => {
    await using made = await create()
    const user = aUser()
    const node = aNode({ user_id: user.id, title: 'x'.repeat(4096) })
    await made.database.write(async (tx) => {
      await insertUsers(tx, [user])
      await insertNodes(tx, [node])
    })
    await made.database.snapshot(async (db) => {
      await orderNodes(db)
      const name = '\u{1f600}'.repeat(4096)
      const ordered = withOrderedNodes(db)
      await ordered.updateTable('ordered_nodes').set({ safe_title: name, link_name: name, link_key: name }).execute()
      expect(await readOrderedNodes(db, 0, 1)).toMatchObject([{ safe_title: name, link_name: name, link_key: name }])
    })
  })

  test('goes down a tree of 1,500 folders one in another beside 20,000 documents', async () => {
    await using made = await create()
    const user = aUser()
    const chain = Array.from({ length: 1500 }, () => randomUUID()).map((id, depth, ids) =>
      aNode({
        id,
        user_id: user.id,
        parent_id: ids[depth - 1] ?? null,
        title: depth === 0 ? '.home' : `folder ${depth}`,
      }),
    )
    const documents = Array.from({ length: 20_000 }, (_, number) =>
      aNode({
        user_id: user.id,
        parent_id: chain[number % 10]!.id,
        type: 'document',
        title: `${number}`.padStart(6, '0'),
      }),
    )
    await made.database.write(async (tx) => {
      await insertUsers(tx, [user])
      await insertNodes(tx, [...chain, ...documents])
    })
    await made.database.snapshot(async (db) => {
      expect(await orderNodes(db)).toBe(21_500)
      let seen = 0
      const ordinals = new Map<string, number>()
      for (;;) {
        const rows = await readOrderedNodes(db, seen, 1000)
        for (const row of rows) {
          ordinals.set(row.id, row.ordinal)
          expect(row.parent_ordinal).toBe(row.parent_id === null ? null : ordinals.get(row.parent_id))
        }
        if (rows.length === 0) break
        seen += rows.length
      }
      expect(seen).toBe(21_500)
      expect(await readOrderedNodes(db, 21_499, 2)).toMatchObject([{ depth: 1499, title: 'folder 1499' }])
    })
  })
})
