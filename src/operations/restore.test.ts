import { randomUUID } from 'node:crypto'
import { cp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  archivedRows,
  createCommandInstance,
  listMedia,
  withDatabase,
  type CommandInstance,
} from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import {
  aFile,
  editMetadata,
  packPapermerge,
  papermerge,
  rewriteArchive,
  unpackArchive,
  type Member,
} from '../../test/support/odd-archives.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import type { DryRunReport } from '../contract/restore-plan.ts'
import type { RestoreReport } from '../contract/restore-report.ts'
import { StrongroomError } from '../errors.ts'
import { insertGroups, insertMemberships } from '../database/queries/groups.ts'
import { listUsers } from '../database/queries/users.ts'
import type { UserRow } from '../database/schema.ts'

interface Failure {
  readonly exitCode: number
  readonly code: string
  readonly message: string
}

/** A restore that must fail and leave the instance, and its scratch folder, as they were. */
async function failure(instance: CommandInstance, archive: string): Promise<Failure> {
  const before = { rows: await archivedRows(instance), media: await listMedia(instance) }
  const { exitCode, stdout } = await instance.run(['--json', 'restore', archive])
  expect({ rows: await archivedRows(instance), media: await listMedia(instance) }).toEqual(before)
  expect(await readdir(join(instance.dataDirectory, 'tmp'))).toEqual([])
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string } }
  return { exitCode, code: error.code, message: error.message }
}

const usersOf = async (instance: CommandInstance): Promise<ReadonlyMap<string, UserRow>> =>
  new Map((await withDatabase(instance, listUsers)).map((user) => [user.username, user]))

