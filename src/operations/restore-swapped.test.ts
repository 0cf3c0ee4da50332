import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { restoreTwice } from '../../test/support/restoring.ts'
import { temporaryFolder } from '../../test/support/small-instance.ts'
import type { Tree } from '../../test/support/tree-report.ts'

/** Folders a, b, c with a document each, and documents 1.pdf, 2.pdf, 3.pdf beside them. */
const fill = (instance: CommandInstance): Promise<void> =>
  fillDirectly(instance, async ({ user, node, version }) => {
    const { id, home } = await user({ username: 'ada' })
    const document = async (parent_id: string, title: string): Promise<void> => {
      const made = await node({ user_id: id, parent_id, title, type: 'document' })
      await version({ user: id, document: made }, { number: 1, file_name: 'scan.pdf' }, `bytes of ${title}`)
    }
    for (const title of ['a', 'b', 'c'])
      await document(await node({ user_id: id, parent_id: home, title }), `in ${title}.pdf`)
    for (const title of ['1.pdf', '2.pdf', '3.pdf']) await document(home, title)
  })

const treeOf = async (instance: CommandInstance) =>
  (await instance.report<Tree>(['tree', '--text'])).users.map(({ username, nodes }) => ({
    username,
    nodes: nodes.map(({ updated_at: _, ...node }) => node),
  }))

const trashOf = async (instance: CommandInstance): Promise<string[]> =>
  (await instance.report<{ items: { path: string }[] }>(['trash', 'list'])).items.map(({ path }) => path).toSorted()

interface Swap {
  readonly name: string
  /** What is moved to where, below the home. */
  readonly moves: readonly (readonly [from: string, to: string])[]
  /** From where documents of the instance go to the trash. */
  readonly trashed: readonly string[]
  readonly conflicts: number
  /** Tags given to nodes afterwards. */
  readonly tagged?: readonly string[]
}

const swaps: readonly Swap[] = [
  {
    name: 'two documents in one folder',
    moves: [
      ['1.pdf', 'x'],
      ['2.pdf', '1.pdf'],
      ['x', '2.pdf'],
    ],
    trashed: ['1.pdf', '2.pdf'],
    conflicts: 2,
  },
  {
    name: 'two documents in two folders, changed since',
    moves: [
      ['a/in a.pdf', 'x'],
      ['b/in b.pdf', 'a/in a.pdf'],
      ['x', 'b/in b.pdf'],
    ],
    trashed: ['a/in a.pdf', 'b/in b.pdf'],
    conflicts: 2,
    tagged: ['a/in a.pdf', 'b/in b.pdf'],
  },
  {
    name: 'three documents in a ring',
    moves: [
      ['1.pdf', 'x'],
      ['2.pdf', '1.pdf'],
      ['3.pdf', '2.pdf'],
      ['x', '3.pdf'],
    ],
    trashed: ['1.pdf', '2.pdf', '3.pdf'],
    conflicts: 3,
  },
  {
    name: 'two folders',
    moves: [
      ['a', 'x'],
      ['b', 'a'],
      ['x', 'b'],
    ],
    trashed: [],
    conflicts: 2,
  },
  {
    name: 'three folders in a ring, with other tags',
    moves: [
      ['a', 'x'],
      ['b', 'a'],
      ['c', 'b'],
      ['x', 'c'],
    ],
    trashed: [],
    conflicts: 3,
    tagged: ['a', 'b'],
  },
  {
    name: 'a folder and a document',
    moves: [
      ['a', 'x'],
      ['1.pdf', 'a'],
      ['x', '1.pdf'],
    ],
    trashed: ['a'],
    conflicts: 2,
  },
  {
    name: 'two folders and what they hold',
    moves: [
      ['a', 'x'],
      ['b', 'a'],
      ['x', 'b'],
      ['a/in b.pdf', 'y'],
      ['b/in a.pdf', 'a/in b.pdf'],
      ['y', 'b/in a.pdf'],
    ],
    trashed: ['a/in b.pdf', 'b/in a.pdf'],
    conflicts: 4,
  },
  {
    name: 'a folder and one that lies in it now',
    moves: [
      ['a', 'x'],
      ['b', 'a'],
      ['x', 'a/b'],
    ],
    trashed: [],
    conflicts: 2,
  },
]

describe.each(databases)('what swapped places since, on $name:', (kind) => {
  test.each(swaps)('overwrite brings $name back in their own', async ({ moves, trashed, conflicts, tagged = [] }) => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fill(instance)
    const archive = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', archive])
    const archived = await treeOf(instance)
    for (const [from, to] of moves) await instance.report(['mv', `.home/${from}`, `.home/${to}`, '--user', 'ada'])
    for (const path of tagged) await instance.report(['tag', 'add', `.home/${path}`, 'urgent', '--user', 'ada'])
    const before = await treeOf(instance)
    expect(before).not.toEqual(archived)

    await restoreTwice(instance, archive, 'skip')
    expect(await treeOf(instance)).toEqual(before)
    const { plan } = await restoreTwice(instance, archive, 'overwrite')
    expect((plan.documents.overwrite ?? 0) + (plan.folders.overwrite ?? 0)).toBe(conflicts)
    expect(plan.documents.copy).toBeUndefined()
    expect(plan.folders.copy).toBeUndefined()
    expect(await treeOf(instance)).toEqual(archived)
    expect(await trashOf(instance)).toEqual(trashed.map((path) => `.home/${path}`))
  })

  test('a folder that another one has the name of is moved aside with all it holds, not copied', async () => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fill(instance)
    const archive = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', archive])
    const archived = await treeOf(instance)
    await instance.report(['rm', '.home/a', '--user', 'ada'])
    await instance.report(['trash', 'empty', '--yes'])
    await instance.report(['mv', '.home/b', '.home/a', '--user', 'ada'])
    await restoreTwice(instance, archive, 'overwrite')
    expect(await treeOf(instance)).toEqual(archived)
    expect(await trashOf(instance)).toEqual([])
  })
})
