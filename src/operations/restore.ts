import type { OnProgress } from '../contract/reports.ts'
import type { RestorePlan } from '../contract/restore-plan.ts'
import type { RestoreReport } from '../contract/restore-report.ts'
import type { Database } from '../database/database.ts'
import { openScratch } from '../database/scratch.ts'
import { StrongroomError } from '../errors.ts'
import type { MediaStore } from '../media/media-store.ts'
import type { Clock } from '../std/clock.ts'
import type { Ids } from '../std/ids.ts'
import { changeLive } from './merge/carry-out.ts'
import { createRecover } from './recover.ts'
import { adoptUsers } from './restore/adopt-users.ts'
import { avoidFiles } from './restore/avoid-files.ts'
import { emptyInstance } from './restore/empty-instance.ts'
import { insertPlan } from './restore/insert-plan.ts'
import { noteRestore } from './restore/note-restore.ts'
import { openSource } from './restore/open-source.ts'
import { prepareRestore, type RestoreInput } from './restore/prepare.ts'
import { writeFiles } from './restore/write-files.ts'
import { originOf } from './staging/writer-of.ts'

export interface RestoreParts {
  readonly database: Database
  readonly media: MediaStore
  readonly clock: Clock
  readonly ids: Ids
  /** A folder for what is too large for memory meanwhile. */
  readonly scratchDirectory: string
  /** Throws where the exclusive lock of the caller is gone. */
  readonly assertLocked: () => Promise<void>
  /** Writes down what the instance holds before it is replaced, and gives the path. */
  readonly makeRestorePoint: (onProgress: OnProgress, signal?: AbortSignal) => Promise<string>
}

/**
 * Brings an archive back; the caller holds the exclusive lock. The archive is read through and related as a whole, and held
 * against the instance, before anything changes; then the files take names that no row refers to, and one transaction makes
 * everything visible. Whatever fails, the instance is as it was. Throws `archive.…`, `restore.…`, `file.…`, `database.…`.
 */
export function createRestore(parts: RestoreParts) {
  const { database, media, clock, ids, scratchDirectory } = parts
  return async function restore(
    input: RestoreInput & { readonly restorePoint?: boolean },
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<RestoreReport> {
    const { replace = false, keepGoing = false, planDigest } = input
    await using source = await openSource(input.archive, scratchDirectory, input.keys)
    using scratch = openScratch(scratchDirectory)
    const preparation = { ...input, identified: planDigest !== undefined, onProgress }
    const prepared = await prepareRestore(database.db, source, scratch, preparation, signal)
    const { staged, contents, plan, bytes, bytesNeeded, warnings, leftOut } = prepared
    assertPlan(source.name, plan, planDigest)
    await assertSpace(media, source.name, bytesNeeded)
    const restorePoint =
      replace && input.restorePoint !== false ? await parts.makeRestorePoint(onProgress, signal) : null
    await avoidFiles({ db: database.db, media, ids }, scratch, warnings.add)
    try {
      const files = { database, media, source, scratch, total: bytes, salvage: keepGoing, onProgress, signal }
      await parts.assertLocked()
      await writeFiles(files)
      signal?.throwIfAborted()
      const adopted = await database.write(async (tx) => {
        await parts.assertLocked()
        if (replace) await emptyInstance(tx)
        const users = await adoptUsers(tx, scratch, warnings.add)
        await changeLive({ tx, scratch, ids, now: clock.now() })
        await insertPlan(tx, scratch, onProgress)
        await noteRestore(tx, clock.now(), source.name, prepared, input, restorePoint)
        await parts.assertLocked()
        return users
      })
      return {
        operation: source.operation,
        archive: source.name,
        ...originOf(staged),
        ...contents,
        bytes,
        adopted,
        plan,
        restorePoint,
        proved: staged.survey.proved,
        warnings: warnings.collected(),
        leftOut: leftOut.collected(),
      }
    } catch (error) {
      // What is left if this fails too is cleared up at the next start. Without the lock, what lies about may be another's.
      await parts
        .assertLocked()
        .then(createRecover({ database, media }))
        .catch(() => undefined)
      throw error
    }
  }
}

/** How many an error names; --dry-run has them all. */
const namedConflicts = 3

function assertPlan(archive: string, { conflicts, digest, items }: RestorePlan, expected: string | undefined): void {
  if (expected !== undefined && digest !== expected) throw new StrongroomError('restore.plan_outdated', { archive })
  if (conflicts === 0) return
  const named = items.filter((item) => item.action === 'conflict').slice(0, namedConflicts)
  const examples = named.map(({ kind, name, username, reason }) => `${kind} ${name} of ${username} (${reason})`)
  const more = conflicts > named.length ? `, and ${conflicts - named.length} more` : ''
  throw new StrongroomError('restore.conflicts', { archive, conflicts, examples: examples.join(', ') + more })
}

async function assertSpace(media: MediaStore, archive: string, needed: number): Promise<void> {
  const free = await media.freeBytes()
  if (needed > free) {
    throw new StrongroomError('file.too_little_space', { path: `The restore of ${archive}`, needed, free })
  }
}
