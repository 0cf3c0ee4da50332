import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases, type TestDatabases } from '../../test/support/databases.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { everything } from '../../test/support/restoring.ts'
import { temporaryFolder } from '../../test/support/small-instance.ts'
import type { Tree, TreeNode } from '../../test/support/tree-report.ts'
import type { DryRunReport } from '../contract/restore-plan.ts'
import type { RestoreReport } from '../contract/restore-report.ts'

/** Ids that the tests name. */
interface Filled {
  readonly tax: string
  readonly thrown: string
}

/** ada has two documents in folders, one in the inbox and one in the trash; bob has a document at a path of hers. */
async function fill(instance: CommandInstance): Promise<Filled> {
  const made = { tax: '', thrown: '' }
  await fillDirectly(instance, async ({ user, node, tag, version, page }) => {
    await user({ username: 'root', is_superuser: 1 })
    const ada = await user({ username: 'ada' })
    const bob = await user({ username: 'bob' })
    const taxes = await node({ user_id: ada.id, parent_id: ada.home, title: 'Taxes' })
    const year = await node({ user_id: ada.id, parent_id: taxes, title: '2023' })
    const document = async (user_id: string, parent_id: string, title: string): Promise<string> => {
      const id = await node({ user_id, parent_id, title, type: 'document' })
      const place = { user: user_id, document: id }
      await version(place, { number: 1, file_name: 'a.pdf' }, `${title} 1`)
      const last = await version(place, { number: 2, file_name: 'b.pdf' }, `${title} 2`)
      await page(last, { text: `text of ${title}` }, { '_ocr.svg': `<svg>${title}</svg>` })
      return id
    }
    made.tax = await document(ada.id, year, 'tax.pdf')
    await document(ada.id, ada.home, 'Łódź 🏦.pdf')
    await document(ada.id, ada.inbox, 'tax.pdf')
    await document(bob.id, bob.home, 'bob.pdf')
    await document(bob.id, bob.inbox, 'tax.pdf')
    made.thrown = await document(ada.id, ada.home, 'thrown.pdf')
    await tag({ user_id: ada.id, name: 'paid' }, [made.tax, taxes])
    await tag({ user_id: ada.id, name: 'unused' })
  })
  await instance.report(['rm', '.home/thrown.pdf', '--user', 'ada'])
  return made
}

interface Scene extends Filled {
  readonly instance: CommandInstance
  readonly archive: string
  run(...args: string[]): ReturnType<CommandInstance['run']>
  restore(...args: string[]): Promise<RestoreReport>
  /** Restores, and again, which must change nothing. */
  restoreTwice(...args: string[]): Promise<RestoreReport>
  nodes(username: string): Promise<ReadonlyMap<string, TreeNode>>
}

/** An instance that has been backed up. */
async function onScene(kind: TestDatabases, work: (scene: Scene) => Promise<void>): Promise<void> {
  await using instance = await createCommandInstance(kind)
  await using folder = await temporaryFolder()
  const filled = await fill(instance)
  const archive = join(folder.path, 'archive.tar.gz')
  await instance.report(['backup', archive])
  await work(sceneOf(instance, archive, filled))
}

function sceneOf(instance: CommandInstance, archive: string, filled: Filled): Scene {
  const restore = (...args: string[]) => instance.report<RestoreReport>(['restore', archive, ...args])
  return {
    ...filled,
    instance,
    archive,
    run: (...args) => instance.run(['restore', archive, ...args]),
    restore,
    async restoreTwice(...args) {
      const planned = await instance.report<DryRunReport>(['restore', archive, ...args, '--dry-run'])
      const report = await restore(...args)
      expect({ ...report.plan, digest: '' }).toEqual({ ...planned.plan, digest: '' })
      const once = await everything(instance)
      const again = await restore(...args)
      expect(await everything(instance)).toEqual(once)
      expect([again.plan.documents, again.bytes]).toEqual([{ unchanged: report.documents + report.trash.documents }, 0])
      await instance.report(['check'])
      return report
    },
    async nodes(username) {
      const tree = await instance.report<Tree>(['tree', '--text', '--user', username])
      return new Map(tree.users[0]!.nodes.map((node) => [node.path.join('/'), node]))
    },
  }
}

