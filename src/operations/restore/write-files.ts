import type { OnProgress } from '../../contract/reports.ts'
import type { Database } from '../../database/database.ts'
import { insertPendingFiles } from '../../database/queries/files.ts'
import type { Scratch } from '../../database/scratch.ts'
import type { MediaBatch, MediaStore } from '../../media/media-store.ts'
import { batchesOf } from '../../std/batches.ts'
import type { Source } from './source.ts'

export interface FilesToWrite {
  readonly database: Database
  readonly media: MediaStore
  readonly source: Source
  /** Where they were planned, in plan_files. */
  readonly scratch: Scratch
  /** Their bytes. */
  readonly total: number
  /** Whether the source may break off, as it did when it was read first. */
  readonly salvage: boolean
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}

/**
 * Reads the source a second time and writes the planned files under names that no row refers to yet. When it resolves, they
 * would survive a loss of power. Throws `archive.changed`, `papermerge.changed`, `file.…`, `database.…`.
 */
export async function writeFiles(files: FilesToWrite): Promise<void> {
  const { database, media, source, scratch, salvage } = files
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
  try {
    await copyMembers(files, batch)
  } catch (error) {
    if (!salvage || !source.mayEnd(error)) throw error
  }
  await batch.sync()
  if (scratch.first('select 1 as n from plan_files where written = 0') !== undefined) throw source.changed()
}

async function copyMembers(files: FilesToWrite, batch: MediaBatch): Promise<void> {
  const { media, source, scratch, total, onProgress, signal } = files
  let done = 0
  for await (const { keys, size, sha256, chunks } of source.files(scratch, () => true, signal)) {
    const [first, ...others] = keys
    await putProved(batch, source, first!, chunks(), sha256)
    for (const key of others) {
      await batch.sync()
      await using stored = await media.open(first!)
      await putProved(batch, source, key, stored.chunks(), sha256)
    }
    done += size
    onProgress({ phase: 'writing files', done, total, unit: 'bytes' })
  }
}

/** Writes a file whose hash is known from the first reading. */
async function putProved(
  batch: MediaBatch,
  source: Source,
  key: string,
  bytes: AsyncIterable<Uint8Array>,
  expected: string,
): Promise<void> {
  const stored = await batch.put(key, bytes)
  if (stored.sha256 !== expected) throw source.changed()
}
