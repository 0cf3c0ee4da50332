import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { runCommand } from '../../support/command-line.ts'
import { createPostgresDatabase, dropPostgresDatabase } from '../../support/databases.ts'
import type { Target } from './trial.ts'

/** An instance on PostgreSQL that is reset by emptying its tables. */
export async function createPostgresTarget(root: string): Promise<Target & AsyncDisposable> {
  const url = await createPostgresDatabase()
  const dataDirectory = join(root, 'data-postgres')
  const run = async (...args: string[]): Promise<void> => {
    const options = { stdin: 'a long secret\n' }
    const { exitCode, stderr } = await runCommand(['--data', dataDirectory, '--database', url, ...args], options)
    if (exitCode !== 0) throw new Error(stderr)
  }
  await run('migrate')
  await run('user', 'add', 'keeper', '--superuser')
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public' and tablename not like '%schema%' and tablename not like '%migration%'",
  )
  await client.query(`create schema kept`)
  for (const { name } of rows) await client.query(`create table kept.${name} as select * from public.${name}`)
  // Parents first, by the order in which foreign keys allow it.
  const inOrder = ['users', ...rows.map(({ name }) => name).filter((name) => name !== 'users')]
  return {
    dataDirectory,
    url,
    moment: () => Symbol('whenever'),
    async reset() {
      await client.query(`truncate ${inOrder.map((name) => `public.${name}`).join(', ')} cascade`)
      for (const name of inOrder) await client.query(`insert into public.${name} select * from kept.${name}`)
      await rm(join(dataDirectory, 'media'), { recursive: true, force: true })
      await mkdir(join(dataDirectory, 'media'), { mode: 0o700 })
    },
    async [Symbol.asyncDispose]() {
      await client.end()
      await dropPostgresDatabase(url)
    },
  }
}
