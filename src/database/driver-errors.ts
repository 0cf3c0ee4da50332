import { StrongroomError, type ErrorCode } from '../errors.ts'
import { reasonOf } from '../std/text.ts'

/** What an error is about: how messages name the database, and how long it was waited for. */
export interface ErrorContext {
  readonly database: string
  readonly seconds: number
}

export type Translate = (error: unknown) => unknown

// The result codes of SQLite (https://www.sqlite.org/rescode.html); the low byte of an extended code is the primary one.
const sqliteCodes: Readonly<Record<number, ErrorCode>> = {
  3: 'database.denied', // PERM
  5: 'database.busy', // BUSY
  6: 'database.busy', // LOCKED
  7: 'database.failed', // NOMEM
  8: 'database.denied', // READONLY
  10: 'database.failed', // IOERR
  11: 'database.damaged', // CORRUPT
  13: 'database.no_space', // FULL
  14: 'database.unreachable', // CANTOPEN
  15: 'database.busy', // PROTOCOL: gave up waiting for the locks of the write-ahead log
  22: 'database.failed', // NOLFS
  23: 'database.denied', // AUTH
  26: 'database.damaged', // NOTADB
}

// Appendix A of PostgreSQL's manual; a whole code goes before its class, the first two characters.
const postgresCodes: Readonly<Record<string, ErrorCode>> = {
  '08': 'database.unreachable',
  '0A': 'database.failed',
  '25006': 'database.denied', // read-only transaction: a standby, or a server that was set so
  '28': 'database.denied',
  '3D': 'database.unreachable', // no database of that name
  '3F': 'database.denied', // no schema that may be written to
  '40': 'database.busy',
  '42501': 'database.denied',
  '53': 'database.failed',
  '53100': 'database.no_space',
  '53300': 'database.unreachable', // too many connections
  '54': 'database.failed',
  '55': 'database.failed',
  '55P03': 'database.busy',
  '57': 'database.failed',
  '57P01': 'database.unreachable',
  '57P02': 'database.unreachable',
  '57P03': 'database.unreachable',
  '57P05': 'database.unreachable',
  '58': 'database.failed',
  F0: 'database.failed',
  XX: 'database.failed',
  XX001: 'database.damaged',
  XX002: 'database.damaged',
}

const stringProperty = (error: object, name: string): string | undefined => {
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' ? value : undefined
}

// A failed connection to a name with several addresses is an AggregateError without a message of its own.
const reasonFor = (error: Error): string =>
  error.message !== ''
    ? error.message
    : error instanceof AggregateError && error.errors.length > 0
      ? reasonOf(error.errors[0])
      : (stringProperty(error, 'code') ?? error.name)

const translated = (error: Error, code: ErrorCode, { database, seconds }: ErrorContext): StrongroomError =>
  new StrongroomError(code, { database, seconds, reason: reasonFor(error) }, { cause: error })

/** The StrongroomError for what node:sqlite threw. A broken constraint or wrong SQL is a fault of the program. */
export function toSqliteError(error: unknown, context: ErrorContext): unknown {
  if (error instanceof StrongroomError || !(error instanceof Error)) return error
  const number: unknown = Reflect.get(error, 'errcode')
  const code = typeof number === 'number' ? sqliteCodes[number & 0xff] : undefined
  return translated(error, code ?? 'program.fault', context)
}

/** The StrongroomError for what pg threw: an answer of the server, or a connection that could not be had or was lost. */
export function toPostgresError(error: unknown, context: ErrorContext): unknown {
  if (error instanceof StrongroomError || !(error instanceof Error)) return error
  const sqlState = stringProperty(error, 'severity') === undefined ? undefined : stringProperty(error, 'code')
  if (sqlState !== undefined) {
    return translated(error, postgresCodes[sqlState] ?? postgresCodes[sqlState.slice(0, 2)] ?? 'program.fault', context)
  }
  // What pg itself finds while it proves the password to the server.
  if (error.message.startsWith('SASL')) return translated(error, 'database.denied', context)
  return translated(error, 'database.unreachable', context)
}
