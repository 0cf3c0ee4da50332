/** Runs the command line in this process. The only file that ends it. */
import { constants } from 'node:os'
import { reportFailure, run } from './cli/run.ts'
import { StrongroomError } from './errors.ts'

const args = process.argv.slice(2)
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second time it ends at once: what is left behind is cleared up by the next command.
    if (interrupted.signal.aborted) process.exit(128 + constants.signals[signal])
    interrupted.abort(new StrongroomError('program.interrupted', { signal }))
  })
}
// A reader that went away is noticed while the command runs; afterwards there is nobody to tell.
for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on('error', () => undefined)
// Also what nobody waited for is told as any other error, and without a stack.
process.on('uncaughtException', (error) => {
  const { signal } = interrupted
  process.exit(reportFailure(signal.aborted ? signal.reason : error, args, process))
})

const exitCode = await run(args, {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  workingDirectory: process.cwd(),
  signal: interrupted.signal,
  openApp: async (options) => {
    const [{ createApp }, { processEnvironment, readConfig }] = await Promise.all([
      import('./app.ts'),
      import('./config.ts'),
    ])
    return createApp(readConfig(processEnvironment(), options, process.cwd()))
  },
})
process.exit(exitCode)
