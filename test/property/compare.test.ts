import { DatabaseSync } from 'node:sqlite'
import { copyFile, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CompareReport } from '../../src/contract/compare-report.ts'
import { insertGroups, insertMemberships } from '../../src/database/queries/groups.ts'
import { createChance } from '../support/chance.ts'
import { createCommandInstance, listMedia, withDatabase, type CommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases, type TestDatabases } from '../support/databases.ts'
import { fillDirectly } from '../support/filler.ts'
import { fillSmall } from '../support/small-instance.ts'
import { archivedColumns, changeColumn, openDirectRows } from './compare/direct-rows.ts'
import { randomInstance } from './random-instance.ts'
import { fillAtRandom } from './random-rows.ts'

const sqlite = databases[0] as TestDatabases
const seed = Number(process.env['STRONGROOM_COMPARE_SEED'] ?? 20_261_124)
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-compare-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function compare(...args: readonly string[]): Promise<CompareReport> {
  const { exitCode, stdout, stderr } = await runCommand(['compare', '--json', ...args])
  expect([0, 3], `${stdout}\n${stderr}`).toContain(exitCode)
  const report = JSON.parse(stdout) as CompareReport
  expect(report.equal).toBe(exitCode === 0)
  return report
}

/** A row or more in every table, with every kind of thing in the trash. */
async function fillSome(instance: CommandInstance): Promise<void> {
  await fillSmall(instance)
  await fillDirectly(instance, async ({ user, node, tag, version, page, tx }) => {
    const groups = ['readers', 'writers'].map((name) => ({ id: randomUUID(), name }))
    await insertGroups(tx, groups)
    const bob = await user({ username: 'bob', last_login: '2026-11-01T00:00:00.000001Z' })
    await insertMemberships(tx, [{ user_id: bob.id, group_id: groups[0]!.id }])
    const letters = await node({ user_id: bob.id, parent_id: bob.inbox, title: 'Письма 手紙' })
    for (const title of ['a/b.pdf', 'line\nbreak']) {
      const document = await node({ user_id: bob.id, parent_id: letters, title, type: 'document' })
      for (const number of [1, 2]) {
        const written = await version(
          { user: bob.id, document },
          { number, text: 'text' },
          `bytes ${number} of ${title}`,
        )
        for (const place of [1, 2]) await page(written, { number: place }, { '.jpg': `picture ${place}` })
      }
    }
    const third = await node({ user_id: bob.id, parent_id: bob.home, title: 'third', type: 'document' })
    const last = await version({ user: bob.id, document: third }, { number: 3 }, 'the last')
    await page(last, { number: 5 }, { '_ocr.svg': '<svg/>' })
    const away = {
      deleted_at: '2026-11-24T15:00:00.000001Z',
      deleted_parent: letters,
      deleted_from: '.inbox/away',
    }
    const folder = await node({ user_id: bob.id, title: 'away', ...away })
    const document = await node({ user_id: bob.id, parent_id: folder, title: 'within', type: 'document' })
    await version({ user: bob.id, document }, {}, 'in the trash')
    await version({ user: bob.id, document }, { number: 2 })
    await tag({ user_id: bob.id, name: 'gone', description: 'what is gone', pinned: 1 }, [folder, document])
  })
}

const addressOf = ({ url }: CommandInstance, option: string): string[] => (url === undefined ? [] : [option, url])

async function expectSame(...args: readonly string[]): Promise<void> {
  const { listed, total, underOtherIds } = await compare(...args)
  expect({ listed, total, underOtherIds }).toEqual({ listed: [], total: 0, underOtherIds: 0 })
}

test('nothing differs between an instance, its archives, and what was restored from them to either database', async () => {
  const law = fc.asyncProperty(randomInstance, async (random) => {
    await using original = await createCommandInstance(sqlite)
    await fillAtRandom(original, random)
    const archive = join(folder, 'original.tar.gz')
    const linked = join(folder, 'linked.tar.gz')
    await original.report(['backup', archive, '--overwrite'])
    await original.report(['backup', linked, '--overwrite', '--links', 'hard'])
    await expectSame(archive, original.dataDirectory)
    await expectSame(linked, archive)
    for (const kind of databases) {
      await using copy = await createCommandInstance(kind)
      await copy.report(['restore', linked])
      await expectSame(archive, copy.dataDirectory, ...addressOf(copy, '--database-b'))
      await expectSame(copy.dataDirectory, original.dataDirectory, ...addressOf(copy, '--database-a'))
    }
  })
  expect.hasAssertions()
  await fc.assert(law, { endOnFailure: true, numRuns: Number(process.env['STRONGROOM_LAW_RUNS'] ?? 3), seed })
})

