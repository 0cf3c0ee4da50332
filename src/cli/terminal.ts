import type { Readable, Writable } from 'node:stream'
import type { App } from '../app.ts'

/** What a command line is given by the process that runs it, or by a test. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  /** Relative paths start here. */
  readonly workingDirectory: string
  /** Aborted with a `program.interrupted` error when a signal asks the command to end. */
  readonly signal: AbortSignal
  /** Wires the program for these options. */
  readonly openApp: (options: { data?: string | undefined; database?: string | undefined }) => Promise<App>
}
