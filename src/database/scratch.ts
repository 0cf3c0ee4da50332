import { randomUUID } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { StrongroomError } from '../errors.ts'
import { toFileError } from '../std/files.ts'
import { memoryFolder } from '../std/spool.ts'

export type ScratchRow = Record<string, string | number | null>

/**
 * A database that lives as long as its owner and holds what is too large for memory while it is being looked at. Its file
 * has no name, so that a dead process leaves nothing behind; nothing in it is synced.
 */
export interface Scratch extends Disposable {
  /** Runs statements that give no rows and take no parameters. */
  exec(sql: string): void
  run(sql: string, ...parameters: SQLInputValue[]): void
  /** The same, and gives how many rows it changed. */
  change(sql: string, ...parameters: SQLInputValue[]): number
  first(sql: string, ...parameters: SQLInputValue[]): ScratchRow | undefined
  /** All rows at once, where there are few. */
  all(sql: string, ...parameters: SQLInputValue[]): ScratchRow[]
  /** The rows one by one, in flat memory. What the rows come from must not be changed meanwhile. */
  rows(sql: string, ...parameters: SQLInputValue[]): IterableIterator<ScratchRow>
}

/** MiB that a scratch database in memory may grow to. */
const mostMemory = 1024
/** Four times SQLite's own: a record with the text of a page then fits where it stands, without pages of its own. */
const pageBytes = 16384

/**
 * Opens an empty scratch database in `folder`; or in memory, where it may grow to `mostMiB`. Throws `file.*`,
 * `scratch.memory_full`.
 */
export function openScratch(folder: string, mostMiB = mostMemory): Scratch {
  const inMemory = folder === memoryFolder
  const path = inMemory ? memoryFolder : join(folder, `scratch-${randomUUID()}`)
  const attempt = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw toScratchError(error, folder, mostMiB)
    }
  }
  const database = attempt(() => {
    const opened = new DatabaseSync(path)
    opened.exec(`
      pragma page_size = ${pageBytes}; pragma journal_mode = off; pragma synchronous = off; pragma locking_mode = exclusive; pragma cache_size = -8000;
      create table opened (id integer); drop table opened`)
    if (inMemory) {
      // What SQLite sorts would go to a temporary file.
      opened.exec(`pragma temp_store = memory; pragma max_page_count = ${(mostMiB * 1024 * 1024) / pageBytes}`)
    } else unlinkSync(path)
    return opened
  })
  const statements = new Map<string, StatementSync>()
  const idle = new Map<string, StatementSync[]>()
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    exec: (sql) => attempt(() => database.exec(sql)),
    run: (sql, ...parameters) => void attempt(() => prepare(sql).run(...parameters)),
    change: (sql, ...parameters) => attempt(() => Number(prepare(sql).run(...parameters).changes)),
    first: (sql, ...parameters) => attempt(() => prepare(sql).get(...parameters) as ScratchRow | undefined),
    all: (sql, ...parameters) => attempt(() => prepare(sql).all(...parameters) as ScratchRow[]),
    *rows(sql, ...parameters) {
      // Two readers of the same rows may be under way at once: a statement that is in use is no other reader's.
      const statement = idle.get(sql)?.pop() ?? attempt(() => database.prepare(sql))
      const rows = attempt(() => statement.iterate(...parameters))
      try {
        for (let row = attempt(() => rows.next()); row.done !== true; row = attempt(() => rows.next()))
          yield row.value as ScratchRow
      } finally {
        rows.return?.()
        const kept = idle.get(sql)
        if (kept === undefined) idle.set(sql, [statement])
        else kept.push(statement)
      }
    },
    [Symbol.dispose]: () => database.close(),
  }
}

/** SQLITE_CONSTRAINT */
const constraintBroken = 19

/** SQLite tells of a full or broken disk by numbers of its own. */
function toScratchError(error: unknown, folder: string, mostMiB: number): unknown {
  const number = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
  // Broken by the program, not by the disk.
  if (number === constraintBroken) return error
  const code =
    number === undefined
      ? undefined
      : new Map([
          [13, 'ENOSPC'],
          [10, 'EIO'],
          [14, 'EACCES'],
          [8, 'EROFS'],
        ]).get(number)
  if (code === 'ENOSPC' && folder === memoryFolder)
    return new StrongroomError('scratch.memory_full', { limit: mostMiB }, { cause: error })
  if (code === undefined) return toFileError(error, folder, 'written')
  return toFileError(Object.assign(new Error(String(error)), { code }), folder, 'written')
}
