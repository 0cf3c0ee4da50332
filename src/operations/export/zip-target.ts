import { createHash } from 'node:crypto'
import { createSpool, type Spool } from '../../std/spool.ts'
import { createZipWriter, zipCrc } from '../../std/zip-writer.ts'
import type { OutputTarget } from '../extract/target.ts'

/** Files of up to so many bytes wait in memory until they are known to be right, larger ones on disk. */
const mostInMemory = 1 << 20

/** What deflate makes no smaller. */
const packed =
  /^(?:image\/(?:jpeg|png|gif|webp|heic|heif|avif|jp2)|(?:video|audio)\/.*|application\/(?:zip|gzip|epub\+zip|x-7z-compressed|vnd\.(?:rar|openxml.*|oasis\.opendocument.*)))$/

/** A zip file. `sink` takes its bytes in order. */
export async function createZipTarget(
  sink: (bytes: Uint8Array) => Promise<void>,
  scratchDirectory: string,
): Promise<OutputTarget> {
  const zip = await createZipWriter(sink, scratchDirectory)
  return {
    folder: (path, mtime) => zip.folder({ name: path.join('/'), mtime }),
    async file(places, { sha256, mediaType }, chunks) {
      await using kept = createKept(scratchDirectory)
      const hash = createHash('sha256')
      for await (const chunk of chunks) {
        hash.update(chunk)
        await kept.write(chunk)
      }
      if (sha256 !== undefined && hash.digest('hex') !== sha256) return false
      for (const { path, mtime } of places)
        await zip.file({ name: path.join('/'), mtime }, kept, !packed.test(mediaType))
      return true
    },
    finish: () => zip.finish(),
    [Symbol.asyncDispose]: () => zip[Symbol.asyncDispose](),
  }
}

/** Bytes that wait in memory or on disk. */
function createKept(folder: string) {
  const parts: Buffer[] = []
  let size = 0
  let crc = 0
  let spool: Spool | undefined
  return {
    get size() {
      return size
    },
    get crc32() {
      return crc
    },
    async write(chunk: Uint8Array): Promise<void> {
      size += chunk.length
      crc = zipCrc(chunk, crc)
      if (spool === undefined && size <= mostInMemory) return void parts.push(Buffer.from(chunk))
      if (spool === undefined) {
        spool = await createSpool(folder)
        for (const part of parts.splice(0)) await spool.write(part)
      }
      await spool.write(chunk)
    },
    async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
      yield* parts
      // The spool reads into one buffer, and a stream may hold several of its pieces.
      if (spool !== undefined) for await (const chunk of spool.chunks()) yield Buffer.from(chunk)
    },
    [Symbol.asyncDispose]: async () => spool?.[Symbol.asyncDispose](),
  }
}
