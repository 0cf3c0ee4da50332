/** A file on a web server, read by range requests (RFC 9110, 14). */
import type { IncomingMessage } from 'node:http'
import { StrongroomError } from '../../errors.ts'
import { addressOf } from './address.ts'
import { connectionError, createTries, finalError, nothingCame, statusError } from './failures.ts'
import { badAnswer, bodyOf, discard, get } from './get.ts'

export interface HttpOptions {
  readonly signal: AbortSignal
  /** After so many milliseconds without a byte a connection is given up. */
  readonly idleMs?: number
  /** Milliseconds before each new try of what failed. */
  readonly waits?: readonly number[]
}

/** A file whose server gives parts of it. */
export interface RangedFile {
  readonly name: string
  readonly size: number
  /** Its beginning, as far as the first answer brought it. */
  readonly start: Buffer
  /**
   * The bytes from `from` up to `to`. A connection that breaks is made anew, and goes on where it stopped. Throws
   * `archive.changed` where the file is another one, `archive.unreachable`, `archive.bad_answer` and what a status stands for.
   */
  stream(from: number, to: number): AsyncGenerator<Buffer, void, void>
}

/** A file whose server gives it only as a whole. */
export interface WholeFile {
  readonly name: string
  /** All of it, once. */
  readonly body: AsyncGenerator<Buffer, void, void>
}

/** What Content-Range says of a part. */
interface Part {
  readonly from: number
  /** The first byte after the part. */
  readonly to: number
  readonly size: number
}

/**
 * Asks for the first `startBytes` of what lies at a URL, and learns so how long it is and whether its server gives parts.
 * Throws `archive.unreachable`, `archive.untrusted_server`, `archive.bad_answer` and what a status stands for.
 */
export async function openRanges(
  given: URL,
  startBytes: number,
  { signal, idleMs = 60_000, waits = [500, 1000, 2000, 4000] }: HttpOptions,
): Promise<RangedFile | WholeFile> {
  const address = addressOf(given)
  const { name } = address
  const options = { idleMs, signal }
  let isKnown = false

  async function ask(from: number, to: number, conditions: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    const response = await get(address, { range: `bytes=${from}-${to - 1}`, ...conditions }, options)
    isKnown = true
    return response
  }

  /** Tries `work` until it gives something. */
  async function persist<T>(work: () => Promise<T>): Promise<T> {
    const tries = createTries(waits, signal)
    for (;;) {
      try {
        return await work()
      } catch (error) {
        await tries.next(connectionError(error, name, isKnown))
      }
    }
  }

  return persist(async () => {
    const response = await ask(0, startBytes, {})
    const { statusCode, headers } = response
    if (statusCode === 200) return { name, body: whole(response) }
    const isEmpty = statusCode === 416 && headers['content-range'] === 'bytes */0'
    if (statusCode !== 206 && !isEmpty) throw refused(response, statusError(response, name))
    const part = isEmpty ? nothing : parseContentRange(headers['content-range'])
    if (part?.from !== 0 || part.to > startBytes) throw refused(response, otherPart(name))
    const stamp = stampOf(headers, part.size)
    const start = await beginning(response, part.to)
    return {
      name,
      size: part.size,
      start,
      stream: (from: number, to: number) => stream(from, to, stamp),
    }
  })

  async function beginning(response: IncomingMessage, length: number): Promise<Buffer> {
    const start = Buffer.alloc(length)
    let filled = 0
    for await (const chunk of length === 0 ? [] : bodyOf(response, options)) {
      if (filled + chunk.length > length) throw tooMuch(name)
      filled += chunk.copy(start, filled)
    }
    return start.subarray(0, filled)
  }

  async function* whole(response: IncomingMessage): AsyncGenerator<Buffer, void, void> {
    try {
      yield* bodyOf(response, options)
    } catch (error) {
      signal.throwIfAborted()
      throw finalError(connectionError(error, name, true))
    }
  }

  async function* stream(from: number, to: number, stamp: Stamp): AsyncGenerator<Buffer, void, void> {
    const tries = createTries(waits, signal)
    let at = from
    while (at < to) {
      try {
        const response = await ask(at, to, conditionsOf(stamp))
        const until = checkedEnd(response, at, to, stamp, name)
        const before = at
        for await (const chunk of bodyOf(response, options)) {
          if (at + chunk.length > until) throw tooMuch(name)
          at += chunk.length
          tries.renew()
          yield chunk
        }
        if (at === before) throw nothingCame(name)
      } catch (error) {
        await tries.next(connectionError(error, name, true))
      }
    }
  }
}

/** What tells a file from another one at the same address. */
interface Stamp {
  readonly etag: string | undefined
  readonly modified: string | undefined
  readonly size: number
}

const stampOf = (headers: IncomingMessage['headers'], size: number): Stamp => ({
  etag: headers.etag,
  modified: headers['last-modified'],
  size,
})

/** What makes the server say 412 for another file. Weak tags (`W/"…"`) cannot be asked for. */
const conditionsOf = ({ etag, modified }: Stamp): Readonly<Record<string, string>> =>
  etag?.startsWith('"') === true
    ? { 'if-match': etag }
    : modified === undefined
      ? {}
      : { 'if-unmodified-since': modified }

/** Where the part of an answer ends. Not every server minds conditions, so what it says of the file is compared, too. */
function checkedEnd(response: IncomingMessage, from: number, to: number, stamp: Stamp, archive: string): number {
  const { statusCode, headers } = response
  if (statusCode !== 206 && statusCode !== 200 && statusCode !== 416) {
    throw refused(response, statusError(response, archive))
  }
  const part = parseContentRange(headers['content-range'])
  const size = statusCode === 200 ? Number(headers['content-length'] ?? stamp.size) : part?.size
  const now = stampOf(headers, size ?? stamp.size)
  const isOther = now.etag !== stamp.etag || now.modified !== stamp.modified || now.size !== stamp.size
  if (statusCode === 416 || isOther) throw refused(response, new StrongroomError('archive.changed', { archive }))
  if (statusCode === 200) throw refused(response, badAnswer(archive, 'its server gives parts of it no more'))
  if (part === undefined || part.from !== from || part.to > to) {
    throw refused(response, otherPart(archive))
  }
  return part.to
}

function parseContentRange(text: string | undefined): Part | undefined {
  const [first, last, size] = (/^bytes (\d+)-(\d+)\/(\d+)$/i.exec(text ?? '') ?? []).slice(1).map(Number)
  if (first === undefined || last === undefined || size === undefined) return undefined
  return first <= last && last < size && Number.isSafeInteger(size) ? { from: first, to: last + 1, size } : undefined
}

const nothing: Part = { from: 0, to: 0, size: 0 }

const otherPart = (archive: string): StrongroomError =>
  badAnswer(archive, 'its server gives another part of it than was asked for')

const tooMuch = (archive: string): StrongroomError =>
  badAnswer(archive, 'its server sends more of it than was asked for')

function refused(response: IncomingMessage, error: Error): Error {
  discard(response)
  return error
}
