import { normalizeName, placeOf } from '../archive/layout.ts'
import { openArchive, type OpenArchive } from '../archive/open-archive.ts'
import { readTar } from '../archive/tar-reader.ts'
import { createNotices } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { RestoreReport } from '../contract/restore-report.ts'
import type { Database } from '../database/database.ts'
import { countAll } from '../database/queries/counts.ts'
import { insertPendingFiles } from '../database/queries/files.ts'
import { openScratch, type Scratch } from '../database/scratch.ts'
import { StrongroomError } from '../errors.ts'
import type { MediaBatch, MediaStore } from '../media/media-store.ts'
import { batchesOf } from '../std/batches.ts'
import type { Ids } from '../std/ids.ts'
import { createRecover } from './recover.ts'
import { adoptUsers, knownUserIds } from './restore/adopt-users.ts'
import { avoidFiles } from './restore/avoid-files.ts'
import { insertPlan } from './restore/insert-plan.ts'
import { planRestore, type Plan } from './staging/plan.ts'
import { stageArchive, strictFindings, type StagedArchive } from './staging/stage.ts'
import { originOf } from './staging/writer-of.ts'

export interface RestoreParts {
  readonly database: Database
  readonly media: MediaStore
  readonly ids: Ids
  /** A folder for what is too large for memory meanwhile. */
  readonly scratchDirectory: string
}

export interface RestoreInput {
  /** A path, or a stream that carries the archive. */
  readonly archive: string | AsyncIterable<Uint8Array>
}

/**
 * Brings an archive back into an instance without documents, tags and folders of its own; the caller holds the exclusive
 * lock. The archive is read through and related as a whole before anything changes; then the files take names that no row
 * refers to, and one transaction makes everything visible. Whatever fails, the instance is as it was. Throws `archive.…`,
 * `restore.…`, `file.…`, `database.…`.
 */
export function createRestore({ database, media, ids, scratchDirectory }: RestoreParts) {
  return async function restore(
    input: RestoreInput,
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<RestoreReport> {
    await assertEmpty(database)
    await using archive = await openArchive(input.archive, scratchDirectory)
    using scratch = openScratch(scratchDirectory)
    const warnings = createNotices()
    const findings = strictFindings(warnings.add)
    const staged = await stageArchive(archive, scratch, scratchDirectory, findings, onProgress, signal)
    const plan = planRestore(staged, findings, await knownUserIds(database.db))
    await assertSpace(media, archive.name, plan, staged)
    await avoidFiles({ media, ids }, scratch, warnings.add)
    try {
      await writeFiles({ database, media }, archive, scratch, plan, onProgress, signal)
      signal?.throwIfAborted()
      const adopted = await database.write(async (tx) => {
        const users = await adoptUsers(tx, scratch, warnings.add)
        await insertPlan(tx, scratch, onProgress)
        return users
      })
      return {
        operation: 'restore',
        archive: archive.name,
        ...originOf(staged),
        ...plan,
        adopted,
        proved: staged.survey.proved,
        warnings: warnings.collected(),
        leftOut: createNotices().collected(),
      }
    } catch (error) {
      // What is left if this fails too is cleared up at the next start.
      await createRecover({ database, media })().catch(() => undefined)
      throw error
    }
  }
}

async function assertEmpty(database: Database): Promise<void> {
  const { documents, tags, folders } = await countAll(database.db)
  const found = [
    ...(documents > 0 ? [`${documents} documents`] : []),
    ...(folders > 0 ? [`${folders} folders`] : []),
    ...(tags > 0 ? [`${tags} tags`] : []),
  ]
  if (found.length > 0) throw new StrongroomError('restore.instance_not_empty', { what: found.join(', ') })
}

/** Rows and their indexes take about as much as the text they come from, and the journal of the database as much again. */
async function assertSpace(media: MediaStore, archive: string, plan: Plan, { survey }: StagedArchive): Promise<void> {
  const needed = plan.bytes + 2 * survey.metadataBytes
  const free = await media.freeBytes()
  if (needed > free)
    throw new StrongroomError('file.too_little_space', { path: `The restore of ${archive}`, needed, free })
}

async function writeFiles(
  { database, media }: Pick<RestoreParts, 'database' | 'media'>,
  archive: OpenArchive,
  scratch: Scratch,
  plan: Plan,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<void> {
  if (scratch.first('select 1 as n from plan_files limit 1') === undefined) return
  await database.write(async (tx) => {
    for (const rows of batchesOf(scratch.rows('select media_key from plan_files'), 5000)) {
      await insertPendingFiles(
        tx,
        rows.map((row) => String(row.media_key)),
      )
    }
  })
  const batch = media.begin()
  let done = 0
  for await (const entry of readTar(
    archive.tar(() => undefined),
    archive.name,
    () => undefined,
  )) {
    signal?.throwIfAborted()
    const place = entry.type === 'file' ? placeOf(normalizeName(entry.name)) : undefined
    if (place?.kind !== 'content') continue
    const keys = scratch.all('select media_key from plan_files where path = ? and written = 0', place.path)
    const [first, ...others] = keys.map((row) => String(row.media_key))
    if (first === undefined) continue
    const expected = String(scratch.first('select sha256 from members where path = ?', place.path)?.sha256)
    await putProved(batch, archive, first, entry.content(), expected)
    for (const key of others) {
      await batch.sync()
      await using stored = await media.open(first)
      await putProved(batch, archive, key, stored.chunks(), expected)
    }
    scratch.run('update plan_files set written = 1 where path = ?', place.path)
    done += entry.size
    onProgress({ phase: 'writing files', done, total: plan.bytes, unit: 'bytes' })
  }
  await archive.assertUnchanged()
  await batch.sync()
  if (scratch.first('select 1 as n from plan_files where written = 0') !== undefined) {
    throw new StrongroomError('archive.changed', { archive: archive.name })
  }
}

/** Writes a file whose hash is known from the first reading. */
async function putProved(
  batch: MediaBatch,
  archive: OpenArchive,
  key: string,
  bytes: AsyncIterable<Uint8Array>,
  expected: string,
): Promise<void> {
  const stored = await batch.put(key, bytes)
  if (stored.sha256 !== expected) throw new StrongroomError('archive.changed', { archive: archive.name })
}
