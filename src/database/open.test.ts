import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { databases } from '../../test/support/databases.ts'
import type { Db, Tx } from './database.ts'
import { openDatabase } from './open.ts'

const names = async (db: Db): Promise<string[]> =>
  (await db.selectFrom('groups').select('name').orderBy('name').execute()).map(({ name }) => name)
const insert = (tx: Tx, name: string): Promise<unknown> => tx.insertInto('groups').values({ id: name, name }).execute()

const sqlite = databases.filter(({ name }) => name === 'SQLite')
const postgres = databases.filter(({ name }) => name === 'PostgreSQL')

describe.each(databases)('a database on $name', ({ create }) => {
  test('keeps what a transaction wrote, and nothing of one that failed', async () => {
    await using made = await create()
    const { database } = made
    expect(await database.write((tx) => insert(tx, 'kept').then(() => 'result'))).toBe('result')
    const failing = database.write(async (tx) => {
      await insert(tx, 'lost')
      throw new Error('no more')
    })
    await expect(failing).rejects.toThrow('no more')
    expect(await names(database.db)).toEqual(['kept'])
    await using again = await openDatabase(made)
    expect(await names(again.db)).toEqual(['kept'])
  })

  test('refuses a write outside a transaction', async () => {
    await using made = await create()
    const writing = made.database.db.insertInto('groups').values({ id: 'a', name: 'a' }).execute()
    await expect(writing).rejects.toMatchObject({ code: 'database.denied' })
  })

  test('lets writers in one after the other, also from two openings in one process', async () => {
    await using made = await create()
    await using other = await openDatabase(made)
    await Promise.all(
      Array.from({ length: 40 }, (_, number) =>
        (number % 2 === 0 ? made.database : other).write(async (tx) => {
          const present = await names(tx)
          await insert(tx, `${present.length}`.padStart(2, '0'))
        }),
      ),
    )
    expect(await names(made.database.db)).toEqual(
      Array.from({ length: 40 }, (_, number) => `${number}`.padStart(2, '0')),
    )
  })

  test('is busy for a writer who waits too long for another', async () => {
    await using made = await create()
    await using other = await openDatabase({ ...made, busyTimeoutSeconds: 0.2 })
    const busy = { code: 'database.busy', kind: 'busy', details: { seconds: 0.2 } }
    await made.database.write(async (tx) => {
      await insert(tx, 'a')
      await expect(other.write((second) => insert(second, 'b'))).rejects.toMatchObject(busy)
      expect(await names(other.db)).toEqual([])
    })
    await other.write(async () => {
      await expect(other.write((second) => insert(second, 'b'))).rejects.toMatchObject(busy)
    })
    await other.write((tx) => insert(tx, 'b'))
    expect(await names(made.database.db)).toEqual(['a', 'b'])
  })

  test('shows one moment in a snapshot while others write', async () => {
    await using made = await create()
    const { database } = made
    await database.write((tx) => insert(tx, 'before'))
    await database.snapshot(async (db) => {
      await database.write((tx) => insert(tx, 'meanwhile'))
      expect(await names(db)).toEqual(['before'])
      expect(await names(database.db)).toEqual(['before', 'meanwhile'])
      await sql`create temporary table found (name text)`.execute(db)
      await sql`insert into found select name from groups`.execute(db)
      await database.write((tx) => insert(tx, 'later'))
      expect((await sql`select name from found`.execute(db)).rows).toEqual([{ name: 'before' }])
    })
    await database.snapshot(async (db) => {
      expect(await names(db)).toEqual(['before', 'later', 'meanwhile'])
      await sql`create temporary table found (name text)`.execute(db)
    })
  })

  test('passes on what is thrown inside a snapshot and works on', async () => {
    await using made = await create()
    const failing = made.database.snapshot(async () => {
      throw new RangeError('mine')
    })
    await expect(failing).rejects.toThrow(new RangeError('mine'))
    expect(await names(made.database.db)).toEqual([])
  })

  test('takes a broken rule and wrong SQL for faults of the program', async () => {
    await using made = await create()
    const { database } = made
    const twice = database.write(async (tx) => {
      await insert(tx, 'a')
      await insert(tx, 'a')
    })
    await expect(twice).rejects.toMatchObject({ code: 'program.fault' })
    await expect(sql`select nothing from nowhere`.execute(database.db)).rejects.toMatchObject({ code: 'program.fault' })
    expect(await names(database.db)).toEqual([])
  })

  test('holds every character but NUL, and sorts text by its bytes', async () => {
    await using made = await create()
    const odd = ['\u{1f600}', '\uffee', 'é', 'e\u0301', 'z', 'a', 'Z', ' ', '\u0001', '"\'\\%_', 'x'.repeat(5000)]
    await made.database.write(async (tx) => {
      for (const name of odd) await insert(tx, name)
    })
    expect(await names(made.database.db)).toEqual(
      odd.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    )
  })

  test('holds the sizes of very large files', async () => {
    await using made = await create()
    const { rows } = await sql<{ size: number }>`select cast(9007199254740991 as bigint) as size`.execute(
      made.database.db,
    )
    expect(rows).toEqual([{ size: 9007199254740991 }])
  })

  test('does not let a transaction that swallowed an error commit half of its work', async () => {
    await using made = await create()
    const { database } = made
    const swallowing = database.write(async (tx) => {
      await insert(tx, 'a')
      await insert(tx, 'a').catch(() => undefined)
    })
    await expect(swallowing).rejects.toMatchObject({ code: 'program.fault' })
    expect(await names(database.db)).toEqual([])
  })
})

