import { constants, existsSync } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { onFile, systemCode } from '../std/files.ts'

/** A folder below the root, held open. */
export interface Folder {
  /** The path for people. */
  readonly path: string
  /** The path by which the system reaches an entry of exactly this folder, whatever stands at `path` by now. */
  entry(name: string): string
  /** Makes its entries durable. */
  sync(): Promise<void>
}

/** The folders below one root, each reached without following a link. */
export interface Folders extends AsyncDisposable {
  /**
   * Runs `work` with the folder at these names below the root. With `create`, folders that are not there are made, for
   * their owner only (0700). Throws the system's ENOENT where the folder is not there, and ENOTDIR where a link or a file
   * stands in its place. `work` may be run again where it throws ENOENT because somebody removed the folder meanwhile.
   */
  within<T>(names: readonly string[], create: boolean, work: (folder: Folder) => Promise<T>): Promise<T>
  /** Lets go of a folder that was removed. */
  forget(names: readonly string[]): void
}

interface HeldFolder extends Folder {
  readonly handle: FileHandle
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
  const rootHandle = await onFile(root, 'opened', () => open(root, constants.O_RDONLY | constants.O_DIRECTORY))
  const rootFolder = hold(rootHandle, root)
  const held = new Map<string, Promise<HeldFolder>>()
  const closing = new Set<Promise<void>>()

  function hold(handle: FileHandle, path: string): HeldFolder {
    const base = anchored ? `/proc/self/fd/${handle.fd}` : path
    return { path, handle, users: 0, forgotten: false, entry: (name) => join(base, name), sync: () => handle.sync() }
  }

  async function openInside(parent: HeldFolder, name: string, create: boolean): Promise<HeldFolder> {
    const entry = parent.entry(name)
    const path = join(parent.path, name)
    const reopen = () => open(entry, folderFlags)
    try {
      return hold(await reopen(), path)
    } catch (error) {
      if (!create || systemCode(error) !== 'ENOENT') throw error
    }
    await mkdir(entry, { mode: 0o700 }).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error
    })
    return hold(await reopen(), path)
  }

  async function openAt(names: readonly string[], create: boolean): Promise<HeldFolder> {
    const parent = await acquire(names.slice(0, -1), create)
    try {
      return await openInside(parent, names.at(-1)!, create)
    } finally {
      await release(parent)
    }
  }

  async function acquire(names: readonly string[], create: boolean): Promise<HeldFolder> {
    if (names.length === 0) return rootFolder
    const key = names.join('/')
    for (;;) {
      const known = held.get(key)
      const opening = known ?? openAt(names, create)
      held.delete(key)
      held.set(key, opening)
      let folder: HeldFolder
      try {
        folder = await opening
      } catch (error) {
        if (held.get(key) === opening) held.delete(key)
        throw error
      }
      if (folder.forgotten) continue
      folder.users += 1
      return folder
    }
  }

  async function release(folder: HeldFolder): Promise<void> {
    if (folder === rootFolder) return
    folder.users -= 1
    if (folder.forgotten && folder.users === 0) await folder.handle.close()
    for (const key of held.keys()) {
      if (held.size <= keptOpen) break
      letGo(key)
    }
  }

  /** Closes a folder as soon as nobody uses it. Not waited for: the folder may be opening, and wait for its caller. */
  function letGo(key: string): void {
    const opening = held.get(key)
    if (opening === undefined) return
    held.delete(key)
    const closed = opening
      .then(async (folder) => {
        folder.forgotten = true
        if (folder.users === 0) await folder.handle.close()
      })
      .catch(() => undefined)
      .then(() => {
        closing.delete(closed)
      })
    closing.add(closed)
  }

  function forget(names: readonly string[]): void {
    const key = names.join('/')
    for (const each of held.keys()) if (each === key || each.startsWith(`${key}/`)) letGo(each)
  }

  async function within<T>(
    names: readonly string[],
    create: boolean,
    work: (folder: Folder) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const cached = held.has(names.join('/'))
      try {
        const folder = await acquire(names, create)
        try {
          return await work(folder)
        } finally {
          await release(folder)
        }
      } catch (error) {
        const removedMeanwhile = systemCode(error) === 'ENOENT' && (create || cached) && attempt < attempts
        if (!removedMeanwhile || names.length === 0) throw error
        forget(names.slice(0, 1))
      }
    }
  }

  return {
    within,
    forget,
    async [Symbol.asyncDispose]() {
      for (const key of held.keys()) letGo(key)
      await Promise.all(closing)
      await onFile(root, 'read', () => rootHandle.close())
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
