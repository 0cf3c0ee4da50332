import { normalizeName, placeOf } from '../../archive/layout.ts'
import { DirectoryError } from '../../archive/directory.ts'
import type { OpenArchive } from '../../archive/open-archive.ts'
import type { TarEntry } from '../../archive/tar-reader.ts'
import type { Scratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'

/** A file of an archive that the plan names. */
export interface ArchivedFile {
  /** The files of the media store that it becomes; one at least. */
  readonly keys: readonly string[]
  readonly size: number
  /** What it had when the archive was read first. */
  readonly sha256: string
  /** To be read once, before the next file is asked for. */
  chunks(): AsyncIterable<Uint8Array>
}

/**
 * Reads again what was staged of an archive, and gives the files of plan_files with a key that is wanted, in the order in which they lie in it.
 * Each that was given is marked as written there. Throws `archive.changed`, `archive.truncated`, `archive.damaged`.
 */
export async function* archiveFiles(
  archive: OpenArchive,
  entries: AsyncIterable<TarEntry>,
  scratch: Scratch,
  isWanted: (key: string) => boolean,
  signal?: AbortSignal,
): AsyncGenerator<ArchivedFile, void, undefined> {
  scratch.exec('update plan_files set written = 0 where written = 1')
  for await (const entry of unchanged(entries, archive.name)) {
    signal?.throwIfAborted()
    const place = entry.type === 'file' ? placeOf(normalizeName(entry.name)) : undefined
    if (place?.kind !== 'content') continue
    const planned = scratch.all('select media_key from plan_files where path = ? and written = 0', place.path)
    const keys = planned.map((row) => String(row.media_key)).filter(isWanted)
    if (keys.length === 0) continue
    const sha256 = String(scratch.first('select sha256 from members where path = ?', place.path)?.sha256)
    yield { keys, size: entry.size, sha256, chunks: () => entry.content() }
    scratch.run('update plan_files set written = 1 where path = ?', place.path)
  }
  await archive.assertUnchanged()
}

/** What led to the members before leads there again, or the archive is another one. */
async function* unchanged(entries: AsyncIterable<TarEntry>, archive: string): AsyncGenerator<TarEntry> {
  try {
    yield* entries
  } catch (error) {
    if (error instanceof DirectoryError) throw new StrongroomError('archive.changed', { archive }, { cause: error })
    throw error
  }
}
