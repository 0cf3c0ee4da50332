/** What went wrong with a request: what ends the reading, and what is worth another try. */
import type { IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { StrongroomError } from '../../errors.ts'
import { systemCode } from '../files.ts'
import { reasonOf } from '../text.ts'

/** Thrown for what may be over soon. */
class Passing extends Error {
  /** What is thrown where it is not. */
  readonly final: StrongroomError
  /** Milliseconds that the server asks to wait. */
  readonly wait: number

  constructor(final: StrongroomError, wait = 0) {
    super(final.message, { cause: final })
    this.final = final
    this.wait = wait
  }
}

const passingStatus: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])
const mostWaitMs = 60_000

/** The error for an answer that is not what was asked for. */
export function statusError(response: IncomingMessage, archive: string): Error {
  const status = response.statusCode ?? 0
  const details = { archive, status }
  if (status === 401 || status === 403) return new StrongroomError('archive.url_denied', details)
  if (status === 404 || status === 410) return new StrongroomError('archive.url_not_found', details)
  if (status === 412) return new StrongroomError('archive.changed', { archive })
  const final = new StrongroomError('archive.http_status', details)
  return passingStatus.has(status) ? new Passing(final, retryAfter(response.headers['retry-after'])) : final
}

/** Milliseconds that Retry-After (RFC 9110, 10.2.3) asks for, at most a minute. */
function retryAfter(text = ''): number {
  const asked = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(asked) ? 0 : Math.min(mostWaitMs, Math.max(0, asked))
}

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of its host could not be looked up',
  ECONNREFUSED: 'its host refuses the connection',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its host',
}

/** The connection was there, and is no more: another try may go further. */
const broken: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE'])
const unreachable: ReadonlySet<string | undefined> = new Set([...Object.keys(words), 'ETIMEDOUT'])

function reasonFor(code: string, error: unknown): string {
  // What OpenSSL and the parser of HTTP say is for those who write servers.
  if (/^(EPROTO$|ERR_SSL_)/.test(code)) return 'its host does not speak https there'
  if (code.startsWith('HPE_')) return 'its host does not answer as a web server does'
  return words[code] ?? (reasonOf(error) || code)
}

const isOfCertificate = (code: string): boolean =>
  /CERT|^UNABLE_TO_|^CRL_|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$|^PATH_LENGTH_EXCEEDED$/.test(code)

/**
 * The error for what the system says of a connection; one of ours is passed on. Once the server has answered
 * (`isKnown`), it is worth waiting for; before, the address may be wrong.
 */
export function connectionError(error: unknown, archive: string, isKnown: boolean): unknown {
  if (error instanceof StrongroomError || error instanceof Passing) return error
  const code = systemCode(error)
  if (code === undefined) return error
  const details = { archive, reason: reasonFor(code, error) }
  const options = { cause: error }
  if (isOfCertificate(code)) return new StrongroomError('archive.untrusted_server', details, options)
  const final = new StrongroomError('archive.unreachable', details, options)
  return broken.has(code) || (isKnown && unreachable.has(code)) ? new Passing(final) : final
}

/** The server sent nothing of what it announced. */
export const nothingCame = (archive: string): Error =>
  new Passing(new StrongroomError('archive.unreachable', { archive, reason: 'its server sends nothing' }))

/** What is thrown where there is no other try. */
export const finalError = (error: unknown): unknown => (error instanceof Passing ? error.final : error)

/** The tries that something has: one more than `waits`, the milliseconds before each next one. */
export function createTries(waits: readonly number[], signal: AbortSignal) {
  let failed = 0
  return {
    /** Something came: what fails from now on has all its tries. */
    renew(): void {
      failed = 0
    },
    /** Resolves when it is time for another try; throws where there is to be none. */
    async next(failure: unknown): Promise<void> {
      signal.throwIfAborted()
      if (!(failure instanceof Passing)) throw failure
      const wait = waits[failed]
      if (wait === undefined) throw failure.final
      failed += 1
      await delay(Math.max(wait, failure.wait), undefined, { signal }).catch(() => signal.throwIfAborted())
    },
  }
}
