import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly, type Filler } from '../../test/support/filler.ts'
import { refusedRestore, restoreTwice } from '../../test/support/restoring.ts'
import { temporaryFolder } from '../../test/support/small-instance.ts'
import type { Tree } from '../../test/support/tree-report.ts'
import type { ConflictChoice } from '../contract/restore-plan.ts'
import type { RestoreReport } from '../contract/restore-report.ts'

const letter = 'b0000000-0000-4000-8000-000000000001'
const taxes = 'b0000000-0000-4000-8000-000000000002'
const home = 'b0000000-0000-4000-8000-000000000003'
const ada = 'a0000000-0000-4000-8000-000000000001'

/** Users, and of ada a tree with everything that a restore treats in a way of its own. */
async function fill(instance: CommandInstance): Promise<void> {
  await fillDirectly(instance, async ({ tx, user, node, tag, version, page }) => {
    await user({ username: 'root', is_superuser: 1 })
    const bob = await user({ username: 'bob' })
    await version(
      {
        user: bob.id,
        document: await node({ user_id: bob.id, parent_id: bob.home, title: 'mine.pdf', type: 'document' }),
      },
      { number: 1 },
      'bytes of bob',
    )
    const made = await user({ id: ada, username: 'ada', email: 'ada@example.org' })
    await tx.updateTable('nodes').set({ id: home }).where('id', '=', made.home).execute()
    const own = { user_id: ada }
    await node({ ...own, id: taxes, parent_id: home, title: 'Taxes' })
    await node({ ...own, id: letter, parent_id: taxes, title: '2023.pdf', type: 'document' })
    const other = await node({ ...own, parent_id: taxes, title: '2024.pdf', type: 'document' })
    const letters = await node({ ...own, parent_id: home, title: 'Letters' })
    await node({ ...own, parent_id: letters, title: 'Old' })
    await node({ ...own, parent_id: home, title: 'no file', type: 'document' })
    const shelf = await node({ ...own, parent_id: null, title: 'Shelf' })
    const book = await node({ ...own, parent_id: shelf, title: 'book.pdf', type: 'document' })
    const gone = await node({
      ...own,
      parent_id: null,
      title: 'gone.pdf',
      type: 'document',
      deleted_at: '2026-01-02T03:04:05.000000Z',
      deleted_parent: taxes,
      deleted_from: '.home/Taxes/gone.pdf',
    })
    await tag({ ...own, name: 'paid', bg_color: '#00aa00' }, [letter, taxes])
    await version({ user: ada, document: letter }, { number: 1, file_name: 'scan.pdf' }, 'first bytes')
    const last = await version({ user: ada, document: letter }, { number: 2, file_name: 'scan.pdf' }, 'second bytes')
    await page(last, { text: 'second text' }, { '_ocr.svg': '<svg/>' })
    for (const document of [other, book, gone])
      await version({ user: ada, document }, { number: 1 }, `bytes of ${document}`)
  })
}

interface Facts {
  readonly path: string
  readonly facts: unknown
}

const treeOf = (instance: CommandInstance, user: string): Promise<Tree> =>
  instance.report<Tree>(['tree', '--text', '--user', user])

/** What a person sees of ada's documents and folders, by their paths. */
async function seen(instance: CommandInstance): Promise<Facts[]> {
  const [user] = (await treeOf(instance, 'ada')).users
  return user!.nodes.map(({ path, type, tags, lang, ocr, ocr_status, versions }) => ({
    path: path.join('/'),
    facts: {
      type,
      tags,
      lang,
      ocr,
      ocr_status,
      versions: versions.map(({ id: _, created_at: __, pages, ...version }) => ({
        ...version,
        pages: pages.map(({ id: ___, ...page }) => page),
      })),
    },
  }))
}

const trashOf = async (instance: CommandInstance): Promise<string[]> =>
  (await instance.report<{ items: { path: string }[] }>(['trash', 'list', '--user', 'ada'])).items.map(
    ({ path }) => path,
  )

/** Restores twice with a choice, and holds it against what nothing may change. */
async function restore(instance: CommandInstance, archive: string, choice: ConflictChoice): Promise<RestoreReport> {
  const bob = await treeOf(instance, 'bob')
  const report = await restoreTwice(instance, archive, choice)
  expect(await treeOf(instance, 'bob')).toEqual(bob)
  return report
}

