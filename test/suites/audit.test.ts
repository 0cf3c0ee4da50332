import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditActions } from '../../src/contract/audit.ts'
import { newestSchemaVersion } from '../../src/database/migrations.ts'
import { openDatabase } from '../../src/database/open.ts'
import { auditLine, linesLeft, linesOf } from '../support/audit-lines.ts'
import { archivedRows, createCommandInstance, listMedia } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { fillSmall } from '../support/small-instance.ts'

const secret = 'a long secret'
const ada = ['--user', 'ada'] as const

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-audit-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const folderOf = (): Promise<string> => mkdtemp(join(scratch, 'test-'))

/** A file to import, with that many bytes. */
async function fileOf(folder: string, name: string, size: number): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, 'x'.repeat(size))
  return path
}

const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
const sha256 = expect.stringMatching(/^[0-9a-f]{64}$/)

/** Every verb on one instance: what it is told, and the lines that it must leave. */
async function everyVerb(): Promise<[args: readonly string[], lines: readonly object[]][]> {
  const folder = await folderOf()
  await mkdir(join(folder, 'Papers'))
  await fileOf(join(folder, 'Papers'), 'a.txt', 3)
  const note = await fileOf(folder, 'note.txt', 4)
  await mkdir(join(folder, 'later'))
  const later = await fileOf(join(folder, 'later'), 'note.txt', 5)
  const archive = join(folder, 'archive.tar.gz')
  const of = (action: string, about: string, details: object) => [auditLine(action, 'ada', about, details)]
  return [
    [['user', 'add', 'ada'], of('user.added', 'ada', { id: uuid, superuser: false, groups: [] })],
    [
      ['user', 'add', 'root', '--superuser'],
      [auditLine('user.added', 'root', 'root', { id: uuid, superuser: true, groups: [] })],
    ],
    [['user', 'password', 'ada'], of('user.password_changed', 'ada', {})],
    [['user', 'disable', 'ada'], of('user.disabled', 'ada', {})],
    [['user', 'enable', 'ada'], of('user.enabled', 'ada', {})],
    [
      ['mkdir', 'Taxes/2026', '--parents', ...ada],
      [...of('folder.made', '.home/Taxes', { id: uuid }), ...of('folder.made', '.home/Taxes/2026', { id: uuid })],
    ],
    [['mkdir', 'Taxes/2026', '--parents', ...ada], []],
    [
      ['import', join(folder, 'Papers'), note, ...ada],
      [
        ...of('folder.made', '.inbox/Papers', { id: uuid }),
        ...of('document.added', '.inbox/Papers/a.txt', { id: uuid, size: 3, sha256 }),
        ...of('document.added', '.inbox/note.txt', { id: uuid, size: 4, sha256 }),
      ],
    ],
    [['import', note, ...ada], []],
    [['import', later, ...ada], of('version.added', '.inbox/note.txt', { id: uuid, version: 2, size: 5, sha256 })],
    [
      ['mv', '.inbox/note.txt', 'Taxes', ...ada],
      of('node.moved', '.inbox/note.txt', { id: uuid, to: '.home/Taxes/note.txt' }),
    ],
    [
      ['tag', 'add', 'Taxes', 'paid', '--pinned', ...ada],
      of('tag.added', '.home/Taxes', { tag: 'paid', made: true, look: { pinned: 1 } }),
    ],
    [
      ['tag', 'add', '.inbox/Papers', 'paid', ...ada],
      of('tag.added', '.inbox/Papers', { tag: 'paid', made: false, look: {} }),
    ],
    [['tag', 'add', '.inbox/Papers', 'paid', ...ada], []],
    [['tag', 'remove', '.inbox/Papers', 'paid', ...ada], of('tag.removed', '.inbox/Papers', { tag: 'paid' })],
    [['tag', 'remove', '.inbox/Papers', 'paid', ...ada], []],
    [['tag', 'remove', '--everywhere', 'paid', ...ada], of('tag.deleted', 'paid', { id: uuid })],
    [
      ['rm', 'Taxes', '.inbox/Papers/a.txt', ...ada],
      [
        ...of('node.trashed', '.home/Taxes', { id: uuid, nodes: 3 }),
        ...of('node.trashed', '.inbox/Papers/a.txt', { id: uuid, nodes: 1 }),
      ],
    ],
    [
      ['trash', 'restore', '.home/Taxes', '--title', 'Old', ...ada],
      of('trash.restored', '.home/Taxes', { id: uuid, to: '.home/Old' }),
    ],
    [
      ['trash', 'empty', '--yes'],
      of('trash.emptied', '', { items: 1, folders: 0, documents: 1, versions: 1, bytes: 3, olderThanDays: null }),
    ],
    [['trash', 'empty', '--yes'], []],
    [['backup', archive], []],
    [
      ['restore', archive, '--replace'],
      [auditLine('restore.done', null, archive, expect.objectContaining({ replace: true }) as object)],
    ],
  ]
}