describe.each(databases)('restore on $name', (kind) => {
  /** Backs a small instance up, alters the archive, and hands it over with an empty instance. */
  async function withArchive(
    edit: (members: readonly Member[]) => readonly Member[],
    work: (archive: string, into: CommandInstance, place: Awaited<ReturnType<typeof fillSmall>>) => Promise<void>,
  ): Promise<void> {
    await using instance = await createCommandInstance(kind)
    await using into = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const place = await fillSmall(instance)
    const from = join(folder.path, 'from.tar.gz')
    const to = join(folder.path, 'to.tar.gz')
    await instance.report(['backup', from])
    await rewriteArchive({ from, to, scratch: folder.path }, edit)
    await work(to, into, place)
  }

  test('an archive that was only written again is taken, and proved', async () => {
    await withArchive(
      (members) => members,
      async (archive, into) => {
        expect(await into.report(['restore', archive])).toMatchObject({ proved: true, warnings: { total: 0 } })
      },
    )
  })

  test.each(['original', 'earlier', 'sidecar'] as const)('an undeclared loss of its %s is refused', async (which) => {
    const folder = which === 'sidecar' ? 'sidecars/' : 'docs/'
    const isIt = ({ name }: Member): boolean =>
      name.startsWith(folder) && name.includes(which === 'earlier' ? '/v1/' : '/v2/')
    await withArchive(
      (members) => members.filter((member) => !isIt(member)),
      async (archive, into, place) => {
        const failed = await failure(into, archive)
        expect(failed).toMatchObject({ exitCode: 4, code: 'archive.missing_file' })
        expect(failed.message).toContain(place[which])
      },
    )
    const alter = (member: Member): Member => (isIt(member) ? aFile(member.name, 'something else') : member)
    await withArchive(
      (members) => members.map(alter),
      async (archive, into, place) => {
        const failed = await failure(into, archive)
        expect(failed).toMatchObject({ exitCode: 4, code: 'archive.checksum_mismatch' })
        expect(failed.message).toContain(place[which])
      },
    )
  })

  test('a newer format is refused by its name and that of its writer', async () => {
    const newer = editMetadata(({ strongroom }) => Object.assign(strongroom, { format: 3, writer: 'Strongroom 9.0' }))
    await withArchive(newer, async (archive, into) => {
      const failed = await failure(into, archive)
      expect(failed).toMatchObject({ exitCode: 4, code: 'archive.newer_format' })
      expect(failed.message).toContain('format 3')
    })
  })

  test('keys of ours that this version does not know are ignored and told', async () => {
    const unknown = editMetadata(({ strongroom, users }) => {
      strongroom['preferences'] = { theme: 'dark' }
      for (const user of users) {
        user.strongroom['quota'] = 5
        for (const node of user.nodes) (node['strongroom'] as Record<string, unknown>)['color'] = 'red'
      }
    })
    await withArchive(unknown, async (archive, into) => {
      const { warnings } = await into.report<RestoreReport>(['restore', archive])
      expect(warnings.byCode).toEqual({ 'metadata.unknown_key': 3 })
      expect(warnings.listed.map(({ about }) => about).toSorted()).toEqual([
        'strongroom.preferences',
        'users.nodes.strongroom.color',
        'users.strongroom.quota',
      ])
    })
  })

  test('an instance that holds other things keeps them beside what comes back', async () => {
    await withArchive(
      (members) => members,
      async (archive, into) => {
        await into.report(['user', 'add', 'eve'], { stdin: 'secret\n' })
        await into.report(['mkdir', '.home/Taxes', '--user', 'eve'])
        await into.report(['tag', 'add', '.home/Taxes', 'paid', '--user', 'eve'])
        const before = await into.report(['tree', '--user', 'eve'])
        await into.report(['restore', archive])
        expect([...(await usersOf(into)).keys()]).toEqual(['ada', 'eve', 'root'])
        expect(await into.report(['tree', '--user', 'eve'])).toEqual(before)
        expect((await into.run(['check'])).exitCode).toBe(0)
      },
    )
  })

  test('what is there and different refuses the whole, with the first three by name and the choices', async () => {
    await withArchive(
      (members) => members,
      async (archive, into) => {
        await into.report(['restore', archive])
        for (const path of ['.home', '.home/Taxes', '.home/Taxes/2023.pdf'])
          await into.report(['tag', 'add', path, 'urgent', '--user', 'ada'])
        await fillDirectly(into, async ({ tx }) => {
          await tx.updateTable('tags').set({ bg_color: '#123456' }).where('name', '=', 'paid').execute()
          await tx.updateTable('users').set({ email: 'else@example.org' }).where('username', '=', 'ada').execute()
        })
        const failed = await failure(into, archive)
        expect(failed).toMatchObject({ exitCode: 5, code: 'restore.conflicts' })
        expect(failed.message).toContain('Conflicts: 4.')
        expect(failed.message).toContain('user ada of ada (the account was changed since)')
        expect(failed.message).toContain('tag paid of ada (the tag looks different now)')
        expect(failed.message).toContain('folder .home/Taxes of ada (it was changed since), and 1 more')
        const { stderr } = await into.run(['restore', archive])
        for (const word of ['--dry-run', 'skip', 'overwrite', 'keep-both']) expect(stderr).toContain(word)
        expect((await into.run(['restore', archive, '--on-conflict', 'skip'])).exitCode).toBe(0)
      },
    )
  })

  test('a user who owns nothing is adopted: id, password and fields of the archive win, groups stay, nobody else changes', async () => {
    await withArchive(
      (members) => members,
      async (archive, into) => {
        await into.report(['user', 'add', 'ada', '--email', 'old@example.org', '--superuser'], { stdin: 'old\n' })
        await into.report(['user', 'add', 'eve', '--superuser'], { stdin: 'secret\n' })
        const group = '11111111-1111-4111-8111-111111111111'
        const before = await usersOf(into)
        await fillDirectly(into, async ({ tx }) => {
          await insertGroups(tx, [{ id: group, name: 'readers' }])
          await insertMemberships(tx, [{ user_id: before.get('ada')!.id, group_id: group }])
        })
        const report = await into.report<RestoreReport>(['restore', archive])
        expect(report).toMatchObject({ adopted: 1, users: 2 })
        const after = await usersOf(into)
        const ada = after.get('ada')!
        const metadata = JSON.parse(String((await unpackArchive(archive))[0]?.content)) as {
          users: { id: string; username: string }[]
        }
        expect(ada.id).toBe(metadata.users.find(({ username }) => username === 'ada')?.id)
        expect(ada).toMatchObject({ email: 'ada@example.org', password: '!', is_superuser: 0 })
        expect(after.get('eve')).toEqual(before.get('eve'))
        const memberships = await withDatabase(into, (db) => db.selectFrom('memberships').selectAll().execute())
        expect(memberships).toEqual([{ user_id: ada.id, group_id: group }])
        expect((await into.run(['check'])).exitCode).toBe(0)
      },
    )
  })

  test('what an archive does not say of an adopted user stays, and a new one gets the safe value with a warning', async () => {
    await using into = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const archive = join(folder.path, 'archive.tar.gz')
    const flags = {
      is_superuser: undefined,
      is_staff: undefined,
      is_active: undefined,
      email: undefined,
      last_name: undefined,
    }
    const bare = { ...flags, id: undefined, date_joined: undefined, created_at: null }
    await packPapermerge(archive, [
      papermerge.user({ ...bare, username: 'admin' }),
      papermerge.user({ ...bare, username: 'new' }),
    ])
    await into.report(['user', 'add', 'admin', '--email', 'a@example.org', '--superuser'], { stdin: 'old\n' })
    const before = (await usersOf(into)).get('admin')!
    const report = await into.report<RestoreReport>(['restore', archive])
    const after = await usersOf(into)
    const { id, email, is_superuser, is_active, is_staff, date_joined, created_at } = before
    expect(after.get('admin')).toMatchObject({ id, email, is_superuser, is_active, is_staff, date_joined, created_at })
    expect(after.get('admin')?.password).toMatch(/^pbkdf2_sha256/)
    expect(after.get('new')).toMatchObject({ is_superuser: 0, is_active: 0, is_staff: 0, email: '', date_joined: null })
    expect(report.warnings.byCode).toMatchObject({ 'user.not_active': 1, 'user.not_superuser': 1 })
    expect((await into.run(['user', 'enable', 'new'])).exitCode).toBe(0)
  })

  test('the last active superuser stays one, whatever the archive says', async () => {
    await using into = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const archive = join(folder.path, 'archive.tar.gz')
    await packPapermerge(archive, [
      papermerge.user({ username: 'admin', is_active: false }),
      papermerge.user({ id: undefined }),
    ])
    await into.report(['user', 'add', 'admin', '--superuser'], { stdin: 'old\n' })
    const planned = await into.report<DryRunReport>(['restore', archive, '--dry-run'])
    expect(planned.warnings.byCode).toEqual({ 'user.kept_superuser': 1 })
    const report = await into.report<RestoreReport>(['restore', archive])
    expect(report.warnings.byCode).toEqual({ 'user.kept_superuser': 1 })
    expect((await usersOf(into)).get('admin')).toMatchObject({ is_active: 1, is_superuser: 1 })
    const before = await usersOf(into)
    const { plan } = await into.report<RestoreReport>(['restore', archive])
    expect(plan.users).toEqual({ unchanged: 2 })
    expect(await usersOf(into)).toEqual(before)
  })

  test('another superuser in the archive is enough for one to lose the flag', async () => {
    await using into = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const archive = join(folder.path, 'archive.tar.gz')
    await packPapermerge(archive, [
      papermerge.user({ username: 'admin' }),
      papermerge.user({ id: undefined, is_superuser: true }),
    ])
    await into.report(['user', 'add', 'admin', '--superuser'], { stdin: 'old\n' })
    await into.report(['restore', archive])
    expect((await usersOf(into)).get('admin')).toMatchObject({ is_superuser: 0 })
  })

  test('a user with the id of another one is a conflict', async () => {
    await using into = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const archive = join(folder.path, 'archive.tar.gz')
    await into.report(['user', 'add', 'eve'], { stdin: 'secret\n' })
    const { id } = (await usersOf(into)).get('eve')!
    await packPapermerge(archive, [papermerge.user({ id, username: 'john' })])
    expect(await failure(into, archive)).toMatchObject({ exitCode: 5, code: 'restore.conflicts' })
    await packPapermerge(archive, [papermerge.user({ id, username: 'john' }), papermerge.user({ username: 'eve' })])
    expect(await failure(into, archive)).toMatchObject({ exitCode: 5, code: 'restore.conflicts' })
  })

  test('members join the group of the instance that has the name of theirs, and a group never takes the id of another', async () => {
    const [group, other] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']
    const grouped = editMetadata(({ strongroom, users }) => {
      strongroom['groups'] = [
        { id: group, name: 'readers' },
        { id: other, name: 'writers' },
      ]
      for (const user of users) user.strongroom['groups'] = [group, other]
    })
    await withArchive(grouped, async (archive, into) => {
      const present = [
        { id: other, name: 'readers' },
        { id: group, name: 'printers' },
      ]
      await fillDirectly(into, ({ tx }) => insertGroups(tx, present))
      await into.report(['restore', archive])
      const names = await withDatabase(into, (db) =>
        db
          .selectFrom('memberships')
          .innerJoin('groups', 'groups.id', 'group_id')
          .innerJoin('users', 'users.id', 'user_id')
          .select(['username', 'name'])
          .orderBy('username')
          .orderBy('name')
          .execute(),
      )
      expect(names.map(({ username, name }) => `${username} ${name}`)).toEqual([
        'ada readers',
        'ada writers',
        'root readers',
        'root writers',
      ])
    })
  })
})

