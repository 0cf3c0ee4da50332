import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { runCommand } from '../../support/command-line.ts'
import { createPostgresDatabase, dropPostgresDatabase } from '../../support/databases.ts'
import { fillEmpty, type Target } from './trial.ts'

/** An instance on PostgreSQL that is reset by emptying its tables. */
export async function createPostgresTarget(
  root: string,
  name = 'data-postgres',
  fill = fillEmpty,
): Promise<Target & AsyncDisposable> {
  const url = await createPostgresDatabase()
  const dataDirectory = join(root, name)
  const [media, template] = [join(dataDirectory, 'media'), join(root, `${name}-media`)]
  const run = async (args: readonly string[]): Promise<void> => {
    const options = { stdin: 'a long secret\n' }
    const { exitCode, stderr } = await runCommand(['--data', dataDirectory, '--database', url, ...args], options)
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  }
  await run(['migrate'])
  await fill(run)
  await mkdir(media, { recursive: true, mode: 0o700 })
  await cp(media, template, { recursive: true, preserveTimestamps: true })
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public' and tablename not like '%schema%' and tablename not like '%migration%'",
  )
  await client.query(`create schema kept`)
  for (const { name: each } of rows) await client.query(`create table kept.${each} as select * from public.${each}`)
  // Parents first, by the order in which foreign keys allow it.
  const parents = ['users', 'groups', 'tags', 'nodes', 'versions', 'pages']
  const inOrder = [...parents, ...rows.map((row) => row.name).filter((each) => !parents.includes(each))]
  return {
    dataDirectory,
    url,
    moment: () => Symbol('whenever'),
    async reset() {
      await client.query(`truncate ${inOrder.map((each) => `public.${each}`).join(', ')} cascade`)
      for (const each of inOrder)
        await client.query(`insert into public.${each} overriding system value select * from kept.${each}`)
      await rm(media, { recursive: true, force: true })
      await cp(template, media, { recursive: true, preserveTimestamps: true })
    },
    async [Symbol.asyncDispose]() {
      await client.end()
      await dropPostgresDatabase(url)
    },
  }
}