describe.each(sqlite)('a file of $name', ({ create, place }) => {
  test('is its owner’s alone, with all that lies beside it', async () => {
    await using made = await create()
    await made.database.write((tx) => insert(tx, 'a'))
    for (const ending of ['', '-wal', '-shm']) {
      expect((await stat(join(made.dataDirectory, `strongroom.db${ending}`))).mode & 0o777).toBe(0o600)
    }
  })

  test('is made only where that was asked for', async () => {
    await using found = await place()
    await expect(openDatabase(found)).rejects.toMatchObject({ code: 'schema.missing' })
    await expect(stat(join(found.dataDirectory, 'strongroom.db'))).rejects.toMatchObject({ code: 'ENOENT' })
    await using database = await openDatabase({ ...found, create: true })
    expect(await database.schemaVersion()).toBe(0)
  })

  test('may lie elsewhere, and not in a folder that does not exist', async () => {
    await using found = await place()
    const path = join(found.dataDirectory, 'other name?#%.db')
    await using database = await openDatabase({ ...found, url: `sqlite:${path}`, create: true })
    await database.migrate('2026-11-24T14:03:52.304446Z')
    expect((await stat(path)).size).toBeGreaterThan(0)
    const nowhere = openDatabase({ ...found, url: `sqlite:${found.dataDirectory}/missing/a.db`, create: true })
    await expect(nowhere).rejects.toMatchObject({ code: 'database.unreachable' })
  })

  test('that is no database is damaged', async () => {
    await using found = await place()
    await writeFile(join(found.dataDirectory, 'strongroom.db'), 'This is not a database. '.repeat(100))
    await expect(openDatabase(found)).rejects.toMatchObject({ code: 'database.damaged', kind: 'corrupt' })
  })

  test('with pages overwritten is damaged', async () => {
    await using made = await create()
    await made.database[Symbol.asyncDispose]()
    const path = join(made.dataDirectory, 'strongroom.db')
    const bytes = await readFile(path)
    bytes.fill(0xee, 4096)
    await writeFile(path, bytes)
    await expect(openDatabase(made)).rejects.toMatchObject({ code: 'database.damaged', kind: 'corrupt' })
  })

  test('of another program is left as it is', async () => {
    await using found = await place()
    const path = join(found.dataDirectory, 'strongroom.db')
    const other = new DatabaseSync(path)
    other.exec('create table songs (title text); create table users (name text)')
    other.close()
    const before = await readFile(path)
    await expect(openDatabase({ ...found, create: true })).rejects.toMatchObject({
      code: 'database.foreign',
      details: { found: 'songs, users' },
    })
    expect(await readFile(path)).toEqual(before)
  })

  test('that is marked as another program’s is refused while it is still empty', async () => {
    await using found = await place()
    const other = new DatabaseSync(join(found.dataDirectory, 'strongroom.db'))
    other.exec('pragma application_id = 7')
    other.close()
    await expect(openDatabase({ ...found, create: true })).rejects.toMatchObject({ code: 'database.foreign' })
  })

  test('that cannot grow has no space, and keeps what it had', async () => {
    await using made = await create()
    const { database } = made
    await database.write((tx) => insert(tx, 'kept'))
    const filling = database.write(async (tx) => {
      await sql`pragma max_page_count = 1`.execute(tx)
      await insert(tx, 'x'.repeat(100_000))
    })
    await expect(filling).rejects.toMatchObject({ code: 'database.no_space', kind: 'unavailable' })
    const swallowing = database.write(async (tx) => {
      await insert(tx, 'x'.repeat(100_000)).catch(() => undefined)
      await insert(tx, 'outside').catch(() => undefined)
    })
    await expect(swallowing).rejects.toMatchObject({ code: 'program.fault' })
    expect(await names(database.db)).toEqual(['kept'])
  })
})

