import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import { StrongroomError } from '../errors.ts'
import { onFile, systemCode } from '../std/files.ts'
import type { InstanceLock } from './database.ts'
import { toSqliteError } from './driver-errors.ts'
import { isBusy } from './sqlite-dialect.ts'

const pollMilliseconds = 50

/**
 * Locks a data directory by an empty SQLite database in it, `locks/instance.lock`, that is never written: a read
 * transaction is the shared lock, an exclusive one the exclusive lock. The kernel frees both when their owner dies. The
 * file is never removed, for two processes could then hold the lock of two files of that name.
 */
export async function lockDirectory(
  dataDirectory: string,
  mode: 'shared' | 'exclusive',
  waitSeconds: number,
): Promise<InstanceLock | undefined> {
  const folder = join(dataDirectory, 'locks')
  const path = join(folder, 'instance.lock')
  await onFile(folder, 'written', () => mkdir(folder, { recursive: true, mode: 0o700 }))
  await onFile(path, 'written', () => createOnce(path))
  const deadline = performance.now() + waitSeconds * 1000
  for (;;) {
    const lock = tryLock(path, mode)
    if (lock !== undefined) return lock
    if (performance.now() >= deadline) return undefined
    await pause(pollMilliseconds)
  }
}

// Never opened where it exists: closing any handle of a file ends all locks that this process holds on it.
async function createOnce(path: string): Promise<void> {
  try {
    await (await open(path, 'wx', 0o600)).close()
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

function tryLock(path: string, mode: 'shared' | 'exclusive'): InstanceLock | undefined {
  const translate = (error: unknown): unknown => toSqliteError(error, { database: path, seconds: 0 })
  let connection: DatabaseSync | undefined
  try {
    connection = new DatabaseSync(path, { timeout: 0 })
    connection.exec(mode === 'exclusive' ? 'begin exclusive' : 'begin; select count(*) from sqlite_schema')
  } catch (error) {
    connection?.close()
    if (isBusy(error)) return undefined
    throw translate(error)
  }
  const held = connection
  return {
    assertHeld: async () => {
      if (held.isOpen && held.isTransaction) return
      throw new StrongroomError('database.unreachable', { database: path, reason: 'its lock is held no more' })
    },
    [Symbol.asyncDispose]: async () => {
      if (held.isOpen) held.close()
    },
  }
}
