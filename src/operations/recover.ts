import type { RecoverReport } from '../contract/recover-report.ts'
import type { Database, Db, Tx } from '../database/database.ts'
import {
  clearDiscardedFiles,
  clearPendingFiles,
  keysInUse,
  listDiscardedFiles,
  listPendingFiles,
} from '../database/queries/files.ts'
import type { MediaStore } from '../media/media-store.ts'

const keysAtOnce = 500

/**
 * Removes the files that a dead process left without a row, and those that no row names any more. The caller holds the
 * exclusive lock, so nobody reads or writes them. Ended in the middle, it can be run again.
 */
export const createRecover =
  ({ database, media }: { database: Database; media: MediaStore }) =>
  async (): Promise<RecoverReport> => {
    async function clearUp(
      list: (db: Db, after: string, limit: number) => Promise<string[]>,
      clear: (tx: Tx, keys: readonly string[]) => Promise<void>,
    ): Promise<number> {
      let removed = 0
      for (;;) {
        const keys = await list(database.db, '', keysAtOnce)
        if (keys.length === 0) return removed
        const used = await keysInUse(database.db, keys)
        const unused = keys.filter((key) => !used.has(key))
        await media.removeAll(unused)
        await database.write((tx) => clear(tx, keys))
        removed += unused.length
      }
    }
    return {
      unfinished: await clearUp(listPendingFiles, clearPendingFiles),
      discarded: await clearUp(listDiscardedFiles, clearDiscardedFiles),
    }
  }
