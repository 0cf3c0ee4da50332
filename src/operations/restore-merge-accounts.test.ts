import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCommandInstance, withDatabase, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly, type Filler } from '../../test/support/filler.ts'
import {
  docsFile,
  editMetadata,
  ids,
  packPapermerge,
  papermerge,
  rewriteArchive,
} from '../../test/support/odd-archives.ts'
import { everything, refusedRestore, restoreTwice } from '../../test/support/restoring.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import { insertGroups, insertMemberships } from '../database/queries/groups.ts'
import { listUsers } from '../database/queries/users.ts'
import type { UserRow } from '../database/schema.ts'

const usersOf = async (instance: CommandInstance): Promise<ReadonlyMap<string, UserRow>> =>
  new Map((await withDatabase(instance, listUsers)).map((user) => [user.username, user]))

const pathsOf = async (instance: CommandInstance, username: string): Promise<string[]> => {
  const { users } = await instance.report<{ users: { nodes: { path: string[] }[] }[] }>(['tree', '--user', username])
  return users[0]!.nodes.map(({ path }) => path.join('/'))
}

const directly = (instance: CommandInstance, work: (filler: Filler) => Promise<unknown>): Promise<void> =>
  fillDirectly(instance, async (filler) => void (await work(filler)))

const set = (instance: CommandInstance, username: string, changes: Partial<UserRow>): Promise<void> =>
  directly(instance, ({ tx }) => tx.updateTable('users').set(changes).where('username', '=', username).execute())

/** A document of a user, as a new one. */
const newDocument = (instance: CommandInstance, username: string, title: string): Promise<void> =>
  directly(instance, async ({ tx, node, version }) => {
    const { id } = await tx.selectFrom('users').select('id').where('username', '=', username).executeTakeFirstOrThrow()
    const { id: home } = await tx
      .selectFrom('nodes')
      .select('id')
      .where('user_id', '=', id)
      .where('title', '=', '.home')
      .executeTakeFirstOrThrow()
    const document = await node({ user_id: id, parent_id: home, title, type: 'document' })
    await version({ user: id, document }, { number: 1 }, `bytes of ${title}`)
  })