/** Under which word a change is reported, where it is not that of the column. */
const places: Readonly<Record<string, readonly string[]>> = {
  'users.username': ['renamed'],
  'groups.name': ['renamed'],
  'tags.name': ['renamed'],
  'nodes.title': ['renamed'],
  'nodes.parent_id': ['moved', 'removed'],
  'nodes.user_id': ['moved', 'owner', 'removed'],
  'tags.user_id': ['owner'],
  'memberships.user_id': ['groups'],
  'memberships.group_id': ['groups'],
  'node_tags.node_id': ['tags'],
  'node_tags.tag_id': ['tags'],
  'versions.document_id': ['document'],
  'pages.version_id': ['version'],
  'sidecars.page_id': ['sidecar'],
  'sidecars.kind': ['sidecar'],
}

describe.each(databases)('on $name', (kind) => {
  test('every single changed column of what is archived is found', async () => {
    await using instance = await createCommandInstance(kind)
    await fillSome(instance)
    const archive = join(folder, `${kind.name}.tar.gz`)
    await instance.report(['backup', archive])
    const against = [archive, instance.dataDirectory, ...addressOf(instance, '--database-b')]
    await expectSame(...against)
    const chance = createChance(seed)
    const missed: string[] = []
    // What is compared comes from the scratch database, which is the same for both; every column of it is tried on one.
    const columns = kind === sqlite ? archivedColumns : archivedColumns.filter((_column, index) => index % 4 === 0)
    for (const [table, column] of columns) {
      await using rows = await openDirectRows(instance)
      const { what, undo } = await changeColumn(rows, chance, table, column)
      const { total, listed } = await compare(...against)
      const named = listed.flatMap(({ kind: how, changes }) => [how, ...changes.map((change) => change.what)])
      const expected = [column, ...(places[`${table}.${column}`] ?? [])]
      if (total === 0 || !named.some((word) => expected.includes(word))) missed.push(`${what}: ${named.join(', ')}`)
      await undo()
    }
    expect(missed).toEqual([])
    await expectSame(...against)
  })
})

test('every single removed or added row is found', async () => {
  await using instance = await createCommandInstance(sqlite)
  await fillSome(instance)
  const archive = join(folder, 'rows.tar.gz')
  await instance.report(['backup', archive])
  const database = join(instance.dataDirectory, 'strongroom.db')
  await copyFile(database, `${database}.kept`)
  const chance = createChance(seed)
  for (const table of [
    'users',
    'groups',
    'memberships',
    'tags',
    'node_tags',
    'versions',
    'pages',
    'sidecars',
  ] as const) {
    const what = await withDatabase(instance, async (db) => {
      const row = chance.pick(await db.selectFrom(table).selectAll().execute()) as unknown as Record<string, string>
      return row
    })
    const direct = new DatabaseSync(database)
    const keys = Object.entries(what).filter(([, value]) => value !== null)
    const where = keys.map(([column]) => `${column} = ?`).join(' and ')
    direct.prepare(`delete from ${table} where ${where}`).run(...keys.map(([, value]) => value))
    direct.close()
    const removed = await compare(archive, instance.dataDirectory)
    const added = await compare(instance.dataDirectory, archive)
    expect(removed.total, table).toBeGreaterThan(0)
    expect(added.total, table).toBe(removed.total)
    expect(added.byKind.added, table).toBe(removed.byKind.removed)
    await copyFile(`${database}.kept`, database)
  }
  await expectSame(archive, instance.dataDirectory)
})

describe.each(databases)('on $name', (kind) => {
  test('a byte that differs in a file, a cut one and a missing one are found', async () => {
    await using instance = await createCommandInstance(kind)
    await fillSome(instance)
    const archive = join(folder, `bytes-${kind.name}.tar.gz`)
    await instance.report(['backup', archive])
    const against = [archive, instance.dataDirectory, ...addressOf(instance, '--database-b')]
    const files = [...(await listMedia(instance)).entries()].filter(([, what]) => !what.startsWith('0 '))
    const chance = createChance(seed)
    for (const prefix of ['docs/', 'sidecars/']) {
      const [name] = chance.pick(files.filter(([path]) => path.startsWith(prefix)))
      const path = join(instance.dataDirectory, 'media', name)
      const bytes = await readFile(path)
      const flipped = Buffer.from(bytes)
      flipped[chance.below(bytes.length)]! ^= 1 << chance.below(8)
      for (const damage of [
        () => writeFile(path, flipped),
        () => writeFile(path, bytes.subarray(1)),
        () => unlink(path),
      ]) {
        await damage()
        const report = await compare(...against)
        expect(report).toMatchObject({ equal: false, total: 1, left: { damaged: 0 }, right: { damaged: 1 } })
        expect(report.listed[0]?.changes).toMatchObject([{ what: 'bytes', damaged: 'right' }])
        expect(await compare(...against, '--quick')).toMatchObject({ equal: true, quick: true })
      }
      await writeFile(path, bytes)
    }
    await expectSame(...against)
  })
})
