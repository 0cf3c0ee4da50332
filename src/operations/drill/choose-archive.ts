import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { StrongroomError } from '../../errors.ts'
import { onFile } from '../../std/files.ts'

const ownName = /^strongroom-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-(\d+))?\.tar\.gz(?:\.age)?$/
const anyName = /\.(?:tar|tar\.gz|tgz)(?:\.age)?$/

/** The moment in the name that a backup gives by default, as `2026-11-24T14:03:52`; undefined for another name. */
export function momentInName(path: string): string | undefined {
  const parts = ownName.exec(basename(path))
  if (parts === null) return undefined
  const [, year, month, day, hours, minutes, seconds] = parts
  return `${year}-${month}-${day}T${hours}:${minutes}:${seconds}`
}

/**
 * The newest archive of a folder: by the moments in the names that backups give; where no name has one, by the dates of the
 * files. Throws `drill.no_archive`, `file.…`.
 */
export async function newestArchive(folder: string): Promise<string> {
  const names = await onFile(folder, 'read', () => readdir(folder))
  const own = names.filter((name) => ownName.test(name)).toSorted((a, b) => compareNames(a, b))
  const newest = own.at(-1)
  if (newest !== undefined) return join(folder, newest)
  let found: { readonly path: string; readonly modified: number } | undefined
  for (const name of names.filter((each) => anyName.test(each) && !each.startsWith('.')).toSorted()) {
    const path = join(folder, name)
    const { mtimeMs: modified } = await onFile(path, 'read', () => stat(path))
    if (found === undefined || modified >= found.modified) found = { path, modified }
  }
  if (found === undefined) throw new StrongroomError('drill.no_archive', { folder })
  return found.path
}

/** By the moment, then by the number: `…-10` comes after `…-2`. */
function compareNames(left: string, right: string): number {
  const [a, b] = [momentInName(left) ?? '', momentInName(right) ?? '']
  if (a !== b) return a < b ? -1 : 1
  return Number(ownName.exec(left)?.[7] ?? 1) - Number(ownName.exec(right)?.[7] ?? 1)
}
