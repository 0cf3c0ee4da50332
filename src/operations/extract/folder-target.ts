import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { StrongroomError } from '../../errors.ts'
import { openFolders } from '../../media/folders.ts'
import { onFile, placeFile, systemCode, toFileError } from '../../std/files.ts'
import type { OutputPath, OutputTarget } from './target.ts'

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** How many files are made durable side by side. */
const syncsAtOnce = 16
/** How many folders wait for more entries before they are made durable. */
const foldersWaiting = 256

export interface FolderTarget extends OutputTarget {
  /**
   * What stands where a file is to be: nothing, a file with just these bytes, or another file. Throws `extract.in_the_way`
   * for all else, and where a link or a file stands in place of a folder on the way.
   */
  look(path: OutputPath, size: number, sha256: string): Promise<'nothing' | 'same' | 'other'>
  /** Throws `extract.in_the_way` where something that is no folder stands in its place. */
  lookForFolder(path: OutputPath): Promise<void>
}

interface Partial {
  readonly place: { readonly path: OutputPath; readonly mtime: number }
  /** Its name until it is whole and durable. */
  readonly name: string
  readonly handle: FileHandle
}

/**
 * Writes below a folder, which must exist (it may itself be a link). Files are 0600 and folders 0700; no link below it is
 * ever followed, and a file has its name only when all its bytes are durable. With `overwrite`, a file in its place is
 * replaced at that moment.
 */
export async function openFolderTarget(root: string, overwrite: boolean): Promise<FolderTarget> {
  const folders = await openFolders(root)
  const running = new Set<Promise<void>>()
  const changed = new Map<string, OutputPath>()
  let failure: { readonly error: unknown } | undefined

  const shown = (path: OutputPath): string => join(root, ...path)

  function inTheWay(path: OutputPath, what: string, cause?: unknown): StrongroomError {
    return new StrongroomError('extract.in_the_way', { path: shown(path), what }, { cause })
  }

  /** Runs `work` in the folder at this path; what the system refuses is told about the file that it is for. */
  async function inside<T>(
    path: OutputPath,
    create: boolean,
    about: OutputPath,
    work: (entry: (name: string) => string) => Promise<T>,
  ): Promise<T> {
    try {
      return await folders.within(path, create, (folder) => work(folder.entry))
    } catch (error) {
      const code = systemCode(error)
      if (code === 'ENOTDIR' || code === 'ELOOP') throw inTheWay(path, 'a link, or no folder', error)
      throw toFileError(error, shown(about), 'written')
    }
  }

  async function atMost(count: number): Promise<void> {
    while (running.size > count) await Promise.race(running)
    if (failure !== undefined) throw failure.error
  }

  function inBackground(work: () => Promise<void>): void {
    const task: Promise<void> = work()
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .then(() => {
        running.delete(task)
      })
    running.add(task)
  }

  /** A new entry changes its folder, and a new folder the one above it. */
  function markChanged(path: OutputPath): void {
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const names = path.slice(0, depth)
      changed.set(names.join('/'), names)
    }
  }

  async function syncChanged(): Promise<void> {
    await atMost(0)
    const paths = [...changed.values()]
    changed.clear()
    for (const path of paths)
      await onFile(shown(path), 'written', () => folders.within(path, false, (folder) => folder.sync()))
  }

  async function begin(place: Partial['place']): Promise<Partial> {
    const name = `.strongroom-${randomUUID()}.partial`
    const handle = await inside(place.path.slice(0, -1), true, place.path, (entry) =>
      open(entry(name), createFlags, 0o600),
    )
    return { place, name, handle }
  }

  async function drop({ place, name, handle }: Partial): Promise<void> {
    await handle.close().catch(() => undefined)
    await folders.within(place.path.slice(0, -1), false, (folder) => unlink(folder.entry(name))).catch(() => undefined)
  }

  async function put(partial: Partial): Promise<void> {
    const { place, name, handle } = partial
    const { path, mtime } = place
    try {
      // A date that the file system refuses is no reason to have no file.
      await handle.utimes(mtime, mtime).catch(() => undefined)
      await onFile(shown(path), 'written', () => handle.datasync())
      await inside(path.slice(0, -1), false, path, (entry) => placeFile(entry(name), entry(path.at(-1)!), overwrite))
      await handle.close()
      markChanged(path.slice(0, -1))
    } catch (error) {
      await drop(partial)
      throw error
    }
  }

  async function compare(path: OutputPath, sha256: string): Promise<'same' | 'other'> {
    const name = path.at(-1)!
    const handle = await inside(path.slice(0, -1), false, path, (entry) => open(entry(name), readFlags))
    try {
      const hash = createHash('sha256')
      for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk as Buffer)
      return hash.digest('hex') === sha256 ? 'same' : 'other'
    } catch (error) {
      throw toFileError(error, shown(path), 'read')
    } finally {
      await handle.close()
    }
  }

  const statusOf = (path: OutputPath) =>
    inside(path.slice(0, -1), false, path, (entry) => lstat(entry(path.at(-1)!)).catch(nothingThere)).catch(
      (error: unknown) => {
        if (error instanceof StrongroomError && error.code === 'file.not_found') return undefined
        throw error
      },
    )

  return {
    async look(path, size, sha256) {
      const status = await statusOf(path)
      if (status === undefined) return 'nothing'
      if (!status.isFile()) throw inTheWay(path, status.isDirectory() ? 'a folder' : 'a link, or no file')
      return status.size === size ? compare(path, sha256) : 'other'
    },
    async lookForFolder(path) {
      const status = await statusOf(path)
      if (status !== undefined && !status.isDirectory()) throw inTheWay(path, 'a link, or no folder')
    },
    async folder(path) {
      await inside(path, true, path, async () => undefined)
      markChanged(path)
      if (changed.size > foldersWaiting) await syncChanged()
    },
    async file(places, { sha256 }, chunks) {
      if (changed.size > foldersWaiting) await syncChanged()
      await atMost(syncsAtOnce - 1)
      const partials: Partial[] = []
      try {
        for (const place of places) partials.push(await begin(place))
        const hash = createHash('sha256')
        for await (const chunk of chunks) {
          hash.update(chunk)
          for (const { place, handle } of partials)
            await onFile(shown(place.path), 'written', () => writeWhole(handle, chunk))
        }
        if (sha256 !== undefined && hash.digest('hex') !== sha256) {
          for (const partial of partials) await drop(partial)
          return false
        }
      } catch (error) {
        for (const partial of partials) await drop(partial)
        throw error
      }
      for (const partial of partials) inBackground(() => put(partial))
      return true
    },
    finish: syncChanged,
    async [Symbol.asyncDispose]() {
      await Promise.all(running)
      await folders[Symbol.asyncDispose]()
    },
  }
}

function nothingThere(error: unknown): undefined {
  if (systemCode(error) !== 'ENOENT') throw error
}

async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.length - done)
    done += bytesWritten
  }
}
