import { createHash } from 'node:crypto'
import type { OnProgress } from '../../contract/reports.ts'
import type { Scratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import { sideNumber, type ComparedContents } from './tables.ts'

/**
 * Notes the true hash of every file of a side. Those of an archive were taken while it was read; an instance's files are read
 * now, one after the other. What cannot be read is noted with the reason.
 */
export async function hashFiles(
  scratch: Scratch,
  { side, contents }: ComparedContents,
  isArchive: boolean,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const note = (key: string, size: number | null, sha256: string | null, reason: string | null): void =>
    scratch.run('insert into files values (?, ?, ?, ?, ?)', sideNumber[side], key, size, sha256, reason)
  if (isArchive) {
    const rows = contents.scratch.rows(
      'select f.media_key, m.size, m.sha256 from plan_files f join members m on m.path = f.path',
    )
    for (const { media_key, size, sha256 } of rows) note(String(media_key), Number(size), String(sha256), null)
    return
  }
  const total = Number(contents.scratch.first('select coalesce(sum(size), 0) as n from plan_files')?.n)
  let done = 0
  for await (const { keys, size, chunks } of contents.files(() => true, signal)) {
    const read = await hashOf(chunks(), signal)
    for (const key of keys) {
      if ('reason' in read) note(key, null, null, read.reason)
      else note(key, read.size, read.sha256, null)
    }
    done += size
    onProgress({ phase: 'hashing files', done, total, unit: 'bytes' })
  }
}

async function hashOf(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<{ readonly size: number; readonly sha256: string } | { readonly reason: string }> {
  const hash = createHash('sha256')
  let size = 0
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted()
      hash.update(chunk)
      size += chunk.length
    }
  } catch (error) {
    const isOfFile =
      error instanceof StrongroomError && (error.code === 'media.missing' || error.code.startsWith('file.'))
    if (!isOfFile) throw error
    return { reason: error.code === 'media.missing' ? 'it is not there' : error.message }
  }
  return { size, sha256: hash.digest('hex') }
}