interface Change {
  readonly name: string
  /** Commands on the instance after its backup. */
  readonly commands?: readonly (readonly string[])[]
  /** What no command does. */
  readonly directly?: (filler: Filler) => Promise<unknown>
  readonly conflicts: number
  /** What comes back where nothing is in conflict, or the conflicts are skipped. */
  readonly comes?: readonly string[]
  /** What keep-both makes. */
  readonly beside?: readonly string[]
  /** From where overwrite moves something to the trash, with what keep-both made before. */
  readonly trashed?: readonly string[]
  /** Whether overwriting leaves the instance as the archive is, but for what came beside. */
  readonly exact?: false
}

const doc = '.home/Taxes/2023.pdf'
const user = ['--user', 'ada']
const remove = [
  ['rm', doc, ...user],
  ['trash', 'empty', '--yes', ...user],
]
const removeFolder = [
  ['rm', '.home/Taxes', ...user],
  ['trash', 'empty', '--yes', ...user],
]
const newDocument =
  (parent: string, title: string) =>
  async ({ node, version }: Filler) => {
    const document = await node({ user_id: ada, parent_id: parent, title, type: 'document' })
    await version({ user: ada, document }, { number: 1 }, 'other bytes')
  }
const changed = { conflicts: 1, beside: ['.home/Taxes/2023 (restored).pdf'], trashed: [doc] }

const changes: readonly Change[] = [
  { name: 'nothing was changed', conflicts: 0 },
  {
    name: 'a document got a new version',
    directly: ({ version }) => version({ user: ada, document: letter }, { number: 3, file_name: 'scan.pdf' }, 'third'),
    ...changed,
  },
  { name: 'a document got a tag', commands: [['tag', 'add', doc, 'urgent', ...user]], ...changed },
  {
    name: 'the text of a page was changed',
    directly: ({ tx }) => tx.updateTable('pages').set({ text: 'other' }).where('text', '=', 'second text').execute(),
    ...changed,
  },
  {
    name: 'the language of a document was changed',
    directly: ({ tx }) => tx.updateTable('nodes').set({ lang: 'fra' }).where('id', '=', letter).execute(),
    ...changed,
  },
  {
    name: 'a document was moved',
    commands: [['mv', doc, '.inbox', ...user]],
    conflicts: 1,
    beside: [doc],
    // The copy is where the archive has the document.
    trashed: [doc, '.inbox/2023.pdf'],
  },
  {
    name: 'a document was renamed',
    commands: [['mv', doc, '.home/Taxes/other.pdf', ...user]],
    conflicts: 1,
    beside: [doc],
    trashed: [doc, '.home/Taxes/other.pdf'],
  },
  { name: 'a document was moved to the trash', commands: [['rm', doc, ...user]], conflicts: 1, beside: [doc] },
  {
    name: 'a document was removed for ever',
    commands: remove,
    conflicts: 0,
    comes: ['.home/Taxes/gone.pdf (trash)', doc],
  },
  {
    name: 'another document has its place',
    commands: remove,
    directly: newDocument(taxes, '2023.pdf'),
    ...changed,
    comes: ['.home/Taxes/gone.pdf (trash)'],
  },
  {
    name: 'a folder has its place',
    commands: [...remove, ['mkdir', doc, ...user]],
    ...changed,
    comes: ['.home/Taxes/gone.pdf (trash)'],
  },
  { name: 'a folder was moved', commands: [['mv', '.home/Taxes', '.inbox', ...user]], conflicts: 1 },
  { name: 'a folder was renamed', commands: [['mv', '.home/Taxes', '.home/Money', ...user]], conflicts: 1 },
  { name: 'a folder got a tag', commands: [['tag', 'add', '.home/Letters', 'urgent', ...user]], conflicts: 1 },
  {
    name: 'a folder was moved to the trash',
    commands: [['rm', '.home/Taxes', ...user]],
    conflicts: 1,
    beside: ['.home/Taxes', doc, '.home/Taxes/2024.pdf'],
  },
  {
    name: 'a folder was removed for ever, and made anew',
    commands: [...removeFolder, ['mkdir', '.home/Taxes', ...user]],
    conflicts: 0,
    comes: ['.home/Taxes/gone.pdf (trash)', doc, '.home/Taxes/2024.pdf'],
    exact: false,
  },
  {
    name: 'a document has the place of a folder',
    commands: removeFolder,
    directly: newDocument(home, 'Taxes'),
    conflicts: 1,
    comes: ['.home/Taxes/gone.pdf (trash)'],
    beside: ['.home/Taxes (restored)', '.home/Taxes (restored)/2023.pdf', '.home/Taxes (restored)/2024.pdf'],
    trashed: ['.home/Taxes', '.home/Taxes (restored)/2023.pdf', '.home/Taxes (restored)/2024.pdf'],
  },
  {
    name: 'a folder was moved into its own former child',
    commands: [
      ['mv', '.home/Letters/Old', '.home/Old', ...user],
      ['mv', '.home/Letters', '.home/Old/Letters', ...user],
    ],
    conflicts: 2,
  },
  {
    name: 'a document at the top level was moved',
    commands: [['mv', 'Shelf/book.pdf', '.home', ...user]],
    conflicts: 1,
    beside: ['Shelf/book.pdf'],
    trashed: ['.home/book.pdf', 'Shelf/book.pdf'],
  },
  {
    name: 'a document without a file was renamed',
    commands: [['mv', '.home/no file', '.home/nothing', ...user]],
    conflicts: 1,
    beside: ['.home/no file'],
    trashed: ['.home/no file', '.home/nothing'],
  },
  {
    name: 'the trash was emptied',
    commands: [['trash', 'empty', '--yes', ...user]],
    conflicts: 0,
    comes: ['.home/Taxes/gone.pdf (trash)'],
  },
  {
    name: 'something was brought back from the trash',
    commands: [['trash', 'restore', '.home/Taxes/gone.pdf', ...user]],
    conflicts: 0,
  },
  {
    name: 'a tag looks different',
    directly: ({ tx }) => tx.updateTable('tags').set({ bg_color: '#ff0000' }).where('user_id', '=', ada).execute(),
    conflicts: 1,
  },
  {
    name: 'a tag was renamed',
    directly: ({ tx }) => tx.updateTable('tags').set({ name: 'done' }).where('user_id', '=', ada).execute(),
    conflicts: 1,
  },
  {
    name: 'a tag was removed',
    commands: [['tag', 'remove', 'paid', '--everywhere', ...user]],
    conflicts: 2,
    beside: ['.home/Taxes/2023 (restored).pdf'],
    trashed: [doc],
  },
  {
    name: 'a tag of that name has another id',
    directly: async ({ tx, tag }) => {
      const old = await tx.selectFrom('tags').selectAll().where('user_id', '=', ada).executeTakeFirstOrThrow()
      const id = await tag({ ...old, id: '00000000-0000-4000-8000-00000000000a', name: 'meanwhile' })
      await tx.updateTable('node_tags').set({ tag_id: id }).where('tag_id', '=', old.id).execute()
      await tx.deleteFrom('tags').where('id', '=', old.id).execute()
      await tx.updateTable('tags').set({ name: old.name }).where('id', '=', id).execute()
    },
    conflicts: 0,
  },
]

