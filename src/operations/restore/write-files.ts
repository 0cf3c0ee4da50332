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
  const planned = Number(scratch.first('select count(*) as n from plan_files')?.n)
  if (planned === 0) return
  await database.write(async (tx) => {
    for (const rows of batchesOf(scratch.rows('select media_key from plan_files order by media_key'), 5000)) {
      await insertPendingFiles(
        tx,
        rows.map((row) => String(row.media_key)),
      )
    }
  })
  await using batch = media.begin()
  let written = 0
  try {
    await copyMembers(files, batch, () => (written += 1))
  } catch (error) {
    if (!salvage || !source.mayEnd(error)) throw error
  }
  await batch.sync()
  if (written < planned) throw source.changed()
}

async function copyMembers(files: FilesToWrite, batch: MediaBatch, onWritten: () => void): Promise<void> {
  const { media, source, scratch, total, onProgress, signal } = files
  let done = 0
  for await (const { keys, size, sha256, chunks } of source.files(scratch, () => true, signal)) {
    const [first, ...others] = keys
    await putProved(batch, source, first!, chunks(), sha256)
    onWritten()
    for (const key of others) {
      await batch.sync()
      await using stored = await media.open(first!)
      await putProved(batch, source, key, stored.chunks(), sha256)
      onWritten()
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
