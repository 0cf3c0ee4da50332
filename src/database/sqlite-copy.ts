import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { onFile, syncFolder } from '../std/files.ts'
import type { Translate } from './driver-errors.ts'

/**
 * Keeps the database as it is before it is brought to version `to`: `<path>.before-<to>`, complete once it has that name.
 * Returns the copy's path. The caller holds the exclusive lock.
 */
export async function keepCopy(writer: DatabaseSync, path: string, to: number, translate: Translate): Promise<string> {
  const copy = `${path}.before-${to}`
  const unfinished = `${copy}.tmp`
  return onFile(copy, 'written', async () => {
    await rm(unfinished, { force: true })
    const file = await open(unfinished, 'wx', 0o600)
    try {
      try {
        writer.prepare('vacuum into ?').run(unfinished)
      } catch (error) {
        throw translate(error)
      }
      await file.sync()
      await rename(unfinished, copy)
      await syncFolder(dirname(copy))
    } catch (error) {
      // The first failure is the one to tell of; what is left here is removed by the next try.
      await rm(unfinished, { force: true }).catch(() => undefined)
      throw error
    } finally {
      await file.close()
    }
    return copy
  })
}