describe.each(databases)('a restore into a living instance on $name', (kind) => {
  test.each(changes)('where $name', async (change) => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fill(instance)
    const archive = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', archive])
    const archived = await seen(instance)
    for (const command of change.commands ?? []) await instance.report(command)
    if (change.directly !== undefined)
      await fillDirectly(instance, async (filler) => void (await change.directly!(filler)))
    const { conflicts, comes = [], beside = [], trashed = [] } = change

    if (conflicts > 0) await refusedRestore(instance, archive, conflicts)

    const view = async () => [
      ...(await seen(instance)),
      ...(await trashOf(instance)).map((path) => ({ path: `${path} (trash)`, facts: null })),
    ]
    const added = (earlier: readonly Facts[], later: readonly Facts[]): string[] => {
      for (const each of earlier) expect(later).toContainEqual(each)
      const known = new Set(earlier.map(({ path }) => path))
      return later
        .map(({ path }) => path)
        .filter((path) => !known.has(path))
        .toSorted()
    }
    const first = await view()
    await restore(instance, archive, conflicts > 0 ? 'skip' : 'fail')
    const second = await view()
    expect(added(first, second)).toEqual(comes.toSorted())
    await restore(instance, archive, 'keep-both')
    const third = await view()
    expect(added(second, third)).toEqual(beside.toSorted())

    const trashBefore = await trashOf(instance)
    const { plan } = await restore(instance, archive, 'overwrite')
    expect(plan.trashed).toBe(trashed.length)
    const trashAfter = await trashOf(instance)
    for (const path of trashBefore) trashAfter.splice(trashAfter.indexOf(path), 1)
    expect(trashAfter.toSorted()).toEqual(trashed.toSorted())
    if (change.exact === undefined) {
      const last = await seen(instance)
      for (const each of archived) expect(last).toContainEqual(each)
    }
  })
})
