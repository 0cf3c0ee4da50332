import { readdir, stat } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { createPostgresDatabase, databases, dropPostgresDatabase } from '../../test/support/databases.ts'
import { aUser } from '../../test/support/rows.ts'
import { fates } from './archived.ts'
import { allMigrations, type Migration } from './migrations.ts'
import { openDatabase } from './open.ts'
import { insertUsers, listUsers } from './queries/users.ts'

const now = '2026-11-24T14:03:52.304446Z'

const nextMigration: Migration = {
  version: allMigrations.length + 1,
  name: 'next',
  up: async (db) => void (await sql`alter table users add column nickname text`.execute(db)),
}
const failingMigration: Migration = {
  ...nextMigration,
  up: async (db) => {
    await nextMigration.up(db, 'sqlite')
    throw new Error('half-way')
  },
}
const next = nextMigration.version
const latest = allMigrations.length

describe.each(databases)('the schema on $name', ({ name, create, place }) => {
  test('is made once, and its making is noted', async () => {
    await using made = await place()
    await using database = await openDatabase({ ...made, create: true })
    expect(await database.schemaVersion()).toBe(0)
    expect(await database.migrate(now)).toEqual({ from: 0, to: latest })
    expect(await database.migrate(now)).toEqual({ from: latest, to: latest })
    const history = await database.db.selectFrom('schema_migrations').selectAll().execute()
    expect(history).toEqual(
      allMigrations.map((known) => ({ version: known.version, name: known.name, applied_at: now })),
    )
  })

  test('is made once by two who begin at the same time', async () => {
    await using made = await place()
    await using first = await openDatabase({ ...made, create: true })
    await using second = await openDatabase({ ...made, create: true })
    await Promise.all([first.migrate(now), second.migrate(now)])
    expect(await first.schemaVersion()).toBe(latest)
    expect(await second.schemaVersion()).toBe(latest)
  })

  test('has exactly the tables and columns of which it is known what a backup does with them', async () => {
    await using made = await create()
    const tables = await made.database.db.introspection.getTables()
    const found = Object.fromEntries(
      tables.map((table) => [table.name, table.columns.map((column) => column.name).toSorted()]),
    )
    const known = Object.fromEntries(
      Object.entries(fates).map(([table, columns]) => [table, Object.keys(columns).toSorted()]),
    )
    expect(found).toEqual(known)
  })

  test('is brought to a later version with all that it holds', async () => {
    await using made = await create()
    const user = aUser()
    await made.database.write((tx) => insertUsers(tx, [user]))
    await using later = await openDatabase({ ...made, migrations: [...allMigrations, nextMigration] })
    expect(await later.schemaVersion()).toBe(latest)
    expect(await later.migrate(now)).toMatchObject({ from: latest, to: next })
    expect(await later.schemaVersion()).toBe(next)
    expect(await listUsers(later.db)).toEqual([{ ...user, nickname: null }])
  })

  test('of a later version is reported as it is and left alone', async () => {
    await using made = await create()
    {
      await using later = await openDatabase({ ...made, migrations: [...allMigrations, nextMigration] })
      await later.migrate(now)
    }
    expect(await made.database.schemaVersion()).toBe(next)
    await expect(made.database.migrate(now)).rejects.toMatchObject({
      code: 'schema.newer',
      details: { found: next, known: latest },
    })
  })

  test('is as before where a step fails', async () => {
    await using made = await create()
    {
      await using later = await openDatabase({ ...made, migrations: [...allMigrations, failingMigration] })
      await expect(later.migrate(now)).rejects.toThrow('half-way')
    }
    expect(await made.database.schemaVersion()).toBe(latest)
    expect(
      (await made.database.db.introspection.getTables()).find((table) => table.name === 'users')?.columns,
    ).toHaveLength(Object.keys(fates.users).length)
  })

  test.each([
    ['a table is missing', 'drop table discarded_files'],
    ['another step stands in its list', "update schema_migrations set name = 'other'"],
    ['its list has a gap', 'delete from schema_migrations where version = 1'],
    ['its list is empty', 'delete from schema_migrations'],
  ])('is damaged where %s', async (_what, statement) => {
    await using made = await create()
    await made.database.write((tx) => sql.raw(statement).execute(tx))
    await expect(made.database.schemaVersion()).rejects.toMatchObject({ code: 'database.damaged' })
    await expect(made.database.migrate(now)).rejects.toMatchObject({ code: 'database.damaged' })
  })

  test.each(['drop table schema_migrations', 'alter table schema_migrations drop column name'])(
    'is foreign or damaged after "%s"',
    async (statement) => {
      await using made = await create()
      await made.database.write((tx) => sql.raw(statement).execute(tx))
      const code = name === 'SQLite' ? 'database.damaged' : 'database.foreign'
      await expect(made.database.schemaVersion()).rejects.toMatchObject({ code })
    },
  )
})

