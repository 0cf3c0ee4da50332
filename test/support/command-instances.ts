import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { fates } from '../../src/database/archived.ts'
import type { Db } from '../../src/database/database.ts'
import { openDatabase } from '../../src/database/open.ts'
import { runCommand } from './command-line.ts'
import type { CommandOptions, CommandResult } from './command-line.ts'
import type { TestDatabases } from './databases.ts'

/** An instance with a schema and nothing in it, used through its command line alone. */
export interface CommandInstance extends AsyncDisposable {
  readonly dataDirectory: string
  readonly url: string | undefined
  /** Runs a command on it. */
  run(args: readonly string[], options?: CommandOptions): Promise<CommandResult>
  /** Runs a command with --json that must end with exit code 0; gives its report. */
  report<T>(args: readonly string[], options?: CommandOptions): Promise<T>
}

export async function createCommandInstance(databases: TestDatabases): Promise<CommandInstance> {
  const place = await databases.place()
  const dataDirectory = join(place.dataDirectory, 'data')
  const base = ['--data', dataDirectory, ...(place.url === undefined ? [] : ['--database', place.url])]
  const run = (args: readonly string[], options?: CommandOptions): Promise<CommandResult> =>
    runCommand([...base, ...args], options)
  const instance: CommandInstance = {
    dataDirectory,
    url: place.url,
    run,
    async report<T>(args: readonly string[], options?: CommandOptions) {
      const { exitCode, stdout, stderr } = await run(['--json', ...args], options)
      expect(exitCode, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0)
      return JSON.parse(stdout) as T
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  }
  await instance.report(['migrate'])
  return instance
}

/** Gives an instance the id of another: an archive says of which it is, and is the same bytes apart from that. */
export const takeIdOf = (instance: CommandInstance, other: CommandInstance): Promise<void> =>
  copyFile(join(other.dataDirectory, 'strongroom.json'), join(instance.dataDirectory, 'strongroom.json'))

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>)
    hash.update(chunk)
  return hash.digest('hex')
}

/** Everything below a folder, links and special files too: relative path -> size and SHA-256, or what else it is. */
async function listFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  for (const path of paths.toSorted()) {
    const status = await lstat(path)
    const what = status.isFile() ? `${status.size} ${await sha256OfFile(path)}` : `special ${status.mode.toString(8)}`
    found.set(path.slice(folder.length + 1), what)
  }
  return found
}

/** The files of an instance's documents and pages. */
export const listMedia = ({
  dataDirectory,
}: Pick<CommandInstance, 'dataDirectory'>): Promise<ReadonlyMap<string, string>> =>
  listFiles(join(dataDirectory, 'media'))

export async function withDatabase<T>(instance: CommandInstance, work: (db: Db) => Promise<T>): Promise<T> {
  const { dataDirectory, url } = instance
  await using database = await openDatabase({ dataDirectory, url })
  return await work(database.db)
}

type Table = keyof typeof fates

/** Every row of every table, each with its archived columns alone, in an order of its own. */
export function archivedRows(instance: CommandInstance): Promise<Readonly<Record<string, readonly string[]>>> {
  return withDatabase(instance, async (db) => {
    const dumped: Record<string, readonly string[]> = {}
    for (const table of Object.keys(fates) as Table[]) {
      const columns = Object.entries(fates[table]).flatMap(([column, fate]) => (fate === 'archived' ? [column] : []))
      if (columns.length === 0) continue
      const rows = await db.selectFrom(table).selectAll().execute()
      dumped[table] = rows
        .map((row) => JSON.stringify(columns.map((column) => (row as unknown as Record<string, unknown>)[column])))
        .toSorted()
    }
    return dumped
  })
}
