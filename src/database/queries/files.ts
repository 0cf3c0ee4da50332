import type { Db, Tx } from '../database.ts'
import { inPieces } from '../insert-many.ts'

type Journal = 'pending_files' | 'discarded_files'

/**
 * Lists files that are about to take their final names, so that they are found and removed if the process dies before
 * the transaction that refers to them. A key that is listed already is no error.
 */
export const insertPendingFiles = (tx: Tx, keys: readonly string[]): Promise<void> => list(tx, 'pending_files', keys)

/** Takes files off the list, in the transaction that refers to them, or after they were removed. */
export const clearPendingFiles = (tx: Tx, keys: readonly string[]): Promise<void> => clear(tx, 'pending_files', keys)

/** Takes all files off the list: for the owner of the exclusive lock, in the transaction that refers to them. */
export async function clearAllPendingFiles(tx: Tx): Promise<void> {
  await tx.deleteFrom('pending_files').execute()
}

/** Keys after `after` (an empty text for the first), at most `limit`, byte by byte. */
export const listPendingFiles = (db: Db, after: string, limit: number): Promise<string[]> =>
  read(db, 'pending_files', after, limit)

/** Lists files that no row refers to any more. A key that is listed already is no error. */
export const discardFiles = (tx: Tx, keys: readonly string[]): Promise<void> => list(tx, 'discarded_files', keys)

export const clearDiscardedFiles = (tx: Tx, keys: readonly string[]): Promise<void> =>
  clear(tx, 'discarded_files', keys)

/** Keys after `after` (an empty text for the first), at most `limit`, byte by byte. */
export const listDiscardedFiles = (db: Db, after: string, limit: number): Promise<string[]> =>
  read(db, 'discarded_files', after, limit)

/** Whether a file waits to be taken up or removed. */
export async function hasUnfinishedFiles(db: Db): Promise<boolean> {
  for (const journal of ['pending_files', 'discarded_files'] as const) {
    if ((await read(db, journal, '', 1)).length > 0) return true
  }
  return false
}

/** Which of these keys a version or a sidecar refers to. */
export async function keysInUse(db: Db, keys: readonly string[]): Promise<Set<string>> {
  const used = new Set<string>()
  for (const piece of inPieces(keys)) {
    const versions = await db.selectFrom('versions').select('media_key').where('media_key', 'in', piece).execute()
    const sidecars = await db.selectFrom('sidecars').select('media_key').where('media_key', 'in', piece).execute()
    for (const { media_key: key } of [...versions, ...sidecars]) if (key !== null) used.add(key)
  }
  return used
}

/** Which of these keys are listed as about to be taken up or removed. */
export async function unfinishedAmong(db: Db, keys: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>()
  for (const journal of ['pending_files', 'discarded_files'] as const) {
    for (const piece of inPieces(keys)) {
      const rows = await db.selectFrom(journal).select('media_key').where('media_key', 'in', piece).execute()
      for (const { media_key: key } of rows) found.add(key)
    }
  }
  return found
}

async function list(tx: Tx, journal: Journal, keys: readonly string[]): Promise<void> {
  for (const piece of inPieces(keys)) {
    await tx
      .insertInto(journal)
      .values(piece.map((key) => ({ media_key: key })))
      .onConflict((conflict) => conflict.column('media_key').doNothing())
      .execute()
  }
}

async function clear(tx: Tx, journal: Journal, keys: readonly string[]): Promise<void> {
  for (const piece of inPieces(keys)) await tx.deleteFrom(journal).where('media_key', 'in', piece).execute()
}

async function read(db: Db, journal: Journal, after: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom(journal)
    .select('media_key')
    .where('media_key', '>', after)
    .orderBy('media_key')
    .limit(limit)
    .execute()
  return rows.map(({ media_key: key }) => key)
}
