import { lstat, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDirectory } from '../../database/sqlite-lock.ts'
import { StrongroomError } from '../../errors.ts'
import { onFile } from '../../std/files.ts'

/** A folder of a drill; disposing removes it with all that is in it. */
export interface ScratchPlace extends AsyncDisposable {
  readonly path: string
}

const pattern = /^strongroom-drill-(new-)?[A-Za-z0-9]{6}$/
const hour = 60 * 60 * 1000

/**
 * Makes a folder for its owner alone below `temporary`. A lock in it that the kernel frees shows that its owner lives;
 * folders of dead ones are removed first. Throws `file.…`.
 */
export async function openScratchPlace(temporary: string): Promise<ScratchPlace> {
  await removeDead(temporary)
  const made = await onFile(temporary, 'written', () => mkdtemp(join(temporary, 'strongroom-drill-new-')))
  const path = made.replace(/-new-([^-]*)$/, '-$1')
  try {
    const lock = await lockDirectory(made, 'exclusive', 0)
    // It gets the name that others look for when they can see that it is in use.
    await onFile(path, 'made', () => rename(made, path))
    return {
      path,
      async [Symbol.asyncDispose]() {
        await onFile(path, 'removed', () => rm(path, { recursive: true, force: true }))
        await lock?.[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await rm(made, { recursive: true, force: true }).catch(() => undefined)
    throw error
  }
}

async function removeDead(temporary: string): Promise<void> {
  for (const name of await onFile(temporary, 'read', () => readdir(temporary))) {
    const isNew = pattern.exec(name)?.[1] !== undefined
    if (!pattern.test(name)) continue
    const path = join(temporary, name)
    const status = await lstat(path).catch(() => undefined)
    // The folder for temporary files belongs to all: what is another user's, or a link, is none of ours.
    if (status?.isDirectory() !== true || status.uid !== process.getuid?.()) continue
    if (isNew && Date.now() - status.mtimeMs < hour) continue
    try {
      await using lock = await lockDirectory(path, 'exclusive', 0)
      if (lock !== undefined) await rm(path, { recursive: true, force: true })
    } catch (error) {
      // Another drill may be removing it at the same time.
      if (!(error instanceof StrongroomError)) throw error
    }
  }
}
