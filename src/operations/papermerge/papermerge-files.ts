import type { Scratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import type { MediaStore } from '../../media/media-store.ts'
import type { ArchivedFile } from '../staging/archive-files.ts'

const pathsAtOnce = 500

/**
 * Reads the files of plan_files with a key that is wanted from a media folder of Papermerge, in the order of their paths.
 * Throws `changed()` where one is no longer there.
 */
export async function* papermergeFiles(
  media: Pick<MediaStore, 'open'>,
  scratch: Scratch,
  isWanted: (key: string) => boolean,
  changed: () => StrongroomError,
  signal?: AbortSignal,
): AsyncGenerator<ArchivedFile, void, undefined> {
  const query = `select distinct f.path, m.sha256 from plan_files f join members m on m.path = f.path
    where f.path > ? order by f.path limit ${pathsAtOnce}`
  for (let last = ''; ;) {
    const paths = scratch.all(query, last)
    if (paths.length === 0) return
    for (const row of paths) {
      signal?.throwIfAborted()
      const path = String(row.path)
      const planned = scratch.all('select media_key from plan_files where path = ?', path)
      const keys = planned.map(({ media_key }) => String(media_key)).filter(isWanted)
      if (keys.length === 0) continue
      await using file = await media.open(path).catch((error: unknown) => {
        throw error instanceof StrongroomError && error.code === 'media.missing' ? changed() : error
      })
      yield { keys, size: file.size, sha256: String(row.sha256), chunks: () => file.chunks() }
    }
    last = String(paths.at(-1)!.path)
  }
}
