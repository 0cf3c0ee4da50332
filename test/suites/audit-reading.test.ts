import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RestoreReport } from '../../src/contract/restore-report.ts'
import { newestSchemaVersion } from '../../src/database/migrations.ts'
import { openDatabase } from '../../src/database/open.ts'
import { insertAuditLines } from '../../src/database/queries/audit.ts'
import { auditLine, type AuditReport, linesLeft, linesOf } from '../support/audit-lines.ts'
import { createCommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { fillSmall } from '../support/small-instance.ts'

const moment = '2026-11-24T14:03:52.000000Z'
const secret = 'a long secret'
const ada = ['--user', 'ada'] as const

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-audit-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const folderOf = (): Promise<string> => mkdtemp(join(scratch, 'test-'))

describe.each(databases)('the audit on $name', (kind) => {
  test('stays as it is in a restore, which adds its own line, and goes into no backup', async () => {
    const archive = join(await folderOf(), 'archive.tar.gz')
    await using source = await createCommandInstance(kind)
    await using instance = await createCommandInstance(kind)
    await fillSmall(source)
    await source.report(['mkdir', 'Only there', ...ada])
    await source.report(['backup', archive])
    await instance.report(['user', 'add', 'eve'], { stdin: `${secret}\n` })
    await instance.report(['mkdir', 'Gone', '--user', 'eve'])

    const before = await linesOf(instance)
    const { writer, created, restorePoint, plan } = await instance.report<RestoreReport>([
      'restore',
      archive,
      '--replace',
    ])
    const [done, ...others] = (await linesOf(instance)).slice(before.length)
    expect(others).toEqual([])
    expect((await linesOf(instance)).slice(0, before.length)).toEqual(before)
    const { onConflict, users, tags, folders, documents, replaced, trashed, digest } = plan
    const counts = { users, tags, folders, documents, replaced, trashed }
    const choices = { onConflict, replace: true, keepGoing: false }
    const details = { writer, created, ...choices, ...counts, leftOut: 0, restorePoint, plan: digest }
    expect(done).toMatchObject(auditLine('restore.done', null, archive, details))
    expect(replaced).toMatchObject({ users: 1, folders: 1 })
    expect(restorePoint).toEqual(expect.any(String))
    expect((await linesOf(instance, '--user', 'eve')).map(({ action }) => action)).toEqual([
      'schema.migrated',
      'user.added',
      'folder.made',
      'restore.done',
    ])

    const [unchanged] = await linesLeft(instance, ['restore', archive, '--on-conflict', 'fail'])
    expect(unchanged?.details).toMatchObject({
      users: { unchanged: 2 },
      tags: { unchanged: 1 },
      documents: { unchanged: 1 },
      replaced: null,
      trashed: 0,
    })
  })

  test('has a line for each user whose trash was emptied', async () => {
    const note = join(await folderOf(), 'note.txt')
    await writeFile(note, 'note')
    await using instance = await createCommandInstance(kind)
    for (const name of ['ada', 'bob', 'eve']) await instance.report(['user', 'add', name], { stdin: `${secret}\n` })
    await instance.report(['mkdir', 'Old', ...ada])
    await instance.report(['import', note, '--into', 'Old', ...ada])
    await instance.report(['rm', 'Old', ...ada])
    await instance.report(['mkdir', 'Older', '--user', 'eve'])
    await instance.report(['rm', 'Older', '--user', 'eve'])
    const counts = { items: 1, folders: 1, documents: 0, versions: 0, bytes: 0, olderThanDays: 0 }
    expect(await linesLeft(instance, ['trash', 'empty', '--yes', '--older-than', '0'])).toEqual([
      auditLine('trash.emptied', 'ada', '', { ...counts, documents: 1, versions: 1, bytes: 4 }),
      auditLine('trash.emptied', 'eve', '', counts),
    ])
  })

  test('shows the latest lines, those of a user, or all of more than fit at once, each moment of them once', async () => {
    await using instance = await createCommandInstance(kind)
    const { dataDirectory, url } = instance
    const total = 2500
    {
      await using database = await openDatabase({ dataDirectory, url })
      const many = Array.from({ length: total - 1 }, (_, index) => ({
        ...{ at: moment, action: 'folder.made', username: index % 2 === 0 ? 'ada' : 'bob' },
        ...{ about: `.home/${index}`, details: '{}' },
      }))
      await database.write((tx) => insertAuditLines(tx, many))
    }
    const all = await linesOf(instance)
    expect(all.slice(1).map(({ about }) => about)).toEqual(
      Array.from({ length: total - 1 }, (_, index) => `.home/${index}`),
    )
    const lastOf = async (...options: string[]) => (await instance.report<AuditReport>(['audit', ...options])).lines
    expect(await lastOf()).toEqual(all.slice(-50))
    expect(await lastOf('--last', '3')).toEqual(all.slice(-3))
    expect(await lastOf('--last', '1500')).toEqual(all.slice(-1500))
    expect(await lastOf('--last', '999999999')).toEqual(all)
    const bobs = all.filter(({ username }) => username !== 'ada')
    expect(await lastOf('--user', 'bob', '--last', '0')).toEqual(bobs)
    expect(await lastOf('--user', 'bob', '--last', '2')).toEqual(bobs.slice(-2))
    const { stdout } = await instance.run(['audit', '--last', '0'])
    expect(stdout.trimEnd().split('\n')).toHaveLength(total + 1)
  })

  test('is a table for people, and no name in it can do anything to a terminal', async () => {
    await using instance = await createCommandInstance(kind)
    await instance.report(['user', 'add', 'ada', '--superuser'], { stdin: `${secret}\n` })
    await instance.report(['mkdir', 'red\u001b[31m', ...ada])
    await instance.report(['mv', 'red\u001b[31m', 'safe', ...ada])
    const { stdout } = await instance.run(['audit'])
    const [heading, ...rows] = stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.trim().split(/ {2,}/))
    expect(heading).toEqual(['No.', 'When', 'What', 'User', 'About', 'Details'])
    expect(rows.map((row) => row.slice(2))).toEqual([
      ['schema.migrated', `from 0, to ${newestSchemaVersion}`],
      ['user.added', 'ada', 'ada', 'superuser'],
      ['folder.made', 'ada', '.home/red\\u{1b}[31m'],
      ['node.moved', 'ada', '.home/red\\u{1b}[31m', 'to .home/safe'],
    ])
  })

  test('holds no password, no hash of one and no text of a page', async () => {
    const archive = join(await folderOf(), 'archive.tar.gz')
    await using instance = await createCommandInstance(kind)
    await fillSmall(instance)
    await instance.report(['user', 'password', 'ada'], { stdin: `${secret}\n` })
    await instance.report(['user', 'add', 'bob'], { stdin: `${secret}\n` })
    await instance.report(['backup', archive])
    await instance.report(['restore', archive, '--replace'])
    const noted = JSON.stringify(await linesOf(instance))
    expect(noted).not.toMatch(/a long secret|argon2|pbkdf2|second text/)
  })
})

test('an audit of which nothing is known says so, and a count that is none is wrong use', async () => {
  await using instance = await createCommandInstance(databases[0]!)
  {
    const { dataDirectory, url } = instance
    await using database = await openDatabase({ dataDirectory, url })
    await database.write((tx) => tx.deleteFrom('audit').execute())
  }
  expect(await instance.run(['audit'])).toMatchObject({ exitCode: 0, stdout: 'Nothing has been noted.\n' })
  expect(await instance.report(['audit'])).toMatchObject({ operation: 'audit', username: null, last: 50, lines: [] })
  expect((await instance.run(['audit', '--last', '-1'])).exitCode).toBe(2)
  expect((await instance.run(['audit', '--last', 'ten'])).exitCode).toBe(2)
  expect((await instance.run(['audit', '--user', 'a\0b'])).exitCode).toBe(4)
})