describe.each(databases)('accounts in a restore into a living instance on $name', (kind) => {
  /** The small instance, backed up. */
  async function withBackup(work: (instance: CommandInstance, archive: string) => Promise<void>): Promise<void> {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillSmall(instance)
    const archive = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', archive])
    await work(instance, archive)
  }

  test.each([
    ['was renamed', { username: 'countess' }],
    ['has another password', { password: '!other' }],
    ['was disabled', { is_active: 0 }],
    ['has another address', { email: 'else@example.org' }],
  ] as const)('an account that %s is a conflict, stays as it is, and can be overwritten', async (_, changes) => {
    await withBackup(async (instance, archive) => {
      const before = (await usersOf(instance)).get('ada')!
      await set(instance, 'ada', changes)
      await refusedRestore(instance, archive, 1)
      const changed = await everything(instance)
      await restoreTwice(instance, archive, 'skip')
      await restoreTwice(instance, archive, 'keep-both')
      expect(await everything(instance)).toEqual(changed)
      await restoreTwice(instance, archive, 'overwrite')
      expect({ ...(await usersOf(instance)).get('ada')!, updated_at: '' }).toEqual({ ...before, updated_at: '' })
    })
  })

  test('two users who exchanged their names get them back', async () => {
    await withBackup(async (instance, archive) => {
      await newDocument(instance, 'root', 'notes.pdf')
      const before = await usersOf(instance)
      await set(instance, 'ada', { username: 'meanwhile' })
      await set(instance, 'root', { username: 'ada' })
      await set(instance, 'meanwhile', { username: 'root' })
      await refusedRestore(instance, archive, 2)
      await restoreTwice(instance, archive, 'overwrite')
      const after = await usersOf(instance)
      for (const name of ['ada', 'root']) expect(after.get(name)?.id).toBe(before.get(name)?.id)
    })
  })

  test('the last active superuser stays one when an account is overwritten', async () => {
    await withBackup(async (instance, archive) => {
      await set(instance, 'ada', { is_superuser: 1 })
      await set(instance, 'root', { is_superuser: 0 })
      await newDocument(instance, 'root', 'notes.pdf')
      await using folder = await temporaryFolder()
      const edited = join(folder.path, 'edited.tar.gz')
      const change = editMetadata(({ users }) => {
        for (const user of users) user['is_superuser'] = false
      })
      await rewriteArchive({ from: archive, to: edited, scratch: folder.path }, change)
      const report = await restoreTwice(instance, edited, 'overwrite')
      expect(report.warnings.byCode).toMatchObject({ 'user.kept_superuser': 1 })
      const actives = [...(await usersOf(instance)).values()].filter((user) => user.is_superuser === 1)
      expect(actives.map((user) => user.username)).toEqual(['ada'])
    })
  })

  test('the last active superuser who differs in that alone is no conflict, and stays one with a warning', async () => {
    await withBackup(async (instance, archive) => {
      await set(instance, 'ada', { is_superuser: 1 })
      await set(instance, 'root', { is_superuser: 0 })
      await newDocument(instance, 'root', 'notes.pdf')
      await using folder = await temporaryFolder()
      const edited = join(folder.path, 'edited.tar.gz')
      const change = editMetadata(({ users }) => {
        for (const user of users) user['is_superuser'] = false
      })
      await rewriteArchive({ from: archive, to: edited, scratch: folder.path }, change)
      const { plan, warnings } = await restoreTwice(instance, edited, 'fail')
      expect(plan.users).toEqual({ unchanged: 2 })
      expect(warnings.byCode).toMatchObject({ 'user.kept_superuser': 1 })
    })
  })

  test('a user of the name who has nothing is taken on, and the next time is there already', async () => {
    await withBackup(async (_, archive) => {
      await using instance = await createCommandInstance(kind)
      await instance.report(['user', 'add', 'ada'], { stdin: 'secret\n' })
      await instance.report(['user', 'add', 'eve'], { stdin: 'secret\n' })
      await newDocument(instance, 'eve', 'hers.pdf')
      const report = await restoreTwice(instance, archive, 'fail')
      expect(report).toMatchObject({ adopted: 1, plan: { users: { adopt: 1, create: 1 }, trashed: 0 } })
      expect(await pathsOf(instance, 'eve')).toContain('.home/hers.pdf')
    })
  })

  describe('another user of the name who has things of his own', () => {
    async function withAnother(work: (instance: CommandInstance, archive: string, id: string) => Promise<void>) {
      await withBackup(async (_, archive) => {
        await using instance = await createCommandInstance(kind)
        await instance.report(['user', 'add', 'ada'], { stdin: 'secret\n' })
        await newDocument(instance, 'ada', 'hers.pdf')
        await work(instance, archive, (await usersOf(instance)).get('ada')!.id)
      })
    }

    test('is a conflict; skipped, the archived one is left out with all that is his', async () => {
      await withAnother(async (instance, archive) => {
        await refusedRestore(instance, archive, 1)
        const { plan } = await restoreTwice(instance, archive, 'skip')
        expect(plan).toMatchObject({ users: { create: 1, skip: 1 }, documents: { skip: 1 }, tags: { skip: 1 } })
        expect(await pathsOf(instance, 'ada')).toEqual(['.home', '.home/hers.pdf', '.inbox'])
      })
    })

    test('stays, and the archived one comes beside him', async () => {
      await withAnother(async (instance, archive, id) => {
        await restoreTwice(instance, archive, 'keep-both')
        const users = await usersOf(instance)
        expect([...users.keys()].toSorted()).toEqual(['ada', 'ada (restored)', 'root'])
        expect(users.get('ada')?.id).toBe(id)
        expect(await pathsOf(instance, 'ada')).toEqual(['.home', '.home/hers.pdf', '.inbox'])
        expect(await pathsOf(instance, 'ada (restored)')).toEqual([
          '.home',
          '.home/Taxes',
          '.home/Taxes/2023.pdf',
          '.inbox',
        ])
      })
    })

    test('is overwritten: the account is the archived one, and what he had is in the trash', async () => {
      await withAnother(async (instance, archive, id) => {
        await restoreTwice(instance, archive, 'overwrite')
        const user = (await usersOf(instance)).get('ada')
        expect(user).toMatchObject({ id, email: 'ada@example.org' })
        expect(await pathsOf(instance, 'ada')).toEqual(['.home', '.home/Taxes', '.home/Taxes/2023.pdf', '.inbox'])
        const { items } = await instance.report<{ items: { path: string }[] }>(['trash', 'list', '--user', 'ada'])
        expect(items.map(({ path }) => path)).toEqual(['.home/hers.pdf'])
      })
    })
  })

  test('a member of a group in the archive and in the instance is one once', async () => {
    await using original = await createCommandInstance(kind)
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const archive = join(folder.path, 'archive.tar.gz')
    for (const each of [original, instance]) {
      await directly(each, async ({ tx, user }) => {
        const ada = await user({ username: 'ada' })
        const group_id = randomUUID()
        await insertGroups(tx, [{ id: group_id, name: 'family' }])
        await insertMemberships(tx, [{ user_id: ada.id, group_id }])
      })
    }
    await newDocument(original, 'ada', 'hers.pdf')
    await original.report(['backup', archive])
    await restoreTwice(instance, archive, 'fail')
    const { users } = await instance.report<{ users: { groups: string[] }[] }>(['user', 'list'])
    expect(users.map(({ groups }) => groups)).toEqual([['family']])
  })
})

