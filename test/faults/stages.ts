import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, inject } from 'vitest'
import { newestSchemaVersion } from '../../src/database/migrations.ts'
import { openDatabase } from '../../src/database/open.ts'
import { listMedia } from '../support/command-instances.ts'
import { runCommand, type CommandOptions, type CommandResult } from '../support/command-line.ts'
import type { DatabaseKind } from './calls.ts'
import { ownClient } from './hooks.ts'

/** An instance that is used up by one try: its data directory, a folder for archives, and what operations read. */
export interface Stage extends AsyncDisposable {
  readonly folder: string
  readonly data: string
  readonly out: string
  readonly source: string
  readonly url: string | undefined
  run(args: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /** The same for what must succeed. */
  done(args: readonly string[], options?: CommandOptions): Promise<string>
  /** The same thing again, as often as one likes; in that folder, or where all are. */
  copy(where?: string): Promise<Stage>
}

/** Every moment is this one, so that what is done twice gives the same. */
export const environment = { SOURCE_DATE_EPOCH: '1795528800' }

// In memory where the system has such a folder: the stages are copied hundreds of times.
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export const newFolder = (where = base): Promise<string> => mkdtemp(join(where, 'strongroom-faults-'))

/** An empty place without an instance. */
export async function emptyStage(kind: DatabaseKind, where?: string): Promise<Stage> {
  const folder = await newFolder(where)
  for (const name of ['out', 'source']) await mkdir(join(folder, name))
  return stageIn(folder, kind === 'postgres' ? await createDatabase() : undefined)
}

/** The stage of another that was copied to that folder, on SQLite. */
export function stageIn(folder: string, url: string | undefined): Stage {
  const data = join(folder, 'data')
  const words = ['--data', data, ...(url === undefined ? [] : ['--database', url])]
  const run = (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
    runCommand([...words, ...args], { environment, ...options })
  return {
    folder,
    data,
    out: join(folder, 'out'),
    source: join(folder, 'source'),
    url,
    run,
    async done(args, options) {
      const { exitCode, stdout, stderr } = await run(args, options)
      expect(exitCode, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
      return stdout
    },
    async copy(where) {
      const to = await newFolder(where)
      await cp(folder, to, { recursive: true, preserveTimestamps: true })
      return stageIn(to, url === undefined ? undefined : await createDatabase(databaseOf(url)))
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
      if (url !== undefined) await administer(`drop database if exists ${databaseOf(url)} with (force)`)
    },
  }
}

const databaseOf = (url: string): string => new URL(url).pathname.slice(1)

async function administer(statement: string): Promise<void> {
  const client = ownClient(inject('postgresUrl'))
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

async function createDatabase(template?: string): Promise<string> {
  const name = `strongroom_faults_${randomUUID().replaceAll('-', '')}`
  await administer(
    template === undefined
      ? `create database ${name} template template0 encoding 'UTF8'`
      : `create database ${name} template ${template}`,
  )
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  return url.href
}

/** What an instance holds, whatever ids its things have: a line for each user, node, version, page and file. */
export type Contents = readonly string[]

/**
 * Opens the instance, which clears up after a dead process, proves that all of it is as it should be, and says what it
 * holds. `undefined` where there is none yet.
 */
export async function contentsOf(stage: Stage): Promise<Contents | undefined> {
  const check = await stage.run(['--json', 'check'])
  if (check.exitCode === 6) {
    expect(JSON.parse(check.stdout)).toMatchObject({
      error: { code: expect.stringMatching(/^(?:data\.missing|schema\.missing|schema\.older)$/) },
    })
    return undefined
  }
  expect(check.exitCode, `check: ${check.stdout}`).toBe(0)
  expect(JSON.parse(check.stdout)).toMatchObject({ missing: 0, changed: 0, unreadable: 0, orphaned: 0, unfinished: 0 })
  const { users } = JSON.parse(await stage.done(['tree', '--json', '--text'])) as { users: readonly TreeUser[] }
  const lines = users.flatMap(({ nodes, id: _, ...user }) => [
    JSON.stringify(user),
    ...nodes.flatMap(({ versions, id: _, ...node }) => {
      const place = JSON.stringify([user.username, node.path])
      return [`${place} ${JSON.stringify(node)}`, ...versions.map((each) => `${place} ${withoutIds(each)}`)]
    }),
  ])
  const media = await listMedia({ dataDirectory: stage.data })
  const trash = await trashOf(stage)
  return [...lines, ...[...media.values()].toSorted(), ...trash, `schema ${await schemaOf(stage)}`]
}

interface TreeUser {
  readonly id: string
  readonly username: string
  readonly nodes: readonly {
    readonly id: string
    readonly path: readonly string[]
    readonly versions: readonly object[]
  }[]
}

const withoutIds = (value: object): string =>
  JSON.stringify(value, (key, each: unknown) => (key === 'id' ? undefined : each))

async function trashOf(stage: Stage): Promise<readonly string[]> {
  const { items } = JSON.parse(await stage.done(['trash', 'list', '--json'])) as { items: readonly object[] }
  return items.map((item) => `trash ${withoutIds(item)}`)
}

async function schemaOf({ data, url }: Stage): Promise<number> {
  await using database = await openDatabase({ dataDirectory: data, url })
  const version = await database.schemaVersion()
  expect(version).toBe(newestSchemaVersion)
  return version
}

/** Proves the archives and restore points that have their final names, and says what they are called. */
export async function archivesOf(stage: Stage): Promise<readonly string[]> {
  const found = await filesFor(stage, (name) => name.endsWith('.tar.gz'))
  for (const path of found) {
    const { exitCode, stdout } = await stage.run(['--json', 'verify', join(stage.folder, path)])
    expect([0, 3], `verify ${path}: ${stdout}`).toContain(exitCode)
  }
  return found
}

/** What lies where archives are written and where scratch files are, below the stage's folder. */
export async function filesFor({ folder }: Stage, isMeant: (name: string) => boolean): Promise<readonly string[]> {
  const found: string[] = []
  for (const place of ['out', 'data/restore-points', 'data/tmp', 'data']) {
    if (!existsSync(join(folder, place))) continue
    const recursive = place === 'out'
    for (const entry of await readdir(join(folder, place), { withFileTypes: true, recursive }))
      if (entry.isFile() && isMeant(entry.name)) found.push(relative(folder, join(entry.parentPath, entry.name)))
  }
  return found.toSorted()
}
