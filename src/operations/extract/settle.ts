import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import { onFile, systemCode } from '../../std/files.ts'
import { outputPath } from './copy-files.ts'
import type { FolderTarget } from './folder-target.ts'

export interface Settled {
  /** Files that are there already with the same bytes. */
  readonly unchanged: number
  /** Files that will take the place of others. */
  readonly replaced: number
}

/**
 * Looks at what stands where files are to be, before the first byte is written; what is there already is marked so. `expected`
 * gives the size and hash of a file that is made up here. Throws `file.exists` where a file would be replaced and may not be,
 * and `extract.in_the_way`.
 */
export async function settle(
  scratch: Scratch,
  target: FolderTarget,
  { root, overwrite }: { readonly root: string; readonly overwrite: boolean },
  expected: (row: ScratchRow) => Promise<{ readonly size: number; readonly sha256: string }>,
  signal: AbortSignal | undefined,
): Promise<Settled> {
  let [unchanged, replaced, conflicts] = [0, 0, 0]
  let example = ''
  scratch.exec('create table output_there (n integer primary key)')
  for (const row of scratch.rows("select * from output_files where state = 'wanted' order by n")) {
    signal?.throwIfAborted()
    const path = outputPath(row)
    if (row.kind === 'folder') {
      await target.lookForFolder(path)
      continue
    }
    if (row.kind === 'file' && row.media_key === null) continue
    const { size, sha256 } =
      row.kind === 'file' ? { size: Number(row.size), sha256: String(row.sha256) } : await expected(row)
    const there = await target.look(path, size, sha256)
    if (there === 'same') {
      unchanged += 1
      scratch.run('insert into output_there values (?)', row.n!)
    } else if (there === 'other') {
      replaced += 1
      conflicts += overwrite ? 0 : 1
      if (example === '') example = [root, ...path].join('/')
    }
  }
  if (conflicts > 0) throw new StrongroomError('file.exists', { path: example, conflicts })
  scratch.exec("update output_files set state = 'there' where n in (select n from output_there)")
  return { unchanged, replaced }
}

/** Throws `file.too_little_space` where the files that are still wanted cannot fit. */
export async function assertRoom(scratch: Scratch, root: string): Promise<void> {
  const sum = "select coalesce(sum(size), 0) as n from output_files where state = 'wanted' and media_key is not null"
  const needed = Number(scratch.first(sum)?.n)
  const { bavail, bsize } = await onFile(root, 'read', async () => statfs(await nearestThere(root)))
  const free = bavail * bsize
  if (needed > free)
    throw new StrongroomError('file.too_little_space', { path: `What is to be in ${root}`, needed, free })
}

/** True for a folder, false for nothing. Throws `file.…` for all else. */
export async function isThere(path: string): Promise<boolean> {
  const found = await onFile(path, 'read', () =>
    stat(path).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    }),
  )
  if (found !== undefined && !found.isDirectory()) {
    throw new StrongroomError('extract.in_the_way', { path, what: 'no folder' })
  }
  return found !== undefined
}

const nearestThere = async (path: string): Promise<string> =>
  (await isThere(path)) || dirname(path) === path ? path : nearestThere(dirname(path))
