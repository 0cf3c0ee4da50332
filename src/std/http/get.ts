/** One GET of HTTP: its redirects, its body as it was sent, and an end to waiting. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { StrongroomError } from '../../errors.ts'
import { programVersion } from '../program.ts'
import type { HttpAddress } from './address.ts'

export interface GetOptions {
  /** After so many milliseconds without a byte the connection is given up, with the code `ETIMEDOUT`. */
  readonly idleMs: number
  /** Ends what is being waited for, with whatever error the connection then has. */
  readonly signal: AbortSignal
}

const redirects: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308])
const mostRedirects = 10
const ownHeaders = { 'accept-encoding': 'identity', 'user-agent': `strongroom/${programVersion}` }
/** An unwanted body up to this length is read to its end, so that the connection can be used again. */
const shortBody = 64 * 1024

/**
 * Asks for something, and follows where it is sent, but not from https to http. User name and password go to the server that
 * they were given for alone. Resolves when the head of the answer is there; its body goes to `bodyOf` or `discard`. Throws
 * what the system says, and `archive.bad_answer`.
 */
export async function get(
  { url: first, name, authorization }: HttpAddress,
  headers: Readonly<Record<string, string>>,
  options: GetOptions,
): Promise<IncomingMessage> {
  let url = first
  for (let count = 0; count <= mostRedirects; count += 1) {
    const own = authorization !== undefined && url.origin === first.origin ? { authorization } : {}
    const response = await ask(url, { ...headers, ...own }, options)
    const { location } = response.headers
    if (!redirects.has(response.statusCode) || location === undefined) return response
    discard(response)
    url = redirected(location, url, name)
  }
  throw badAnswer(name, `its server sends from one address to the next, more than ${mostRedirects} times`)
}

function redirected(location: string, from: URL, name: string): URL {
  const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw badAnswer(name, 'its server sends to an address that is none of http or https')
  if (from.protocol === 'https:' && url.protocol === 'http:')
    throw badAnswer(name, 'its server sends from https to http, where anybody could change it on the way')
  url.username = ''
  url.password = ''
  return url
}

function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { idleMs, signal }: GetOptions,
): Promise<IncomingMessage> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(url, { headers: { ...ownHeaders, ...headers }, signal })
    const timer = setTimeout(() => request.destroy(idleError(idleMs)), idleMs)
    const done =
      <T>(settle: (value: T) => void) =>
      (value: T): void => {
        clearTimeout(timer)
        settle(value)
      }
    request.on('response', done(resolve)).on('error', done(reject)).end()
  })
}

/** The bytes as they were sent, whatever Content-Encoding calls them. Throws what the system says. */
export async function* bodyOf(response: IncomingMessage, { idleMs }: GetOptions): AsyncGenerator<Buffer, void, void> {
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  try {
    for (;;) {
      // Only while somebody waits: a reader that takes its time is no fault of the server.
      const timer = setTimeout(() => response.destroy(idleError(idleMs)), idleMs)
      const next = await chunks.next().finally(() => clearTimeout(timer))
      if (next.done === true) return
      yield next.value
    }
  } finally {
    if (!response.readableEnded) response.destroy()
  }
}

/** Ends an answer whose body nobody wants. */
export function discard(response: IncomingMessage): void {
  const length = Number(response.headers['content-length'] ?? Infinity)
  if (length <= shortBody) response.resume()
  else response.destroy()
}

export const badAnswer = (archive: string, reason: string): StrongroomError =>
  new StrongroomError('archive.bad_answer', { archive, reason })

const idleError = (idleMs: number): Error =>
  Object.assign(new Error(`nothing came for ${idleMs / 1000} seconds`), { code: 'ETIMEDOUT' })
