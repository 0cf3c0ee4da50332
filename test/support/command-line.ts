import { Readable, Writable } from 'node:stream'
import { createApp } from '../../src/app.ts'
import type { Overrides } from '../../src/app.ts'
import { run } from '../../src/cli/run.ts'
import { readConfig } from '../../src/config.ts'
import type { Environment } from '../../src/config.ts'

export interface CommandOptions {
  readonly environment?: Environment
  readonly stdin?: string | Uint8Array | Readable
  readonly workingDirectory?: string
  readonly signal?: AbortSignal
  readonly overrides?: Overrides
}

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stdoutBytes: Buffer
  readonly stderr: string
}

/** Runs a command line in this process, as `strongroom` would, with nothing of this process's environment. */
export async function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { environment = {}, stdin = '', workingDirectory = process.cwd(), overrides = {} } = options
  const stdout = collector()
  const stderr = collector()
  const exitCode = await run(args, {
    stdin: stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    workingDirectory,
    signal: options.signal ?? new AbortController().signal,
    openApp: async (given) => createApp(readConfig(environment, given, workingDirectory), overrides),
  })
  return { exitCode, stdout: stdout.bytes().toString(), stdoutBytes: stdout.bytes(), stderr: stderr.bytes().toString() }
}

function collector() {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return { stream, bytes: () => Buffer.concat(chunks) }
}