describe.each(databases)('archives of others in a restore into a living instance on $name', (kind) => {
  const { user, document, folder, version, page, tag } = papermerge

  test('the same archive of Papermerge changes nothing the second time', async () => {
    await using instance = await createCommandInstance(kind)
    await using place = await temporaryFolder()
    const archive = join(place.path, 'archive.tar.gz')
    const nodes = [
      folder('.inbox/'),
      folder('.home/'),
      folder('.home/Taxes/', { tags: [tag('paid')] }),
      document('.home/Taxes/2023.pdf', {
        tags: [tag('paid')],
        versions: [version({ pages: [page({ text: 'words' })] })],
      }),
    ]
    await packPapermerge(archive, [user({ nodes, tags: [tag('paid')] })], [docsFile(1, 'scan.pdf', 'bytes')])
    await restoreTwice(instance, archive, 'fail')
    const { plan } = await restoreTwice(instance, archive, 'fail')
    expect(plan).toMatchObject({
      documents: { unchanged: 1 },
      tags: { unchanged: 1 },
      users: { unchanged: 1 },
      conflicts: 0,
    })
  })

  test('a document whose version and page have the ids of those of another gets new ones for them', async () => {
    await using instance = await createCommandInstance(kind)
    await using place = await temporaryFolder()
    await fillSmall(instance)
    const archive = join(place.path, 'archive.tar.gz')
    await instance.report(['backup', archive])
    const moved = join(place.path, 'moved.tar.gz')
    const other = ids.document
    // The same versions and pages, below a document with another id and title.
    const change = editMetadata(({ users }) => {
      for (const each of users.flatMap(({ nodes }) => nodes)) {
        if (each['ctype'] !== 'document') continue
        Object.assign(each, { id: other, title: 'twin.pdf', breadcrumb: '.home/Taxes/twin.pdf' })
      }
    })
    await rewriteArchive({ from: archive, to: moved, scratch: place.path }, (members) => {
      const edited = change(members)
      const old = /document_([0-9a-f-]{36})/.exec(edited.map(({ name }) => name).join('\n'))![1]!
      return edited.map((member) => ({ ...member, name: member.name.replaceAll(old, other) }))
    })
    const { plan } = await restoreTwice(instance, moved, 'fail')
    expect(plan).toMatchObject({ documents: { create: 1 }, conflicts: 0 })
    expect(await pathsOf(instance, 'ada')).toContain('.home/Taxes/twin.pdf')
  })
})
