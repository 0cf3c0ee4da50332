import { constants, existsSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { closeQuietly, systemCode } from '../std/files.ts'
import type { SyncQueue } from './sync-queue.ts'

interface OpenFolder {
  readonly descriptor: number
  readonly path: string
  changed: boolean
}

/** The folders below a root that files are being written to. Each is reached without following a link. */
export interface NewFolders {
  /**
   * Runs `work`, which makes an entry, with the path of that entry. Folders that are not there are made, for their owner
   * only (0700). Throws what the system says: ENOTDIR where a link or a file stands in the place of a folder.
   */
  within<T>(names: readonly string[], entry: string, work: (path: string) => T): T
  /** Gives all that is open to the queue, which makes it durable. */
  release(): void
}

/** How many are open: those of the document at hand, and those above it. */
const keptOpen = 16
const attempts = 5

const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY
const anchored = existsSync('/proc/self/fd')

/**
 * A folder stays open while files are put into it, and is made durable once, when it gives way to others or all are released:
 * a document's folders after its files, those above them at the end. The calls are made without Node's threads, for which
 * they are too short.
 */
export function createNewFolders(root: string, queue: SyncQueue): NewFolders {
  const open = new Map<string, OpenFolder>()

  function letGo(key: string, { descriptor, path, changed }: OpenFolder): void {
    open.delete(key)
    if (changed) queue.add({ descriptor, path, kind: 'folder' })
    else closeQuietly(descriptor)
  }

  function release(): void {
    for (const [key, folder] of open) letGo(key, folder)
  }

  // With the folder's own descriptor in the path, a link swapped in for one of its parents leads nowhere.
  const entryOf = ({ descriptor, path }: OpenFolder, name: string): string =>
    join(anchored ? `/proc/self/fd/${descriptor}` : path, name)

  function reach(names: readonly string[]): OpenFolder {
    const key = names.join('/')
    const known = open.get(key)
    const folder = known ?? openFolder(names)
    // The least recently used gives way first: a Map keeps its keys in the order in which they were set.
    if (known !== undefined) open.delete(key)
    open.set(key, folder)
    return folder
  }

  function openFolder(names: readonly string[]): OpenFolder {
    if (names.length === 0) return { descriptor: openSync(root, folderFlags), path: root, changed: false }
    const parent = reach(names.slice(0, -1))
    const name = names.at(-1)!
    const entry = entryOf(parent, name)
    try {
      mkdirSync(entry, 0o700)
      parent.changed = true
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
    const descriptor = openSync(entry, folderFlags | constants.O_NOFOLLOW)
    return { descriptor, path: join(parent.path, name), changed: false }
  }

  function closeOldest(): void {
    for (const [key, folder] of open) {
      if (open.size <= keptOpen) return
      letGo(key, folder)
    }
  }

  return {
    within(names, entry, work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const folder = reach(names)
          const result = work(entryOf(folder, entry))
          folder.changed = true
          closeOldest()
          return result
        } catch (error) {
          // Somebody removed a folder that was open.
          if (systemCode(error) !== 'ENOENT' || attempt === attempts) throw error
          release()
        }
      }
    },
    release,
  }
}
