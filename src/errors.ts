/**
 * The one error class and the one registry of its codes. Imports nothing but those; every room may import it.
 *
 * A message says what happened and to what; a hint says what to do about it. `{name}` in either stands for the detail
 * of that name. docs/errors.md lists every code, and a test holds the two together.
 */
import { archiveCodes } from './error-codes/archives.ts'
import type { ErrorEntry, ErrorKind } from './error-codes/entry.ts'
import { instanceCodes } from './error-codes/instance.ts'
import { programCodes } from './error-codes/program.ts'

export type { ErrorKind }

const registry = { ...programCodes, ...instanceCodes, ...archiveCodes } as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof registry
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>

const entries: Readonly<Record<ErrorCode, ErrorEntry>> = registry

/** Every code with its kind and its two templates, for the documentation's test. */
export const errorRegistry: Readonly<Record<string, ErrorEntry>> = registry

const fill = (template: string, details: ErrorDetails): string =>
  template.replace(/\{(\w+)\}/g, (whole, name: string) => (name in details ? String(details[name]) : whole))

/** The only error that Strongroom throws on purpose. `cause` is what happened below, shown with --debug. */
export class StrongroomError extends Error {
  readonly code: ErrorCode
  readonly kind: ErrorKind
  readonly hint: string
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(fill(entries[code].message, details), options)
    this.name = 'StrongroomError'
    this.code = code
    this.kind = entries[code].kind
    this.hint = fill(entries[code].hint, details)
    this.details = details
  }
}