describe('files that lie in the media folder before a restore', () => {
  test('stay as they are, and those of the archive lie beside them', async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await using into = await createCommandInstance(databases[0]!)
    await using folder = await temporaryFolder()
    const place = await fillSmall(instance)
    const path = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', path])
    // As somebody does who still has the folder and only lost the database.
    await cp(join(instance.dataDirectory, 'media'), join(into.dataDirectory, 'media'), { recursive: true })
    await writeFile(join(into.dataDirectory, 'media', place.original), 'the only copy of something')
    const before = await listMedia(into)
    const broken = join(folder.path, 'broken.tar.gz')
    const newer = (members: readonly Member[]) => members.filter(({ name }) => name !== place.earlier)
    await rewriteArchive({ from: path, to: broken, scratch: folder.path }, newer)
    expect((await into.run(['restore', broken])).exitCode).toBe(4)
    const ended = new AbortController()
    const next = (): string => {
      ended.abort(new StrongroomError('program.interrupted', { signal: 'SIGINT' }))
      return randomUUID()
    }
    const overrides = { ids: { next } }
    expect((await into.run(['restore', path], { signal: ended.signal, overrides })).exitCode).toBe(130)
    expect(await listMedia(into)).toEqual(before)

    const report = await into.report<RestoreReport>(['restore', path])
    expect(report.warnings.byCode).toEqual({ 'media.place_taken': 3 })
    const after = await listMedia(into)
    expect(new Map([...after].filter(([key]) => before.has(key)))).toEqual(before)
    expect(after.size).toBe(6)
    expect(await archivedRows(into)).toEqual(await archivedRows(instance))
    const check = await into.run(['--json', 'check'])
    expect(JSON.parse(check.stdout)).toMatchObject({ missing: 0, changed: 0, orphaned: 3 })
  })
})
