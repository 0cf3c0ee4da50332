import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { StrongroomError } from '../errors.ts'
import { onFile } from '../std/files.ts'
import type { ReadableFile } from '../std/readable-file.ts'

/** The file that an archive is read from: on disk, or on a web server. */
export interface ArchiveFile extends ReadableFile {
  /** How messages name it. */
  readonly name: string
  readonly size: number
  /** True where a web server gave it only as a whole, so that all of it lies on disk. */
  readonly copied: boolean
  /** Throws `archive.changed` where the file is no longer the one that was opened. */
  assertUnchanged(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the file of an archive by its path or URL; a stream is kept in `scratchFolder`, in a file without a name. Throws
 * `file.…`, and for a URL what `openHttpFile` throws.
 */
export async function openArchiveFile(
  input: string | URL | AsyncIterable<Uint8Array>,
  scratchFolder: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<ArchiveFile> {
  if (typeof input === 'string') return diskFile(input, await openFile(input), false)
  if (!(input instanceof URL)) return diskFile('standard input', await keep(input, scratchFolder), false)
  const { openHttpFile } = await import('../std/http/http-file.ts')
  const opened = await openHttpFile(input, { signal })
  return 'body' in opened
    ? diskFile(opened.name, await keep(opened.body, scratchFolder), true)
    : { ...opened, copied: false }
}

async function diskFile(name: string, file: FileHandle, copied: boolean): Promise<ArchiveFile> {
  const stat = () => onFile(name, 'read', () => file.stat())
  const opened = await stat().catch(async (error: unknown) => {
    await file.close().catch(() => undefined)
    throw error
  })
  return {
    name,
    size: opened.size,
    copied,
    read: (buffer, offset, length, position) => file.read(buffer, offset, length, position),
    async assertUnchanged() {
      const now = await stat()
      if (now.size !== opened.size || now.mtimeMs !== opened.mtimeMs)
        throw new StrongroomError('archive.changed', { archive: name })
    },
    close: () => file.close(),
  }
}

async function openFile(path: string): Promise<FileHandle> {
  // Without O_NONBLOCK the opening of a named pipe waits for a writer that may never come.
  const file = await onFile(path, 'read', () => open(path, constants.O_RDONLY | constants.O_NONBLOCK))
  const kind = await file.stat()
  if (kind.isFile()) return file
  await file.close()
  throw new StrongroomError('file.not_regular', { path })
}

async function keep(input: AsyncIterable<Uint8Array>, folder: string): Promise<FileHandle> {
  const path = join(folder, `archive-${randomUUID()}`)
  const file = await onFile(folder, 'written', () => open(path, 'wx+', 0o600))
  try {
    await onFile(folder, 'written', () => unlink(path))
    for await (const chunk of input) await onFile(folder, 'written', () => file.writeFile(chunk))
    return file
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}
