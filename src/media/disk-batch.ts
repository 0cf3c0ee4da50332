import { createHash } from 'node:crypto'
import { constants, openSync, write, writeSync } from 'node:fs'
import { join } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { closeQuietly, systemCode, toFileError } from '../std/files.ts'
import { ownKey } from './folders.ts'
import type { MediaBatch } from './media-store.ts'
import { createNewFolders } from './new-folders.ts'
import { createSyncQueue } from './sync-queue.ts'

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** How many files and folders wait to be made durable; as many are open at most. */
const waitingAtMost = 48
/** From so many bytes on a write takes longer than the way through one of Node's threads. */
const longWrite = 64 * 1024

/**
 * Writes files and makes them durable in the background while the next are written, so that neither the open files nor the
 * memory grow with their number. What fails in the background is thrown by the next `put` or `sync`.
 */
export function createBatch(root: string, removeFile: (key: string) => Promise<unknown>): MediaBatch {
  const queue = createSyncQueue()
  const folders = createNewFolders(root, queue)

  function create(key: string, path: string): number {
    const { folder, name } = ownKey(key)
    try {
      return folders.within(folder, name, (entry) => openSync(entry, createFlags, 0o600))
    } catch (error) {
      const code = systemCode(error)
      if (code !== 'ENOTDIR' && code !== 'ELOOP') throw toFileError(error, path, 'written')
      const reason = 'something that is no folder stands where one of its folders should be'
      throw new StrongroomError('file.io', { path, action: 'written', reason }, { cause: error })
    }
  }

  return {
    async put(key, bytes) {
      await queue.atMost(waitingAtMost - 1)
      const path = join(root, key)
      const descriptor = create(key, path)
      try {
        const hash = createHash('sha256')
        let size = 0
        for await (const chunk of bytes) {
          const writing = writeWhole(descriptor, chunk, path)
          hash.update(chunk)
          await writing
          size += chunk.length
        }
        queue.add({ descriptor, path, kind: 'file' })
        return { key, size, sha256: hash.digest('hex') }
      } catch (error) {
        closeQuietly(descriptor)
        folders.release()
        await removeFile(key).catch(() => undefined)
        throw error
      }
    },

    async sync() {
      folders.release()
      await queue.atMost(0)
    },

    async [Symbol.asyncDispose]() {
      folders.release()
      await queue.idle()
    },
  }
}

async function writeWhole(descriptor: number, chunk: Uint8Array, path: string): Promise<void> {
  try {
    for (let offset = 0; offset < chunk.length;) {
      const length = chunk.length - offset
      offset +=
        length < longWrite
          ? writeSync(descriptor, chunk, offset, length)
          : await writeSome(descriptor, chunk, offset, length)
    }
  } catch (error) {
    throw toFileError(error, path, 'written')
  }
}

const writeSome = (descriptor: number, chunk: Uint8Array, offset: number, length: number): Promise<number> =>
  new Promise((resolve, reject) => {
    write(descriptor, chunk, offset, length, null, (error, written) => {
      if (error === null) resolve(written)
      else reject(error)
    })
  })
