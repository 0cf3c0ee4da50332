import type { ReadableFile } from '../readable-file.ts'
import { blockBytes, createBlocks } from './blocks.ts'
import { openRanges, type HttpOptions, type WholeFile } from './ranges.ts'

/** A file on a web server, open for reading at any place. */
export interface HttpFile extends ReadableFile {
  /** Its URL, without what may be secret in it. */
  readonly name: string
  readonly size: number
  /** Asks the server. Throws `archive.changed` where the file is no longer the one that was opened. */
  assertUnchanged(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens what lies at a URL of http or https; where its server gives no parts, all of it as a stream. Reading it in order takes
 * few requests, reading here and there only what is touched. Memory: 4 MiB. Throws, as each reading does,
 * `archive.unreachable`, `archive.untrusted_server`, `archive.url_denied`, `archive.url_not_found`, `archive.http_status`,
 * `archive.bad_answer`, and `archive.changed` where the file became another one.
 */
export async function openHttpFile(url: URL, options: HttpOptions): Promise<HttpFile | WholeFile> {
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  const remote = await openRanges(url, blockBytes, { ...options, signal })
  if ('body' in remote) return remote
  const { name, size } = remote
  const blocks = createBlocks(remote)
  let turn: Promise<unknown> = Promise.resolve()

  async function readNow(buffer: Uint8Array, offset: number, length: number, position: number) {
    const end = Math.min(position + length, size)
    let at = position
    while (at < end) {
      const number = Math.floor(at / blockBytes)
      const block = await blocks.get(number, Math.ceil(end / blockBytes) - number)
      const from = at - number * blockBytes
      const part = block.subarray(from, from + end - at)
      buffer.set(part, offset + at - position)
      at += part.length
    }
    return { bytesRead: Math.max(0, at - position) }
  }

  return {
    name,
    size,
    read(buffer, offset, length, position) {
      const reading = turn.then(() => readNow(buffer, offset, length, position))
      turn = reading.catch(() => undefined)
      return reading
    },
    async assertUnchanged() {
      if (size > 0) await Array.fromAsync(remote.stream(0, 1))
    },
    async close() {
      ended.abort()
      await turn
      await blocks.close()
    },
  }
}
