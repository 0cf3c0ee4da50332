import { randomUUID } from 'node:crypto'
import { closeSync } from 'node:fs'
import { link, mkdir, open, rename, rm, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { reasonOf } from './text.ts'

/** The system's name of what failed, as `ENOENT`; undefined where the error is none of the system's. */
export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/**
 * The StrongroomError for a failed file operation; an error that is one already is passed on. `action` completes "may not
 * be …" and "could not be …", as `read` or `written`.
 */
export function toFileError(error: unknown, path: string, action: string): unknown {
  if (error instanceof StrongroomError) return error
  const code = systemCode(error)
  if (code === undefined) return error
  const details = { path, action, reason: reasonOf(error) }
  const options = { cause: error }
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new StrongroomError('file.not_found', details, options)
    case 'EEXIST':
      return new StrongroomError('file.exists', details, options)
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new StrongroomError('file.no_space', details, options)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StrongroomError('file.denied', details, options)
    case 'ELOOP':
    case 'EISDIR':
      return new StrongroomError('file.not_regular', details, options)
    default:
      return new StrongroomError('file.io', details, options)
  }
}

/** Runs `work`; what the system refuses becomes a StrongroomError about `path`. */
export async function onFile<T>(path: string, action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toFileError(error, path, action)
  }
}

/** The same for work that blocks. */
export function onFileNow<T>(path: string, action: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw toFileError(error, path, action)
  }
}

const withoutLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/**
 * Gives a finished file its final name, in the same folder. A link never replaces what is there; where the file system has
 * none, the name is reserved instead. Throws what the system says, `EEXIST` where something is there and `overwrite` is not
 * set. Not durable before the folder is synced.
 */
export async function placeFile(partial: string, final: string, overwrite: boolean): Promise<void> {
  if (overwrite) return rename(partial, final)
  try {
    await link(partial, final)
  } catch (error) {
    if (!withoutLinks.has(systemCode(error) ?? '')) throw error
    await (await open(final, 'wx', 0o600)).close()
    return rename(partial, final)
  }
  await unlink(partial)
}

/** Closes what nothing depends on any more, or what a failure is told of already: the system lets go of it whatever it answers. */
export function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor)
  } catch {
    // There is nothing to be lost by that.
  }
}

/** Makes the entries of a folder durable: without it a power cut can undo a rename, a link or a new file. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Makes a folder and those above it that are not there, and makes them durable. `mode` is that of each new one. */
export async function makeFolders(path: string, mode?: number): Promise<void> {
  const first = await mkdir(path, mode === undefined ? { recursive: true } : { recursive: true, mode })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

/**
 * Writes a file for its owner alone, or replaces it: whoever reads it sees the old or the new one, whole, whatever happens
 * meanwhile. A process that dies leaves `<path>.<uuid>.tmp`. Throws `file.…`.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  await onFile(path, 'written', async () => {
    try {
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      // The first failure is the one to tell of.
      await rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
    await syncFolder(dirname(path))
  })
}