const tax = '.home/Taxes/2023/tax.pdf'

describe.each(databases)('a part of an archive on $name', (kind) => {
  test('is one user with all that he has, where only he is named', () =>
    onScene(kind, async ({ archive, instance, ...filled }) => {
      await using empty = await createCommandInstance(kind)
      const { restoreTwice, nodes } = sceneOf(empty, archive, filled)
      const report = await restoreTwice('--user', 'ada')
      expect(report).toMatchObject({ users: 1, documents: 3, tags: 2, trash: { documents: 1 } })
      expect(await nodes('ada')).toEqual(await sceneOf(instance, archive, filled).nodes('ada'))
      const { users } = await empty.report<Tree>(['tree'])
      expect(users.map(({ username }) => username)).toEqual(['ada'])
    }))

  test('is what lies at a path, back in its place with its own ids, whatever became of the rest', () =>
    onScene(kind, async ({ instance, nodes, restoreTwice }) => {
      const before = await nodes('ada')
      await instance.report(['rm', '.home/Taxes', '--user', 'ada'])
      await instance.report(['trash', 'empty', '--yes'])
      await instance.report(['mv', '.inbox/tax.pdf', '.inbox/other.pdf', '--user', 'ada'])
      await instance.report(['tag', 'add', '.inbox/other.pdf', 'paid', '--user', 'ada'])
      await instance.report(['user', 'password', 'ada'], { stdin: 'another\n' })
      const report = await restoreTwice('--user', 'ada', '--path', 'Taxes')
      expect(report.plan).toMatchObject({ users: { unchanged: 1 }, documents: { create: 1 }, conflicts: 0 })
      const after = await nodes('ada')
      for (const path of ['.home/Taxes', '.home/Taxes/2023', tax]) expect(after.get(path)).toEqual(before.get(path))
      expect([...after.keys()]).toContain('.inbox/other.pdf')
      expect([...after.keys()]).not.toContain('.inbox/tax.pdf')
    }))

  test('is a document by its id; the folders that lead to it are made where they are gone', () =>
    onScene(kind, async ({ instance, nodes, restoreTwice, tax: id }) => {
      const before = await nodes('ada')
      await instance.report(['rm', tax, '--user', 'ada'])
      await instance.report(['trash', 'empty', '--yes'])
      await instance.report(['mv', '.home/Taxes', '.home/Money', '--user', 'ada'])
      await restoreTwice('--document', id.toUpperCase())
      const after = await nodes('ada')
      expect(after.get(tax)).toEqual(before.get(tax))
      expect(after.get('.home/Money')!.id).toBe(before.get('.home/Taxes')!.id)
      expect(after.get('.home/Taxes')!.id).not.toBe(before.get('.home/Taxes')!.id)
    }))

  test('that lives and was changed is a conflict, and the choices are those of every restore', () =>
    onScene(kind, async ({ instance, run, restoreTwice, nodes, tax: id }) => {
      await instance.report(['tag', 'add', tax, 'late', '--user', 'ada'])
      const held = await everything(instance)
      expect(await run('--document', id)).toMatchObject({ exitCode: 5 })
      expect(await everything(instance)).toEqual(held)
      await restoreTwice('--document', id, '--on-conflict', 'keep-both')
      expect([...(await nodes('ada')).keys()]).toContain('.home/Taxes/2023/tax (restored).pdf')
    }))

  test('goes into another folder: as a copy with new ids where it still lives, the same each time', () =>
    onScene(kind, async ({ instance, nodes, restore, restoreTwice }) => {
      const before = await nodes('ada')
      const report = await restoreTwice('--user', 'ada', '--path', tax, '--into', '.home/Restored/now')
      expect(report.plan).toMatchObject({ documents: { copy: 1 }, conflicts: 0 })
      expect(report.plan.items).toMatchObject([{ action: 'copy', reason: 'it still lives in another place' }])
      const after = await nodes('ada')
      const [original, copy] = [after.get(tax)!, after.get('.home/Restored/now/tax.pdf')!]
      expect(original).toEqual(before.get(tax))
      expect({ ...copy, id: '', path: [], versions: contentsOf(copy) }).toEqual({
        ...original,
        id: '',
        path: [],
        versions: contentsOf(original),
      })
      const idsOf = ({ id, versions }: TreeNode) => [
        id,
        ...versions.flatMap((each) => [each.id, ...each.pages.map((page) => page.id)]),
      ]
      expect(idsOf(copy).filter((id) => idsOf(original).includes(id))).toEqual([])

      await restore('--user', 'ada', '--path', tax, '--into', '.home/Elsewhere')
      expect((await nodes('ada')).get('.home/Elsewhere/tax.pdf')!.id).not.toBe(copy.id)
      await instance.report(['rm', '.home/Restored', '--user', 'ada'])
      await instance.report(['trash', 'empty', '--yes'])
      await restore('--user', 'ada', '--path', tax, '--into', '.home/Restored/now')
      expect((await nodes('ada')).get('.home/Restored/now/tax.pdf')!.id).toBe(copy.id)
    }))

  test('that is gone keeps its ids in another folder, and the trash of the archive comes back that way too', () =>
    onScene(kind, async ({ instance, nodes, run, restoreTwice, tax: id, thrown }) => {
      await instance.report(['rm', '.home/Taxes', '--user', 'ada'])
      await instance.report(['trash', 'empty', '--yes'])
      const report = await restoreTwice('--document', id, '--document', thrown, '--into', 'Restored')
      expect(report.plan.documents).toEqual({ create: 2 })
      const after = await nodes('ada')
      expect(after.get('.home/Restored/tax.pdf')!.id).toBe(id)
      expect(after.get('.home/Restored/thrown.pdf')!.id).toBe(thrown)
      expect(await run('--document', thrown)).toMatchObject({
        exitCode: 5,
        stderr: expect.stringContaining('part.in_trash'),
      })
    }))

  test('of the same title from two places stand beside each other in one folder', () =>
    onScene(kind, async ({ nodes, restoreTwice }) => {
      await restoreTwice('--user', 'ada', '--path', tax, '--path', '.inbox/tax.pdf', '--into', '.home/Both')
      const paths = [...(await nodes('ada')).keys()].filter((path) => path.startsWith('.home/Both/'))
      expect(paths).toEqual(['.home/Both/tax (restored).pdf', '.home/Both/tax.pdf'])
    }))

  test('goes to another user, as a copy where its owner still has it', () =>
    onScene(kind, async ({ nodes, run, restoreTwice, instance }) => {
      const report = await restoreTwice('--user', 'ada', '--path', 'Taxes', '--as-user', 'bob')
      expect(report.plan.documents).toEqual({ copy: 1 })
      const [hers, his] = [(await nodes('ada')).get(tax)!, (await nodes('bob')).get(tax)!]
      expect(his.id).not.toBe(hers.id)
      expect([his.tags, contentsOf(his)]).toEqual([['paid'], contentsOf(hers)])
      const held = await everything(instance)
      expect(await run('--user', 'ada', '--path', 'Taxes', '--as-user', 'nobody')).toMatchObject({ exitCode: 6 })
      expect(await run('--as-user', 'bob')).toMatchObject({
        exitCode: 5,
        stderr: expect.stringContaining('part.several_users'),
      })
      expect(await everything(instance)).toEqual(held)
    }))

  test('is all of a user in a folder of another, home and inbox apart', () =>
    onScene(kind, async ({ nodes, restoreTwice }) => {
      await restoreTwice('--user', 'ada', '--as-user', 'bob', '--into', '.home/From ada')
      const paths = [...(await nodes('bob')).keys()]
      for (const path of ['home/Taxes/2023/tax.pdf', 'home/Łódź 🏦.pdf', 'inbox/tax.pdf'])
        expect(paths).toContain(`.home/From ada/${path}`)
      expect(paths.filter((path) => path.includes('thrown'))).toEqual([])
    }))

  test('is the last version alone, under its number, and what lives whole is the same', () =>
    onScene(kind, async ({ instance, nodes, restoreTwice, restore }) => {
      await instance.report(['rm', '.home/Taxes', '--user', 'ada'])
      await instance.report(['trash', 'empty', '--yes'])
      const report = await restoreTwice('--user', 'ada', '--versions', 'last')
      expect(report.plan.documents).toEqual({ create: 2, unchanged: 2 })
      const after = await nodes('ada')
      expect(after.get(tax)!.versions.map(({ number }) => number)).toEqual([2])
      expect(after.get('.inbox/tax.pdf')!.versions.map(({ number }) => number)).toEqual([1, 2])
      const file = join(
        instance.dataDirectory,
        'media',
        `docs/user_${await userIdOf(instance, 'ada')}/document_${after.get(tax)!.id}/v2/b.pdf`,
      )
      expect(await readFile(file, 'utf8')).toBe('tax.pdf 2')
      expect((await restore('--user', 'ada', '--versions', 'last')).bytes).toBe(0)
    }))

  test('makes the account where it is missing', () =>
    onScene(kind, async ({ archive, ...filled }) => {
      await using empty = await createCommandInstance(kind)
      const { restoreTwice, nodes } = sceneOf(empty, archive, filled)
      const report = await restoreTwice('--document', filled.tax)
      expect(report.plan).toMatchObject({ users: { create: 1 }, tags: { create: 1 }, documents: { create: 1 } })
      expect([...(await nodes('ada')).keys()]).toEqual(['.home', '.home/Taxes', '.home/Taxes/2023', tax, '.inbox'])
    }))

  test('is carried out by a plan as it was planned, and not otherwise', () =>
    onScene(kind, async ({ instance, archive, run, nodes }) => {
      await using folder = await temporaryFolder()
      const plan = join(folder.path, 'plan.json')
      await instance.report([
        'restore',
        archive,
        '--user',
        'ada',
        '--path',
        tax,
        '--into',
        'Here',
        '--dry-run',
        '--save-plan',
        plan,
      ])
      await instance.report(['restore', archive, '--plan', plan])
      expect([...(await nodes('ada')).keys()]).toContain('.home/Here/tax.pdf')
      expect(await run('--plan', plan)).toMatchObject({ exitCode: 5 })
      expect(await run('--plan', plan, '--path', tax)).toMatchObject({ exitCode: 2 })
    }))

  test('that is not there is named, with what is near it, and nothing changes', () =>
    onScene(kind, async ({ instance, run }) => {
      const held = await everything(instance)
      for (const [args, exitCode, said] of [
        [['--user', 'eve'], 6, 'ada, bob, root'],
        [['--user', 'ada', '--path', '.home/Taxes/2023/tacks.pdf'], 6, tax],
        [['--document', '00000000-0000-4000-8000-000000000000'], 6, 'contents.document_not_found'],
        [['--path', '.inbox/tax.pdf'], 5, 'ada, bob'],
        [['--user', 'ada', '--into', 'a\\b'], 4, 'node.bad_path'],
        [['--user', 'ada', '--replace'], 2, '--replace'],
        [['--versions', 'some'], 2, 'versions'],
      ] as const) {
        const { exitCode: code, stderr } = await run(...args)
        expect([args, code, stderr]).toEqual([args, exitCode, expect.stringContaining(said)])
      }
      expect(await everything(instance)).toEqual(held)
    }))
})

/** What a person sees of the versions, without ids. */
const contentsOf = ({ versions }: TreeNode) =>
  versions.map(({ id: _, pages, ...version }) => ({ ...version, pages: pages.map(({ id: _id, ...page }) => page) }))

async function userIdOf(instance: CommandInstance, username: string): Promise<string> {
  const { users } = await instance.report<Tree>(['tree', '--user', username])
  return users[0]!.id
}
