import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { inject } from 'vitest'
import type { Database } from '../../src/database/database.ts'
import { openDatabase } from '../../src/database/open.ts'

export interface TestDatabase extends AsyncDisposable {
  readonly database: Database
  /** A folder of its own, where the SQLite database lies too. */
  readonly dataDirectory: string
  /** What `--database` would name; undefined for SQLite. */
  readonly url?: string
  /** Closes the database and removes it. */
  dispose(): Promise<void>
}

/** A place for a database: an empty folder, and on PostgreSQL an empty database without a schema. */
export interface TestPlace extends AsyncDisposable {
  readonly dataDirectory: string
  readonly url?: string
}

export interface TestDatabases {
  readonly name: 'SQLite' | 'PostgreSQL'
  /** An empty database with the newest schema. */
  create(): Promise<TestDatabase>
  /** The same before `migrate`. */
  place(): Promise<TestPlace>
}

async function withServer<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: inject('postgresUrl') })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Makes an empty PostgreSQL database; `options` follow CREATE DATABASE. Returns its address. */
export async function createPostgresDatabase(options = "encoding 'UTF8'"): Promise<string> {
  const name = `strongroom_test_${randomUUID().replaceAll('-', '')}`
  await withServer((client) => client.query(`create database ${name} template template0 ${options}`))
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  return url.href
}

/** Removes it, whoever is still connected. */
export async function dropPostgresDatabase(url: string): Promise<void> {
  await withServer((client) => client.query(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`))
}

async function sqlitePlace(): Promise<TestPlace> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'strongroom-test-'))
  return { dataDirectory, [Symbol.asyncDispose]: () => rm(dataDirectory, { recursive: true, force: true }) }
}

async function postgresPlace(): Promise<TestPlace> {
  const url = await createPostgresDatabase()
  const folder = await sqlitePlace()
  return {
    dataDirectory: folder.dataDirectory,
    url,
    async [Symbol.asyncDispose]() {
      await dropPostgresDatabase(url)
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function createIn(place: TestPlace): Promise<TestDatabase> {
  const database = await openDatabase({ ...place, create: true })
  await database.migrate('2026-11-24T14:03:52.304446Z')
  const dispose = async (): Promise<void> => {
    await database[Symbol.asyncDispose]()
    await place[Symbol.asyncDispose]()
  }
  return { ...place, database, dispose, [Symbol.asyncDispose]: dispose }
}

/** For `describe.each`: what a test needs of each kind of database. */
export const databases: readonly TestDatabases[] = [
  { name: 'SQLite', place: sqlitePlace, create: async () => createIn(await sqlitePlace()) },
  { name: 'PostgreSQL', place: postgresPlace, create: async () => createIn(await postgresPlace()) },
]