describe.each(databases.filter(({ name }) => name === 'SQLite'))('an upgrade of a file of $name', ({ create }) => {
  test('keeps a private copy of the database as it was', async () => {
    await using made = await create()
    const user = aUser()
    await made.database.write((tx) => insertUsers(tx, [user]))
    await using later = await openDatabase({ ...made, migrations: [...allMigrations, nextMigration] })
    const copy = `${later.name}.before-${next}`
    expect(await later.migrate(now)).toEqual({ from: latest, to: next, copy })
    expect((await stat(copy)).mode & 0o777).toBe(0o600)
    expect((await readdir(made.dataDirectory)).filter((name) => name.endsWith('.tmp'))).toEqual([])
    await using before = await openDatabase({ ...made, url: `sqlite:${copy}` })
    expect(await before.schemaVersion()).toBe(latest)
    expect(await listUsers(before.db)).toEqual([user])
  })

  test('stays with its copy where a step fails, and can be done again', async () => {
    await using made = await create()
    {
      await using failing = await openDatabase({ ...made, migrations: [...allMigrations, failingMigration] })
      await expect(failing.migrate(now)).rejects.toThrow('half-way')
    }
    await using later = await openDatabase({ ...made, migrations: [...allMigrations, nextMigration] })
    expect(await later.migrate(now)).toMatchObject({ from: latest, to: next })
  })

  test('marks the file as ours', async () => {
    await using made = await create()
    using file = new DatabaseSync(made.database.name, { readOnly: true })
    expect(file.prepare('pragma application_id').get()).toEqual({ application_id: 0x53545247 })
    expect(file.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' })
  })
})

describe.each(databases.filter(({ name }) => name === 'PostgreSQL'))('a database of $name', ({ place }) => {
  test('with another program’s tables under our names is left as it is', async () => {
    await using made = await place()
    const client = new Client({ connectionString: made.url })
    await client.connect()
    await client.query('create table users (id int); create table songs (title text)')
    await client.end()
    await using database = await openDatabase(made)
    const foreign = { code: 'database.foreign', details: { found: 'users' } }
    await expect(database.schemaVersion()).rejects.toMatchObject(foreign)
    await expect(database.migrate(now)).rejects.toMatchObject(foreign)
  })

  test('may hold other tables, and ours in another schema', async () => {
    await using made = await place()
    const client = new Client({ connectionString: made.url })
    await client.connect()
    await client.query('create table songs (title text); create schema other; create table other.users (id int)')
    await client.end()
    await using database = await openDatabase(made)
    expect(await database.migrate(now)).toEqual({ from: 0, to: latest })
    expect(await database.schemaVersion()).toBe(latest)
  })

  test('that cannot hold every character is refused', async () => {
    const url = await createPostgresDatabase("encoding 'LATIN1' locale_provider libc locale 'C'")
    try {
      await using made = await place()
      await using database = await openDatabase({ ...made, url })
      await expect(database.migrate(now)).rejects.toMatchObject({
        code: 'database.wrong_encoding',
        details: { found: 'LATIN1' },
      })
      expect(await database.schemaVersion()).toBe(0)
    } finally {
      await dropPostgresDatabase(url)
    }
  })
})
