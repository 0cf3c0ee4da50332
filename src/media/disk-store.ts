import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { lstat, opendir, rmdir, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { onFile, onFileNow, systemCode, toFileError } from '../std/files.ts'
import { withReadBuffer } from '../std/read-buffers.ts'
import { giveWay } from '../std/turns.ts'
import { createBatch } from './disk-batch.ts'
import { type Folders, openFolders, ownKey, splitKey } from './folders.ts'
import type { MediaFile, MediaStore } from './media-store.ts'

// Without O_NONBLOCK a pipe in the place of a file would hold the program for ever.
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const tops = ['docs', 'sidecars'] as const

/**
 * The media store in a folder of a disk, which must exist (it may itself be a link). Files are 0600, folders 0700, and no
 * link below the folder is ever followed. Dispose it to close the folders that it holds open.
 */
export async function openDiskStore(root: string): Promise<MediaStore & AsyncDisposable> {
  const folders = await openFolders(root)

  // On a disk these calls take microseconds. Through a thread each would take fifty, which is most of what small files cost.
  async function openKey(key: string): Promise<MediaFile> {
    await giveWay()
    const path = join(root, key)
    const missing = (cause?: unknown) => new StrongroomError('media.missing', { key }, { cause })
    const parts = splitKey(key)
    if (parts === undefined) throw missing()
    const descriptor = openEntry(parts, path, missing)
    try {
      const stat = onFileNow(path, 'read', () => fstatSync(descriptor))
      if (!stat.isFile()) throw missing()
      return {
        size: stat.size,
        chunks: () => withReadBuffer((buffer) => chunksOf(descriptor, stat.size, path, buffer)),
        [Symbol.asyncDispose]: async () => onFileNow(path, 'read', () => closeSync(descriptor)),
      }
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
  }

  function openEntry(
    { folder, name }: { readonly folder: readonly string[]; readonly name: string },
    path: string,
    missing: (cause: unknown) => StrongroomError,
  ): number {
    try {
      return folders.withinNow(folder, (holder) => openSync(holder.entry(name), readFlags))
    } catch (error) {
      throw isAbsence(error) ? missing(error) : toFileError(error, path, 'read')
    }
  }

  async function sizeOf(key: string): Promise<number | undefined> {
    const parts = splitKey(key)
    if (parts === undefined) return undefined
    try {
      const stat = await folders.within(parts.folder, false, (folder) => lstat(folder.entry(parts.name)))
      return stat.isFile() ? stat.size : undefined
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw toFileError(error, join(root, key), 'read')
    }
  }

  return {
    begin: () => createBatch(root, (key) => removeFile(folders, root, key)),
    open: openKey,
    size: sizeOf,
    async remove(key) {
      await removeFile(folders, root, key)
    },
    async removeAll(keys) {
      const changed = new Map<string, readonly string[]>()
      for (const key of keys) {
        const survivor = await removeFile(folders, root, key)
        changed.set(survivor.join('/'), survivor)
      }
      for (const names of changed.values()) await syncIfThere(folders, root, names)
    },
    async *list() {
      for (const top of tops) yield* listBelow(folders, root, [top])
    },
    async freeBytes() {
      const stat = await onFile(root, 'read', () => statfs(root))
      return stat.bavail * stat.bsize
    },
    [Symbol.asyncDispose]: () => folders[Symbol.asyncDispose](),
  }
}

/** True where the system says that no file is there, or that a link or another thing stands in its place or on the way. */
const isAbsence = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EISDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')

async function* chunksOf(
  descriptor: number,
  size: number,
  path: string,
  buffer: Buffer,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0
  while (position < size) {
    const length = Math.min(buffer.length, size - position)
    await giveWay()
    const bytesRead = onFileNow(path, 'read', () => readSync(descriptor, buffer, 0, length, position))
    if (bytesRead === 0) {
      const reason = `it ended after ${position} of ${size} bytes`
      throw new StrongroomError('file.io', { path, action: 'read', reason })
    }
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/** Removes a file and the folders that it leaves empty; gives the folder nearest to it that is left. */
async function removeFile(folders: Folders, root: string, key: string): Promise<readonly string[]> {
  const { folder, name } = ownKey(key)
  try {
    await folders.within(folder, false, (holder) => unlink(holder.entry(name)))
  } catch (error) {
    if (!isAbsence(error)) throw toFileError(error, join(root, key), 'removed')
  }
  let names = folder
  while (names.length > 1) {
    const parent = names.slice(0, -1)
    try {
      folders.forget(names)
      await folders.within(parent, false, (holder) => rmdir(holder.entry(names.at(-1)!)))
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') return names
      if (!isAbsence(error)) throw toFileError(error, join(root, ...names), 'removed')
    }
    names = parent
  }
  return names
}

async function syncIfThere(folders: Folders, root: string, names: readonly string[]): Promise<void> {
  try {
    await folders.within(names, false, (folder) => folder.sync())
  } catch (error) {
    if (!isAbsence(error)) throw toFileError(error, join(root, ...names), 'written')
  }
}

async function* listBelow(
  folders: Folders,
  root: string,
  names: readonly string[],
): AsyncGenerator<{ key: string; size: number }, void, undefined> {
  const path = join(root, ...names)
  let entries: Awaited<ReturnType<typeof opendir>>
  try {
    entries = await folders.within(names, false, (folder) => opendir(folder.entry('.')))
  } catch (error) {
    if (isAbsence(error)) return
    throw toFileError(error, path, 'read')
  }
  for await (const entry of entries) {
    const below = [...names, entry.name]
    const stat = await folders
      .within(names, false, (folder) => lstat(folder.entry(entry.name)))
      .catch((error: unknown) => {
        if (isAbsence(error)) return undefined
        throw toFileError(error, join(path, entry.name), 'read')
      })
    if (stat?.isDirectory() === true) yield* listBelow(folders, root, below)
    else yield { key: below.join('/'), size: stat?.size ?? 0 }
  }
}
