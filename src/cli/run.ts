import type { Writable } from 'node:stream'
import { Command, CommanderError } from 'commander'
import { StrongroomError } from '../errors.ts'
import { systemCode, toFileError } from '../std/files.ts'
import { programVersion } from '../std/program.ts'
import { display, reasonOf } from '../std/text.ts'
import { addAudit } from './commands/audit.ts'
import { addBackup } from './commands/backup.ts'
import { addCheck } from './commands/check.ts'
import { addCompare } from './commands/compare.ts'
import { addDrill } from './commands/drill.ts'
import { addExport } from './commands/export.ts'
import { addExtract } from './commands/extract.ts'
import { addImport } from './commands/import.ts'
import { addImportPapermerge } from './commands/import-papermerge.ts'
import { addInspect } from './commands/inspect.ts'
import { addMigrate } from './commands/migrate.ts'
import { addMkdir } from './commands/mkdir.ts'
import { addMv } from './commands/mv.ts'
import { addPrune } from './commands/prune.ts'
import { addRestorePoints } from './commands/restore-points.ts'
import { addRestore } from './commands/restore.ts'
import { addRm } from './commands/rm.ts'
import { addTag } from './commands/tag.ts'
import { addTrash } from './commands/trash.ts'
import { addTree } from './commands/tree.ts'
import { addUser } from './commands/user.ts'
import { addVerify } from './commands/verify.ts'
import { exitCodeOf } from './exit-codes.ts'
import { createSession } from './session.ts'
import type { GlobalOptions, Session } from './session.ts'
import type { Terminal } from './terminal.ts'

// In the order in which a newcomer needs them.
const commands: readonly ((program: Command, session: Session) => void)[] = [
  addMigrate,
  addUser,
  addImport,
  addTree,
  addMkdir,
  addMv,
  addRm,
  addTrash,
  addTag,
  addBackup,
  addVerify,
  addPrune,
  addInspect,
  addCompare,
  addExtract,
  addExport,
  addRestore,
  addImportPapermerge,
  addRestorePoints,
  addCheck,
  addDrill,
  addAudit,
]

const examples = `
Example:
  $ strongroom migrate
  $ strongroom user add ada --superuser
  $ strongroom import ~/Documents --user ada
  $ strongroom backup /mnt/backups/

"strongroom COMMAND --help" says more about a command.`

/**
 * The whole command line in one call: parses `args` (without the program's name), runs the command and resolves to the
 * exit code of docs/operations.md. Never throws, never ends the process, and can be called any number of times.
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const ended = new AbortController()
  const signal = AbortSignal.any([terminal.signal, ended.signal])
  // A reader that goes away, as `head` does, ends the command like SIGPIPE would.
  const outputFailed = (error: Error) =>
    ended.abort(
      systemCode(error) === 'EPIPE'
        ? new StrongroomError('program.interrupted', { signal: 'SIGPIPE' })
        : toFileError(error, 'standard output', 'written'),
    )
  terminal.stdout.on('error', outputFailed)
  // Whoever waits for input is to wait no longer.
  const stopReading = () => terminal.stdin.destroy()
  signal.addEventListener('abort', stopReading, { once: true })
  const program = new Command('strongroom')
  const session = createSession(terminal, () => program.opts<GlobalOptions>(), signal)
  try {
    define(program, session)
    await program.parseAsync(helpLast(args), { from: 'user' })
    await flushed(terminal.stdout)
    signal.throwIfAborted()
    return session.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    const failure = signal.aborted ? signal.reason : error
    return reportFailure(failure, args, terminal)
  } finally {
    terminal.stdout.off('error', outputFailed)
    signal.removeEventListener('abort', stopReading)
  }
}

/** Resolves when all that was written has been taken over, or cannot be; an error then has reached the listeners. */
const flushed = (stream: Writable): Promise<void> =>
  new Promise((resolve) => stream.write('', () => setImmediate(resolve)))

function define(program: Command, session: Session): void {
  const { stdout, stderr } = session.terminal
  program
    .description('A self-hosted document archive whose backups can be proved.')
    .version(programVersion, '--version', 'print the version')
    .option('--data <folder>', 'the data directory (else STRONGROOM_DATA, else ./data)')
    .option(
      '--database <url>',
      'postgres://… or sqlite:PATH (else STRONGROOM_DATABASE_URL, else in the data directory)',
    )
    .option('--json', 'print one JSON report and nothing else on standard output')
    .option('--quiet', 'no progress and no warnings')
    .option('--debug', 'print the stack of an error')
    .helpOption('-h, --help', 'say how it is used')
    .helpCommand(false)
    .addHelpText('after', examples)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined,
    })
    .exitOverride()
  for (const add of commands) add(program, session)
  refuse(program, [])
}

/** Turns what commander refuses into errors of ours, which know the command that was meant. */
function refuse(command: Command, path: readonly string[]): void {
  const words = path.join(' ')
  command.exitOverride((error) => {
    if (error.exitCode === 0) throw error
    const shown = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ')
    const reason =
      error.code === 'commander.help' ? `${['strongroom', ...path].join(' ')} needs a command.` : sentence(shown)
    throw words === ''
      ? new StrongroomError('usage.unknown_command', { reason }, { cause: error })
      : new StrongroomError('usage.invalid', { command: words, reason }, { cause: error })
  })
  for (const inner of command.commands) refuse(inner, [...path, inner.name()])
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!)]$/.test(text) ? '' : '.'}`

/** Moves a --help before the command's name behind it, so that it is about that command. */
function helpLast(args: readonly string[]): string[] {
  const at = args.findIndex((arg) => arg === '--help' || arg === '-h')
  const end = args.indexOf('--')
  if (at === -1 || (end !== -1 && end < at)) return [...args]
  const rest = args.filter((_arg, index) => index !== at)
  const options = end === -1 ? rest.length : end - 1
  return [...rest.slice(0, options), '--help', ...rest.slice(options)]
}

/**
 * Says what went wrong, as `run` does, and returns the exit code. For what is thrown outside of it, in a callback that nobody
 * waits for.
 */
export function reportFailure(
  error: unknown,
  args: readonly string[],
  output: Pick<Terminal, 'stdout' | 'stderr'>,
): number {
  const { stdout, stderr } = output
  const first = firstFailure(error)
  const failure =
    first instanceof StrongroomError
      ? first
      : new StrongroomError('program.fault', { reason: reasonOf(first) }, { cause: first })
  const code = exitCodeOf(failure)
  if (failure.details['signal'] === 'SIGPIPE') return code
  // A command that could not be parsed has no options yet.
  const options = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  if (options.includes('--debug')) stderr.write(`${stackOf(failure)}\n`)
  if (options.includes('--json')) {
    const { code: name, message, hint, details } = failure
    stdout.write(`${JSON.stringify({ error: { code: name, message, hint, details } })}\n`)
  } else {
    stderr.write(`error: ${display(failure.message)}\nwhat to do: ${display(failure.hint)}\ncode: ${failure.code}\n`)
  }
  return code
}

/** What went wrong first, where clearing up after it failed too, as on a disk that is full. */
const firstFailure = (error: unknown): unknown =>
  error instanceof SuppressedError ? firstFailure(error.suppressed) : error

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return display(String(error))
  const stack = (error.stack ?? String(error)).split('\n').map(display).join('\n')
  return error.cause === undefined ? stack : `${stack}\ncaused by: ${stackOf(error.cause)}`
}
