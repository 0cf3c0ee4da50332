import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { RestorePoint, RestorePointsReport } from '../contract/restore-points.ts'
import { createNotices } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { Database } from '../database/database.ts'
import { StrongroomError } from '../errors.ts'
import { noteInAudit } from '../services/audit.ts'
import type { Clock } from '../std/clock.ts'
import { makeFolders, onFile, syncFolder } from '../std/files.ts'
import { type BackupParts, writeBackup } from './backup.ts'
import { removeLeftOvers } from './backup/target.ts'
import { restorePointsFolder } from './data-directory.ts'

const pattern = /^strongroom-\d{8}T\d{6}Z(?:-\d+)?\.tar\.gz$/

/**
 * Writes down what an instance holds before it is replaced: an archive in the data directory that stays until somebody
 * removes it. The caller holds the exclusive lock. Gives its path. Throws `file.…`, `database.…`.
 */
export async function makeRestorePoint(
  parts: BackupParts & { readonly dataDirectory: string },
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<string> {
  const folder = restorePointsFolder(parts.dataDirectory)
  await onFile(folder, 'made', () => makeFolders(folder, 0o700))
  // Nobody else is at work, so what lies there unfinished is a dead process's.
  await removeLeftOvers(folder, parts.instanceId)
  const input = { location: folder, overwrite: false, verify: true, links: 'symbolic' } as const
  return (await writeBackup(parts, input, onProgress, signal)).archive
}

/** The restore points of an instance, the oldest first, and their removal. */
export function createRestorePoints({
  database,
  clock,
  dataDirectory,
}: {
  readonly database: Database
  readonly clock: Clock
  readonly dataDirectory: string
}) {
  const folder = restorePointsFolder(dataDirectory)

  async function list(): Promise<RestorePoint[]> {
    const names = await readdir(folder).catch(() => [])
    const found = names.filter((name) => pattern.test(name)).toSorted()
    return Promise.all(
      found.map(async (name) => {
        const path = join(folder, name)
        return { name, path, size: (await onFile(path, 'read', () => stat(path))).size }
      }),
    )
  }

  const report = (points: readonly RestorePoint[]): RestorePointsReport => {
    const nothing = createNotices().collected()
    return { operation: 'restore-points', points, warnings: nothing, leftOut: nothing }
  }

  return {
    list: async (): Promise<RestorePointsReport> => report(await list()),
    /** Removes those of these names. Throws `restore_point.not_found`, and then removes none. */
    async remove(names: readonly string[]): Promise<RestorePointsReport> {
      const points = await list()
      const chosen = names.map((name) => {
        const point = points.find((each) => each.name === name)
        if (point === undefined) throw new StrongroomError('restore_point.not_found', { name, folder })
        return point
      })
      for (const { name, path, size } of chosen) {
        await database.write(async (tx) => {
          const details = { size }
          await noteInAudit(tx, clock.now(), [
            { action: 'restore_point.removed', username: null, about: name, details },
          ])
          await onFile(path, 'removed', () => unlink(path))
        })
      }
      if (chosen.length > 0) await onFile(folder, 'written', () => syncFolder(folder))
      return report(chosen)
    },
  }
}