describe.each(databases)('the audit on $name', (kind) => {
  test('begins as the instance is made, and each verb adds its line to it, but none where it changed nothing', async () => {
    await using instance = await createCommandInstance(kind)
    const [first, ...others] = await linesOf(instance)
    expect(first).toMatchObject(auditLine('schema.migrated', null, '', { from: 0, to: newestSchemaVersion }))
    expect(others).toEqual([])
    await instance.report(['migrate'])
    expect(await linesOf(instance)).toHaveLength(1)

    for (const [args, lines] of await everyVerb())
      expect(await linesLeft(instance, args), args.join(' ')).toEqual(lines)
    const { points } = await instance.report<{ points: { name: string; size: number }[] }>(['restore-points', 'list'])
    const [{ name, size }] = points as [{ name: string; size: number }]
    expect(await linesLeft(instance, ['restore-points', 'remove', name])).toEqual([
      auditLine('restore_point.removed', null, name, { size }),
    ])
    const lines = await linesOf(instance)
    expect(new Set(lines.map(({ action }) => action))).toEqual(new Set(auditActions))
    expect(lines.map(({ number }) => number)).toEqual(lines.map(({ number }) => number).toSorted((a, b) => a - b))
  })

  test('has no line of a verb that failed', async () => {
    const folder = await folderOf()
    await using instance = await createCommandInstance(kind)
    await instance.report(['user', 'add', 'ada', '--superuser'], { stdin: `${secret}\n` })
    await writeFile(join(folder, 'broken.tar.gz'), 'no archive')
    await writeFile(join(folder, 'note.txt'), 'a note')
    await instance.report(['import', join(folder, 'note.txt'), ...ada])
    await instance.report(['backup', join(folder, 'archive.tar.gz')])
    await rm(join(folder, 'note.txt'))
    const before = await linesOf(instance)
    for (const args of [
      ['user', 'add', 'ada'],
      ['user', 'password', 'bob'],
      ['user', 'disable', 'ada'],
      ['mkdir', 'a/b', ...ada],
      ['mv', '.home', '.inbox', ...ada],
      ['rm', '.inbox/note.txt', '.inbox/nothing', ...ada],
      ['tag', 'add', '.home/nothing', 'paid', ...ada],
      ['tag', 'remove', '.inbox', 'paid', ...ada],
      ['trash', 'restore', '.inbox/note.txt', ...ada],
      ['trash', 'empty', '--yes', '--user', 'bob'],
      ['import', join(folder, 'nothing'), ...ada],
      ['restore', join(folder, 'broken.tar.gz'), '--replace'],
      ['restore', join(folder, 'archive.tar.gz'), '--dry-run', '--replace', '--save-plan', join(folder, 'no', 'plan')],
      ['restore-points', 'remove', 'strongroom-20261124T140352Z.tar.gz'],
    ]) {
      expect((await instance.run(args, { stdin: `${secret}\n` })).exitCode, args.join(' ')).toBeGreaterThan(0)
    }
    expect(await linesOf(instance)).toEqual(before)
  })

  test('is written with what it tells of, or neither is', async () => {
    const folder = await folderOf()
    await using instance = await createCommandInstance(kind)
    await fillSmall(instance)
    const note = await fileOf(folder, 'note.txt', 4)
    const archive = join(folder, 'archive.tar.gz')
    await instance.report(['tag', 'add', 'Taxes', 'kept', ...ada])
    await instance.report(['backup', archive])
    await instance.report(['import', note, ...ada])
    await instance.report(['rm', '.inbox/note.txt', ...ada])
    await instance.report(['restore', archive, '--replace'])
    await instance.report(['import', note, ...ada])
    await instance.report(['rm', '.inbox/note.txt', ...ada])
    const { points } = await instance.report<{ points: { name: string }[] }>(['restore-points', 'list'])
    await refuseLines(instance)
    const state = async () => [await archivedRows(instance), await listMedia(instance), await linesOf(instance)]
    const before = await state()
    for (const args of [
      ['user', 'add', 'bob'],
      ['user', 'password', 'ada'],
      ['user', 'disable', 'ada'],
      ['mkdir', 'New', ...ada],
      ['mv', 'Taxes', '.inbox', ...ada],
      ['rm', 'Taxes', ...ada],
      ['tag', 'add', '.inbox', 'kept', ...ada],
      ['tag', 'remove', 'Taxes', 'kept', ...ada],
      ['tag', 'remove', '--everywhere', 'kept', ...ada],
      ['trash', 'restore', '.inbox/note.txt', ...ada],
      ['trash', 'empty', '--yes'],
      ['import', note, ...ada],
      ['restore', archive, '--replace', '--no-restore-point'],
      ['restore-points', 'remove', points[0]!.name],
    ]) {
      const { exitCode, stdout } = await instance.run(args, { stdin: `${secret}\n` })
      expect(exitCode, `${args.join(' ')}\n${stdout}`).toBeGreaterThan(0)
      expect(await state(), args.join(' ')).toEqual(before)
    }
    expect(await instance.report(['restore-points', 'list'])).toMatchObject({ points })
  })
})

async function withWriting(instance: CommandInstance, ...statements: readonly string[]): Promise<void> {
  const { dataDirectory, url } = instance
  await using database = await openDatabase({ dataDirectory, url })
  await database.write(async (tx) => {
    for (const statement of statements) await sql.raw(statement).execute(tx)
  })
}

/** From now on no line can be added. */
const refuseLines = async (instance: CommandInstance): Promise<void> =>
  instance.url === undefined
    ? withWriting(instance, "create trigger refuses before insert on audit begin select raise(abort, 'refused'); end")
    : withWriting(
        instance,
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$",
        'create trigger refuses before insert on audit for each row execute function refuse()',
      )
