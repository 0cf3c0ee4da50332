import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { onFile, systemCode, toFileError } from '../std/files.ts'
import { type Folders, ownKey } from './folders.ts'
import type { MediaBatch } from './media-store.ts'

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** How many files are made durable side by side; as many are open at most. */
const syncsAtOnce = 32
/** How many folders wait for more entries before they are made durable. */
const foldersWaiting = 256

/**
 * Writes files and makes them durable in the background while the next are written, so that neither the open files nor the
 * memory grow with their number. What fails in the background is thrown by the next `put` or `sync`.
 */
export function createBatch(parts: {
  readonly root: string
  readonly folders: Folders
  readonly removeFile: (key: string) => Promise<unknown>
}): MediaBatch {
  const { root, folders, removeFile } = parts
  const running = new Set<Promise<void>>()
  const waiting = new Map<string, readonly string[]>()
  let failure: { readonly error: unknown } | undefined

  function inBackground(work: () => Promise<void>): void {
    const task = work().catch((error: unknown) => {
      failure ??= { error }
    })
    const tracked: Promise<void> = task.then(() => {
      running.delete(tracked)
    })
    running.add(tracked)
  }

  async function atMost(count: number): Promise<void> {
    while (running.size > count) await Promise.race(running)
    if (failure !== undefined) throw failure.error
  }

  function syncFolder(names: readonly string[]): void {
    const path = join(root, ...names)
    inBackground(() => onFile(path, 'written', () => folders.within(names, false, (folder) => folder.sync())))
  }

  /** A new entry changes its folder, and a new folder the one above it: all up to the root are made durable. */
  function markChanged(names: readonly string[]): void {
    for (let depth = names.length; depth >= 0; depth -= 1) {
      const changed = names.slice(0, depth)
      const key = changed.join('/')
      waiting.delete(key)
      waiting.set(key, changed)
    }
    for (const [key, changed] of waiting) {
      if (waiting.size <= foldersWaiting) break
      waiting.delete(key)
      syncFolder(changed)
    }
  }

  async function create(folder: readonly string[], name: string, path: string): Promise<FileHandle> {
    try {
      return await folders.within(folder, true, (holder) => open(holder.entry(name), createFlags, 0o600))
    } catch (error) {
      const code = systemCode(error)
      if (code !== 'ENOTDIR' && code !== 'ELOOP') throw toFileError(error, path, 'written')
      const reason = 'something that is no folder stands where one of its folders should be'
      throw new StrongroomError('file.io', { path, action: 'written', reason }, { cause: error })
    }
  }

  return {
    async put(key, bytes) {
      await atMost(syncsAtOnce - 1)
      const { folder, name } = ownKey(key)
      const path = join(root, key)
      const handle = await create(folder, name, path)
      try {
        const hash = createHash('sha256')
        let size = 0
        for await (const chunk of bytes) {
          hash.update(chunk)
          await onFile(path, 'written', () => writeWhole(handle, chunk))
          size += chunk.length
        }
        markChanged(folder)
        inBackground(async () => {
          try {
            await onFile(path, 'written', () => handle.datasync())
          } finally {
            await onFile(path, 'written', () => handle.close())
          }
        })
        return { key, size, sha256: hash.digest('hex') }
      } catch (error) {
        await handle.close().catch(() => undefined)
        await removeFile(key).catch(() => undefined)
        throw error
      }
    },

    async sync() {
      await atMost(0)
      for (const [key, names] of [...waiting]) {
        waiting.delete(key)
        await atMost(syncsAtOnce - 1)
        syncFolder(names)
      }
      await atMost(0)
    },
  }
}

async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let offset = 0
  while (offset < chunk.length) {
    const { bytesWritten } = await handle.write(chunk, offset, chunk.length - offset)
    offset += bytesWritten
  }
}
