import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, readdir, stat, statfs, unlink, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { StrongroomError } from '../../errors.ts'
import type { Timestamp } from '../../std/clock.ts'
import { makeFolders, onFile, placeFile, syncFolder, systemCode, toFileError } from '../../std/files.ts'
import type { Sink } from '../../std/sink.ts'

/** Where an archive is to lie. */
export interface Target {
  readonly folder: string
  /** The name asked for; undefined where one is made up from the moment. */
  readonly name: string | undefined
}

const partialPattern = /^\.strongroom-([0-9a-f-]{36})-[0-9a-f-]{36}\.partial$/

/**
 * Where `location` means: nothing, the current folder; a folder, or a path that ends in a slash (the folder is then made),
 * a default name inside it; else that file. Throws `file.exists` unless `overwrite`, and other `file.*`.
 */
export async function findTarget(location: string | undefined, overwrite: boolean): Promise<Target> {
  const path = resolve(location ?? '.')
  if (location?.endsWith('/') === true) {
    await onFile(path, 'made', () => makeFolders(path))
    return { folder: path, name: undefined }
  }
  const found = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw toFileError(error, path, 'read')
  })
  if (found?.isDirectory() === true) return { folder: path, name: undefined }
  const folder = dirname(path)
  await onFile(folder, 'read', () => stat(folder))
  if (found !== undefined && !found.isFile()) throw new StrongroomError('file.not_regular', { path })
  if (!overwrite && (await exists(path))) throw new StrongroomError('file.exists', { path })
  return { folder, name: basename(path) }
}

/** True for anything at all under that name, a broken link too. */
const exists = async (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => {
      if (systemCode(error) === 'ENOENT') return false
      throw error
    },
  )

/** Removes what dead backups of this instance left in a folder; the caller knows that none is at work. */
export async function removeLeftOvers(folder: string, instance: string): Promise<void> {
  for (const name of await onFile(folder, 'read', () => readdir(folder))) {
    if (partialPattern.exec(name)?.[1] === instance)
      await onFile(join(folder, name), 'removed', () => unlink(join(folder, name)))
  }
}

/** Bytes that may still be written to the disk of a folder. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await onFile(folder, 'read', () => statfs(folder))
  return bavail * bsize
}

/** An archive that is being written beside its final name. Disposing removes it unless it was put in place. */
export interface PartialArchive extends AsyncDisposable {
  readonly path: string
  readonly size: number
  readonly write: Sink
  sync(): Promise<void>
  /** Gives it its final name and makes that durable. Returns the path. */
  putInPlace(overwrite: boolean, createdAt: Timestamp, isEncrypted?: boolean): Promise<string>
}

export async function createPartial(target: Target, instance: string): Promise<PartialArchive> {
  const path = join(target.folder, `.strongroom-${instance}-${randomUUID()}.partial`)
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const file: FileHandle = await onFile(target.folder, 'written', () => open(path, flags, 0o600))
  let size = 0
  let inPlace = false

  async function placeAs(name: string, overwrite: boolean): Promise<void> {
    const final = join(target.folder, name)
    await onFile(final, 'written', () => placeFile(path, final, overwrite))
    inPlace = true
    await onFile(target.folder, 'written', () => syncFolder(target.folder))
  }

  return {
    path,
    get size() {
      return size
    },
    async write(parts) {
      for (let left = parts; left.length > 0;) {
        const { bytesWritten } = await onFile(path, 'written', () => file.writev(left))
        size += bytesWritten
        left = after(left, bytesWritten)
      }
    },
    sync: () => onFile(path, 'written', () => file.sync()),
    async putInPlace(overwrite, createdAt, isEncrypted = false) {
      if (target.name !== undefined) {
        await placeAs(target.name, overwrite)
        return join(target.folder, target.name)
      }
      for (let number = 1; ; number += 1) {
        const name = defaultName(createdAt, number, isEncrypted)
        try {
          await placeAs(name, false)
          return join(target.folder, name)
        } catch (error) {
          if (!(error instanceof StrongroomError) || error.code !== 'file.exists') throw error
        }
      }
    },
    async [Symbol.asyncDispose]() {
      if (!inPlace) await unlink(path).catch(() => undefined)
      await onFile(path, 'written', () => file.close())
    },
  }
}

/** What is left of some parts behind so many bytes. */
function after(parts: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let passed = bytes
  for (const [index, part] of parts.entries()) {
    if (passed < part.length) return [part.subarray(passed), ...parts.slice(index + 1)]
    passed -= part.length
  }
  return []
}

/** `strongroom-20261124T140352Z.tar.gz`, and `…-2.tar.gz` where that is taken; with `.age` where it is encrypted. */
const defaultName = (moment: Timestamp, number: number, isEncrypted: boolean): string =>
  `strongroom-${moment.slice(0, 19).replace(/[-:]/g, '')}Z${number === 1 ? '' : `-${number}`}.tar.gz${isEncrypted ? '.age' : ''}`
