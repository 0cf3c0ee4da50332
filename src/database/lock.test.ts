import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Client } from 'pg'
import { databases, type TestDatabase } from '../../test/support/databases.ts'
import { openDatabase } from './open.ts'

const holder = fileURLToPath(new URL('../../test/support/lock-holder.ts', import.meta.url))

/** Another process that holds the lock by the time this resolves. */
async function holdElsewhere(made: TestDatabase, mode: 'shared' | 'exclusive'): Promise<ChildProcess> {
  const place = made.url === undefined ? [made.dataDirectory] : [made.dataDirectory, made.url]
  const child = spawn(process.execPath, [holder, mode, ...place], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown]
  expect(String(said)).toBe('held\n')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

describe.each(databases)("the instance's lock on $name", ({ name, create }) => {
  test('is shared by many or held by one alone', async () => {
    await using made = await create()
    const { database } = made
    const first = await database.lock('shared', 0)
    const second = await database.lock('shared', 0)
    expect(first && second).toBeDefined()
    expect(await database.lock('exclusive', 0)).toBeUndefined()
    await first?.[Symbol.asyncDispose]()
    expect(await database.lock('exclusive', 0)).toBeUndefined()
    await second?.[Symbol.asyncDispose]()

    const alone = await database.lock('exclusive', 0)
    await alone?.assertHeld()
    expect(await database.lock('shared', 0)).toBeUndefined()
    expect(await database.lock('exclusive', 0)).toBeUndefined()
    await alone?.[Symbol.asyncDispose]()
    await using again = await database.lock('shared', 0)
    expect(again).toBeDefined()
  })

  test('is taken as soon as it is free within the time to wait', async () => {
    await using made = await create()
    const { database } = made
    const held = await database.lock('exclusive', 0)
    const waiting = database.lock('shared', 60)
    await held?.[Symbol.asyncDispose]()
    await using taken = await waiting
    expect(taken).toBeDefined()
  })

  test('counts between processes and is free once its owner is killed', async () => {
    await using made = await create()
    const { database } = made
    const alone = await holdElsewhere(made, 'exclusive')
    expect(await database.lock('shared', 0)).toBeUndefined()
    await kill(alone)
    // The kernel frees the file at once; PostgreSQL as soon as it sees that the connection is closed.
    const freed = await database.lock('exclusive', name === 'SQLite' ? 0 : 30)
    expect(freed).toBeDefined()
    await freed?.[Symbol.asyncDispose]()

    const beside = await holdElsewhere(made, 'shared')
    const shared = await database.lock('shared', 0)
    expect(shared).toBeDefined()
    expect(await database.lock('exclusive', 0)).toBeUndefined()
    await shared?.[Symbol.asyncDispose]()
    await kill(beside)
  })

  test('does not stand in the way of reading and writing rows', async () => {
    await using made = await create()
    await using lock = await made.database.lock('exclusive', 0)
    await made.database.write((tx) => tx.insertInto('groups').values({ id: 'g', name: 'g' }).execute())
    expect(await made.database.db.selectFrom('groups').select('name').execute()).toEqual([{ name: 'g' }])
    await lock?.assertHeld()
  })

  test('is not lost when the database is opened and closed once more in the same process', async () => {
    await using made = await create()
    await using lock = await made.database.lock('exclusive', 0)
    expect(lock).toBeDefined()
    {
      await using other = await openDatabase(made)
      expect(await other.lock('shared', 0)).toBeUndefined()
    }
    const child = spawn(process.execPath, [holder, 'shared', made.dataDirectory, ...(made.url ? [made.url] : [])], {
      stdio: 'ignore',
    })
    expect(await once(child, 'exit')).toEqual([1, null])
  })
})

describe.each(databases.filter(({ name }) => name === 'PostgreSQL'))(
  "the instance's lock on $name alone",
  ({ create }) => {
    test('counts between two data directories of one database', async () => {
      await using made = await create()
      await using elsewhere = await databases[0]!.place()
      await using other = await openDatabase({ ...made, dataDirectory: elsewhere.dataDirectory })
      await using lock = await made.database.lock('exclusive', 0)
      expect(lock).toBeDefined()
      expect(await other.lock('shared', 0)).toBeUndefined()
    })

    test('says so when its connection is gone', async () => {
      await using made = await create()
      await using lock = await made.database.lock('exclusive', 0)
      const client = new Client({ connectionString: made.url })
      await client.connect()
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'strongroom lock'" +
          ' and datname = current_database()',
      )
      await client.end()
      await expect(lock?.assertHeld()).rejects.toMatchObject({ code: 'database.unreachable' })
    })
  },
)

describe.each(databases.filter(({ name }) => name === 'SQLite'))("the instance's lock on $name alone", ({ create }) => {
  test('is a private file that is never written', async () => {
    await using made = await create()
    await using lock = await made.database.lock('exclusive', 0)
    expect(lock).toBeDefined()
    const { mode, size } = await stat(join(made.dataDirectory, 'locks/instance.lock'))
    expect([mode & 0o777, size]).toEqual([0o600, 0])
  })

  test('cannot be had where its folder is a file', async () => {
    await using made = await create()
    await writeFile(join(made.dataDirectory, 'locks'), '')
    await expect(made.database.lock('shared', 0)).rejects.toMatchObject({ kind: 'conflict', code: 'file.exists' })
  })
})
