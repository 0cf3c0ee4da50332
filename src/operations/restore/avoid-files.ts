import type { Db } from '../../database/database.ts'
import { keysInUse } from '../../database/queries/files.ts'
import type { Scratch } from '../../database/scratch.ts'
import { siblingKey } from '../../media/keys.ts'
import type { MediaStore } from '../../media/media-store.ts'
import type { Ids } from '../../std/ids.ts'

/**
 * Gives a planned file another key beside its own where something lies in its place already. That may be all that is left
 * of an older instance, and a restore that fails removes whatever it meant to write.
 */
export async function avoidFiles(
  { db, media, ids }: { readonly db: Db; readonly media: MediaStore; readonly ids: Ids },
  scratch: Scratch,
  warn: (code: string, about: string, message: string) => void,
): Promise<void> {
  for await (const { key } of media.list()) {
    if (scratch.first('select 1 as n from plan_files where media_key = ?', key) === undefined) continue
    const free = siblingKey(key, ids.next())
    for (const table of ['plan_versions', 'plan_sidecars'])
      scratch.exec(`create index if not exists ${table}_key on ${table} (media_key)`)
    for (const table of ['plan_files', 'plan_versions', 'plan_sidecars']) {
      scratch.run(`update ${table} set media_key = ? where media_key = ?`, free, key)
    }
    if ((await keysInUse(db, [key])).size > 0) continue
    warn(
      'media.place_taken',
      key,
      'A file that no document names lies there already; it stays, and the restored one lies beside it.',
    )
  }
}
