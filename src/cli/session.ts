import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Access, App, Instance } from '../app.ts'
import type { Notices, OnProgress, Report } from '../contract/reports.ts'
import { StrongroomError } from '../errors.ts'
import { isHttpUrl } from '../std/http/address.ts'
import { display } from '../std/text.ts'
import { exitLeftOut } from './exit-codes.ts'
import { showProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'
import { countText } from './units.ts'

/** The options that every command takes. */
export interface GlobalOptions {
  readonly data?: string
  readonly database?: string
  readonly json?: true
  readonly quiet?: true
  readonly debug?: true
}

/** What a command works with: the program, and the ways to say something. */
export interface Session {
  readonly terminal: Terminal
  readonly signal: AbortSignal
  readonly json: boolean
  app(): Promise<App>
  /** What --database says, for a command in which it names another database; the instance is then that of --data alone. */
  takeDatabase(): string | undefined
  /** Opens the instance for `work`, and closes it. */
  withInstance<T>(access: Access, command: string, work: (instance: Instance) => Promise<T>): Promise<T>
  /** Runs an operation, and shows how far it is, until the operation ends or says `stop`. */
  withProgress<T>(work: (onProgress: OnProgress, stop: () => void) => Promise<T>): Promise<T>
  /** A path that was typed, made absolute. Throws `usage.url` for a URL. */
  path(typed: string): string
  /** Writes to standard output, no faster than it is read. */
  write(text: string): Promise<void>
  /**
   * Ends a command: the report as JSON, or the lines for people with the notices on standard error. Sets the exit code 3
   * where something was left out. `json` gives the JSON of a report in pieces where it is too long to be one text.
   */
  report(report: Report, lines: () => Iterable<string>, json?: () => Iterable<string>): Promise<void>
  /** The exit code of the command, unless it throws. */
  exitCode: number
}

// More would scroll what matters out of sight; --json has them all, as far as the report lists them.
const shownNotices = 20

export function createSession(terminal: Terminal, options: () => GlobalOptions, signal: AbortSignal): Session {
  let app: Promise<App> | undefined
  let isTaken = false

  async function write(text: string): Promise<void> {
    signal.throwIfAborted()
    if (terminal.stdout.write(text)) return
    await once(terminal.stdout, 'drain', { signal }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw error
    })
  }

  function notices(word: string, { listed, total }: Notices): void {
    for (const { about, message } of listed.slice(0, shownNotices)) {
      terminal.stderr.write(`${word}: ${about === '' ? '' : `${display(about)}: `}${display(message)}\n`)
    }
    const more = total - Math.min(listed.length, shownNotices)
    if (more > 0) terminal.stderr.write(`${word}: … and ${countText(more)} more\n`)
  }

  const session: Session = {
    terminal,
    signal,
    exitCode: 0,
    get json() {
      return options().json === true
    },
    app() {
      const { data, database } = options()
      app ??= terminal.openApp({ data, database: isTaken ? undefined : database })
      return app
    },
    takeDatabase() {
      isTaken = true
      return options().database
    },
    async withInstance(access, command, work) {
      await using instance = await (await session.app()).open({ access, command })
      return await work(instance)
    },
    async withProgress(work) {
      using progress = await showProgress(terminal.stderr, options().quiet === true, signal)
      return await work(progress.onProgress, () => progress[Symbol.dispose]())
    },
    path(typed) {
      if (isHttpUrl(typed)) throw new StrongroomError('usage.url')
      return resolve(terminal.workingDirectory, typed)
    },
    write,
    async report(report, lines, json = () => [JSON.stringify(report)]) {
      if (report.leftOut.total > 0) session.exitCode = exitLeftOut
      if (session.json) {
        for (const piece of json()) await write(piece)
        return write('\n')
      }
      for (const line of lines()) await write(`${line}\n`)
      if (options().quiet !== true) notices('warning', report.warnings)
      notices('left out', report.leftOut)
    },
  }
  return session
}
