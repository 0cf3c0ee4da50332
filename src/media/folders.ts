import { closeSync, constants, existsSync, fsync, openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { onFileNow, systemCode } from '../std/files.ts'

/** A folder below the root, held open. */
export interface Folder {
  /** The path for people. */
  readonly path: string
  /** The path by which the system reaches an entry of exactly this folder, whatever stands at `path` by now. */
  entry(name: string): string
  /** Makes its entries durable. */
  sync(): Promise<void>
}

/** The folders below one root, each reached without following a link. Opening one blocks, for microseconds on a disk. */
export interface Folders extends AsyncDisposable {
  /**
   * Runs `work` with the folder at these names below the root. With `create`, folders that are not there are made, for
   * their owner only (0700). Throws the system's ENOENT where the folder is not there, and ENOTDIR where a link or a file
   * stands in its place. `work` may be run again where it throws ENOENT because somebody removed the folder meanwhile.
   */
  within<T>(names: readonly string[], create: boolean, work: (folder: Folder) => Promise<T>): Promise<T>
  /** The same for work that blocks; makes no folders. */
  withinNow<T>(names: readonly string[], work: (folder: Folder) => T): T
  /** Lets go of a folder that was removed. */
  forget(names: readonly string[]): void
}

interface HeldFolder extends Folder {
  readonly descriptor: number
  users: number
  forgotten: boolean
}

/** How many folders nobody uses at the moment are kept open. */
const keptOpen = 64
const attempts = 5

// With the folder's own descriptor in the path, a link swapped in for one of its parents leads nowhere. Where there is no
// /proc that gap stays, as wide as the moment between the check and the use.
const anchored = existsSync('/proc/self/fd')
const folderFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Opens the root, which may itself be a link that its owner made. Throws `file.not_found` where there is none. */
export async function openFolders(root: string): Promise<Folders> {
  const rootDescriptor = onFileNow(root, 'opened', () => openSync(root, constants.O_RDONLY | constants.O_DIRECTORY))
  const rootFolder = hold(rootDescriptor, root)
  const held = new Map<string, HeldFolder>()

  function hold(descriptor: number, path: string): HeldFolder {
    const base = anchored ? `/proc/self/fd/${descriptor}` : path
    return {
      path,
      descriptor,
      users: 0,
      forgotten: false,
      entry: (name) => `${base}/${name}`,
      sync: () =>
        new Promise((resolve, reject) => {
          fsync(descriptor, (error) => (error === null ? resolve() : reject(error)))
        }),
    }
  }

  function acquire(names: readonly string[]): HeldFolder {
    if (names.length === 0) return rootFolder
    const key = names.join('/')
    const folder = held.get(key) ?? openInside(names.slice(0, -1), names.at(-1)!)
    // The one that was used last stands last.
    held.delete(key)
    held.set(key, folder)
    folder.users += 1
    return folder
  }

  function openInside(parents: readonly string[], name: string): HeldFolder {
    const parent = acquire(parents)
    try {
      return hold(openSync(parent.entry(name), folderFlags), join(parent.path, name))
    } finally {
      release(parent)
    }
  }

  async function acquireMade(names: readonly string[]): Promise<HeldFolder> {
    try {
      return acquire(names)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
    const parent = await acquireMade(names.slice(0, -1))
    try {
      await mkdir(parent.entry(names.at(-1)!), { mode: 0o700 }).catch((error: unknown) => {
        if (systemCode(error) !== 'EEXIST') throw error
      })
    } finally {
      release(parent)
    }
    return acquire(names)
  }

  function release(folder: HeldFolder): void {
    if (folder === rootFolder) return
    folder.users -= 1
    if (folder.forgotten && folder.users === 0) closeSync(folder.descriptor)
    for (const key of held.keys()) {
      if (held.size <= keptOpen) break
      letGo(key)
    }
  }

  /** Closes a folder as soon as nobody uses it. */
  function letGo(key: string): void {
    const folder = held.get(key)
    if (folder === undefined) return
    held.delete(key)
    folder.forgotten = true
    if (folder.users === 0) closeSync(folder.descriptor)
  }

  function forget(names: readonly string[]): void {
    const key = names.join('/')
    for (const each of held.keys()) if (each === key || each.startsWith(`${key}/`)) letGo(each)
  }

  /** Whether a folder that was there, or was made, is gone; what is held open of it is then let go of. */
  function isGone(error: unknown, names: readonly string[], wasThere: boolean): boolean {
    if (systemCode(error) !== 'ENOENT' || !wasThere || names.length === 0) return false
    forget(names.slice(0, 1))
    return true
  }

  return {
    async within(names, create, work) {
      for (let attempt = 1; ; attempt += 1) {
        const wasThere = create || held.has(names.join('/'))
        try {
          const folder = create ? await acquireMade(names) : acquire(names)
          try {
            return await work(folder)
          } finally {
            release(folder)
          }
        } catch (error) {
          if (attempt === attempts || !isGone(error, names, wasThere)) throw error
        }
      }
    },
    withinNow(names, work) {
      for (let attempt = 1; ; attempt += 1) {
        const wasThere = held.has(names.join('/'))
        try {
          const folder = acquire(names)
          try {
            return work(folder)
          } finally {
            release(folder)
          }
        } catch (error) {
          if (attempt === attempts || !isGone(error, names, wasThere)) throw error
        }
      }
    },
    forget,
    async [Symbol.asyncDispose]() {
      for (const key of held.keys()) letGo(key)
      onFileNow(root, 'read', () => closeSync(rootDescriptor))
    },
  }
}

/** Splits a key and checks that it cannot lead out of `docs/` and `sidecars/`. Undefined for any other text. */
export function splitKey(key: string): { folder: readonly string[]; name: string } | undefined {
  const parts = key.split('/')
  const safe = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'))
  if (!safe || parts.length < 2 || (parts[0] !== 'docs' && parts[0] !== 'sidecars')) return undefined
  return { folder: parts.slice(0, -1), name: parts.at(-1)! }
}

/** The parts of a key that the program made itself; another is a fault of the program. */
export function ownKey(key: string): { folder: readonly string[]; name: string } {
  const parts = splitKey(key)
  if (parts === undefined) throw new StrongroomError('program.fault', { reason: `${key} is not a media key` })
  return parts
}
