import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/database/open.ts'
import { archivedRows, createCommandInstance, listMedia } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases } from '../support/databases.ts'
import type { TestDatabases } from '../support/databases.ts'
import { fillPlain } from '../support/fixtures.ts'
import { clientsGone, startCommand } from '../support/processes.ts'

/**
 * A restore in a process of its own that reads its archive from standard input lasts as long as one likes; others come
 * meanwhile, on PostgreSQL from another data directory.
 */

let scratch = ''
let paper = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-two-'))
  paper = join(scratch, 'paper.txt')
  await writeFile(paper, 'a paper')
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

async function archiveOf(kind: TestDatabases): Promise<string> {
  await using instance = await createCommandInstance(kind)
  await fillPlain(instance, 20, 20_000)
  const archive = join(scratch, `${kind.name}.tar.gz`)
  await instance.report(['backup', archive, '--overwrite'])
  return archive
}

const stateOf = async (instance: CommandInstance): Promise<unknown> => ({
  rows: await archivedRows(instance),
  media: await listMedia(instance),
})

/** Starts a restore that gets half of the archive, and waits until it holds the instance. */
async function startRestore(instance: CommandInstance, archive: string) {
  const bytes = await readFile(archive)
  const started = startCommand(instance, ['restore', '-'])
  started.child.stdin.write(bytes.subarray(0, bytes.length / 2))
  const { dataDirectory, url } = instance
  await using database = await openDatabase({ dataDirectory, url })
  for (;;) {
    await using lock = await database.lock('shared', 0)
    if (lock === undefined) break
    if (started.child.exitCode !== null) throw new Error((await started.ended).stderr)
    await delay(10)
  }
  return { ...started, sendRest: () => started.child.stdin.end(bytes.subarray(bytes.length / 2)) }
}

/** Another way to the same instance: on PostgreSQL a data directory of its own, as a second host would have. */
async function besides(instance: CommandInstance): Promise<(args: readonly string[]) => ReturnType<typeof runCommand>> {
  const { url } = instance
  const dataDirectory = url === undefined ? instance.dataDirectory : await mkdtemp(join(scratch, 'other-'))
  const base = ['--data', dataDirectory, ...(url === undefined ? [] : ['--database', url]), '--json']
  if (url !== undefined) expect(await runCommand([...base, 'migrate'])).toMatchObject({ exitCode: 0 })
  return (args) => runCommand([...base, ...args], { overrides: { lockWaitSeconds: 0.2 } })
}

describe.each(databases)('while a restore goes on in another process, on $name', (kind) => {
  test('restore, backup and every writer are told so and change nothing; then all of them can work', async () => {
    const archive = await archiveOf(kind)
    await using instance = await createCommandInstance(kind)
    await instance.report(['user', 'add', 'keeper'], { stdin: 'a long secret\n' })
    const other = await besides(instance)
    const before = await stateOf(instance)
    const restore = await startRestore(instance, archive)
    const backup = join(scratch, `never-${kind.name}.tar.gz`)
    for (const args of [
      ['restore', archive],
      ['backup', backup],
      ['import', paper, '--user', 'keeper'],
      ['mkdir', '.home/new', '--user', 'keeper'],
      ['rm', '.home/new', '--user', 'keeper'],
      ['mv', '.home', '.inbox', '--user', 'keeper'],
      ['tag', 'add', '.home', 'new', '--user', 'keeper'],
      ['user', 'disable', 'keeper'],
      ['trash', 'empty', '--yes'],
      ['check'],
    ]) {
      const { exitCode, stdout } = await other(args)
      expect([args[0], exitCode, stdout]).toEqual([args[0], 7, stdout])
    }
    await expect(readFile(backup)).rejects.toThrow('ENOENT')
    expect(await stateOf(instance)).toEqual(before)
    expect(await other(['tree'])).toMatchObject({ exitCode: 0 })
    restore.sendRest()
    expect(await restore.ended).toMatchObject({ code: 0 })
    expect(await other(['mkdir', '.home/new', '--user', 'keeper'])).toMatchObject({ exitCode: 0 })
    await instance.report(['check'])
  })

  test('one that is killed holds nothing any more, and the instance is as it was', async () => {
    const archive = await archiveOf(kind)
    await using instance = await createCommandInstance(kind)
    const before = await stateOf(instance)
    const restore = await startRestore(instance, archive)
    restore.child.kill('SIGKILL')
    await restore.ended
    await clientsGone(instance.url)
    const options = { overrides: { lockWaitSeconds: 0 } }
    await instance.report(['check'], options)
    expect(await stateOf(instance)).toEqual(before)
    await instance.report(['restore', archive], options)
    await instance.report(['check'])
  })
})

describe('a restore whose lock is lost, because its session on the PostgreSQL server was ended', () => {
  const kind = databases.find(({ name }) => name === 'PostgreSQL')!

  async function onServer(url: string | undefined, statement: string): Promise<void> {
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query(statement)
    await client.end()
  }
  const endLockSession = `select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where application_name = 'strongroom lock' and datname = current_database()`

  test('writes nothing, and another that began meanwhile is not disturbed', async () => {
    const archive = await archiveOf(kind)
    await using instance = await createCommandInstance(kind)
    const restore = await startRestore(instance, archive)
    await onServer(instance.url, endLockSession)
    await instance.report(['restore', archive])
    const restored = await stateOf(instance)
    restore.sendRest()
    const { code, stdout } = await restore.ended
    expect([code, stdout]).toEqual([9, expect.stringContaining('"database.unreachable"')])
    expect(await stateOf(instance)).toEqual(restored)
    await instance.report(['check'])
  })

  test.each(['nodes', 'versions', 'pending_files'])(
    'leaves the instance as it was where that happens as it writes its %s',
    async (table) => {
      const archive = await archiveOf(kind)
      await using instance = await createCommandInstance(kind)
      const before = await stateOf(instance)
      await onServer(
        instance.url,
        `create function end_lock_session() returns trigger language plpgsql as
           $$ begin perform (${endLockSession} limit 1); return null; end $$;
         create trigger ends_lock_session after insert on ${table} execute function end_lock_session()`,
      )
      const { code, stdout } = await startCommand(instance, ['restore', archive]).ended
      await onServer(instance.url, 'drop function end_lock_session cascade')
      expect([code, stdout]).toEqual([9, expect.stringContaining('"database.unreachable"')])
      await instance.report(['check'])
      expect(await stateOf(instance)).toEqual(before)
    },
  )
})
