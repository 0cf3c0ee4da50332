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
 * Reads again what was staged of an archive, and gives the files of plan_files with a key that is wanted, in the order in
 * which they lie in it. Throws `archive.changed`, `archive.truncated`, `archive.damaged`.
 */
export async function* archiveFiles(
  archive: OpenArchive,
  entries: AsyncIterable<TarEntry>,
  scratch: Scratch,
  isWanted: (key: string) => boolean,
  signal?: AbortSignal,
): AsyncGenerator<ArchivedFile, void, undefined> {
  const planned = filesInOrder(scratch)
  let next = planned.next().value
  for await (const entry of unchanged(entries, archive.name)) {
    signal?.throwIfAborted()
    const place = entry.type === 'file' ? placeOf(normalizeName(entry.name)) : undefined
    if (place?.kind !== 'content') continue
    if (next === undefined || place.path !== next.path) continue
    const { sha256 } = next
    const keys = next.keys.filter(isWanted)
    next = planned.next().value
    if (keys.length > 0) yield { keys, size: entry.size, sha256, chunks: () => entry.content() }
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

interface PlannedMember {
  readonly path: string
  readonly sha256: string
  readonly keys: string[]
}

const membersAtOnce = 500

/** The members that are planned, in the order of the archive. */
function* filesInOrder(scratch: Scratch): Generator<PlannedMember, undefined, undefined> {
  const last = Number(scratch.first('select max(seq) as n from members')?.n ?? 0)
  const query = `select m.path, m.sha256, f.media_key from members m join plan_files f on f.path = m.path
    where m.seq > ? and m.seq <= ? order by m.seq`
  for (let seq = 0; seq < last; seq += membersAtOnce) {
    const found = new Map<string, PlannedMember>()
    for (const { path, sha256, media_key } of scratch.all(query, seq, seq + membersAtOnce)) {
      const member = found.get(String(path)) ?? { path: String(path), sha256: String(sha256), keys: [] }
      member.keys.push(String(media_key))
      found.set(member.path, member)
    }
    yield* found.values()
  }
  return undefined
}