describe.each(postgres)('a server of $name', ({ create, place }) => {
  test.each([
    ['a wrong password', (url: URL) => void (url.password = 'wrong'), 'database.denied'],
    ['an unknown user', (url: URL) => void (url.username = 'nobody-here'), 'database.denied'],
    ['a database that does not exist', (url: URL) => void (url.pathname = '/nowhere'), 'database.unreachable'],
    ['a port where nobody listens', (url: URL) => void (url.port = '1'), 'database.unreachable'],
    ['a host without an address', (url: URL) => void (url.hostname = 'host.invalid'), 'database.unreachable'],
    [
      'encryption that it does not have',
      (url: URL) => void (url.search = '?sslmode=verify-full'),
      'database.unreachable',
    ],
  ])('refuses %s without showing the password', async (_what, change, code) => {
    await using found = await place()
    const url = new URL(found.url ?? '')
    change(url)
    const opening = openDatabase({ ...found, url: url.href })
    await expect(opening).rejects.toMatchObject({ code, message: expect.not.stringContaining(`:${url.password}@`) })
    await expect(opening).rejects.toMatchObject({ details: { reason: expect.stringMatching(/./) } })
  })

  test('refuses a user who may not make tables', async () => {
    await using made = await create()
    const client = new Client({ connectionString: made.url })
    await client.connect()
    const role = `reader_${new URL(made.url ?? '').pathname.slice(-8)}`
    await client.query(`create role ${role} login password 'secret-word'`)
    const url = new URL(made.url ?? '')
    url.username = role
    url.password = 'secret-word'
    {
      await using database = await openDatabase({ ...made, url: url.href })
      await expect(names(database.db)).rejects.toMatchObject({ code: 'database.denied' })
      await client.query('drop table schema_migrations, sidecars, pages, versions, node_tags, tags, nodes, memberships')
      await client.query('drop table groups, users, pending_files, discarded_files, audit')
      await expect(database.migrate('2026-11-24T14:03:52.304446Z')).rejects.toMatchObject({ code: 'database.denied' })
    }
    await client.query(`drop role ${role}`)
    await client.end()
  })

  test('that ends the connections is unreachable for what was under way, and no more', async () => {
    await using made = await create()
    const client = new Client({ connectionString: made.url })
    await client.connect()
    const endOthers = (): Promise<unknown> =>
      client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
    const writing = made.database.write(async (tx) => {
      await insert(tx, 'lost')
      await endOthers()
      await insert(tx, 'never')
    })
    await expect(writing).rejects.toMatchObject({ code: 'database.unreachable' })
    const looking = made.database.snapshot(async (db) => {
      await endOthers()
      await names(db)
    })
    await expect(looking).rejects.toMatchObject({ code: 'database.unreachable' })
    expect(await names(made.database.db)).toEqual([])
    await client.end()
  })

  test('that is a standby, or set to be read only, denies a write', async () => {
    await using made = await create()
    const writing = made.database.write(async (tx) => {
      await sql`set transaction read only`.execute(tx)
      await insert(tx, 'a')
    })
    await expect(writing).rejects.toMatchObject({ code: 'database.denied' })
  })

  test('that ends slow statements and idle transactions by its settings does not end ours', async () => {
    await using made = await create()
    const client = new Client({ connectionString: made.url })
    await client.connect()
    const { rows } = await client.query<{ name: string }>('select current_database() as name')
    await client.query(`alter database ${rows[0]?.name} set statement_timeout = 1`)
    await client.query(`alter database ${rows[0]?.name} set idle_in_transaction_session_timeout = 1`)
    await client.end()
    await using database = await openDatabase(made)
    await database.write(async (tx) => {
      await sql`select pg_sleep(0.05)`.execute(tx)
      await new Promise((resolve) => setTimeout(resolve, 50))
      await insert(tx, 'a')
    })
    expect(await names(database.db)).toEqual(['a'])
  })
})
