import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** A request that the server was sent. */
export interface Asked {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Its Range, both ends included; undefined where it asked for all. */
  readonly range: { readonly first: number; readonly last: number } | undefined
}

/** Answers instead of the server, or changes what it will say, by `setHeader`. True where it has answered. */
export type Hook = (asked: Asked, response: ServerResponse, number: number) => boolean | Promise<boolean>

/** A hook that answers everything so. */
export const always =
  (status: number, headers: OutgoingHttpHeaders = {}, body: string | Uint8Array = ''): Hook =>
  (_asked, response) => {
    response.writeHead(status, headers).end(body)
    return true
  }

export interface RangeServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or https. Every path below it is the file. */
  readonly origin: string
  /** What was asked so far, the first one first. */
  readonly asked: readonly Asked[]
  /** How many requests there were since the last `reset`. */
  readonly requests: number
  /** Bytes of the file that were given out since then. */
  readonly bytesSent: number
  /** The file that is served; another one has another ETag. */
  file: string
  hook: Hook | undefined
  reset(): void
}

export interface TlsPair {
  readonly key: string
  readonly cert: string
}

/** Serves a file on the loopback by range requests, with a strong ETag and If-Match, as nginx and S3 do. */
export async function serveFile(file: string, tls?: TlsPair): Promise<RangeServer> {
  const asked: Asked[] = []
  let requests = 0
  let bytesSent = 0
  const answer: RequestListener = (request, response) => {
    const range = rangeOf(request.headers.range)
    const one = { path: request.url ?? '', headers: request.headers, range }
    asked.push(one)
    requests += 1
    void give(one, response, requests).catch((error: unknown) => response.destroy(error as Error))
  }
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)

  async function give(one: Asked, response: ServerResponse, number: number): Promise<void> {
    if ((await served.hook?.(one, response, number)) === true) return
    const { size, mtimeMs } = await stat(served.file)
    const etag = `"${size}-${mtimeMs}"`
    const match = one.headers['if-match']
    if (match !== undefined && match !== etag) return void response.writeHead(412).end()
    const { first = 0, last = size - 1 } = one.range ?? {}
    if (first >= size) return void response.writeHead(416, { 'content-range': `bytes */${size}` }).end()
    const end = Math.min(last, size - 1)
    if (one.range !== undefined) response.setHeader('content-range', `bytes ${first}-${end}/${size}`)
    response.setHeader('etag', etag)
    response.setHeader('content-length', end + 1 - first)
    response.writeHead(one.range === undefined ? 200 : 206)
    for await (const chunk of createReadStream(served.file, { start: first, end }) as AsyncIterable<Buffer>) {
      if (response.destroyed) return
      bytesSent += chunk.length
      if (!response.write(chunk)) await drained(response)
    }
    response.end()
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const served: RangeServer = {
    origin: `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}`,
    asked,
    get requests() {
      return requests
    },
    get bytesSent() {
      return bytesSent
    },
    file,
    hook: undefined,
    reset() {
      requests = 0
      bytesSent = 0
      asked.length = 0
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return served
}

function rangeOf(header = ''): Asked['range'] {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(header) ?? []
  return first === undefined ? undefined : { first: Number(first), last: Number(last) }
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go)
      resolve()
    }
    response.on('drain', go).on('close', go)
  })
