import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import type { CommandInstance } from './command-instances.ts'

const program = join(import.meta.dirname, '../../src/main.ts')

export interface Ended {
  /** Null where it was killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts a command on an instance in a process of its own. */
export function startCommand(
  { dataDirectory, url }: Pick<CommandInstance, 'dataDirectory' | 'url'>,
  args: readonly string[],
) {
  const base = ['--data', dataDirectory, ...(url === undefined ? [] : ['--database', url])]
  const child = spawn(process.execPath, [program, ...base, '--json', ...args], { env: { PATH: process.env['PATH'] } })
  // A process that was killed reads no more.
  child.stdin.on('error', () => undefined)
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const ended = once(child, 'close').then(([code]): Ended => ({
    code: code as number | null,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  }))
  return { child, ended }
}

const workerProgram = join(import.meta.dirname, 'command-worker.ts')

export interface Answer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs commands on an instance one after another in a process of its own, and in the next one where that was killed: a
 * command may be killed in the middle without the cost of a start for each.
 */
export function createWorker({ dataDirectory, url }: Pick<CommandInstance, 'dataDirectory' | 'url'>) {
  const base = ['--data', dataDirectory, ...(url === undefined ? [] : ['--database', url]), '--json']
  const start = () => {
    const child = spawn(process.execPath, [workerProgram], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin.on('error', () => undefined)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return { child, lines }
  }
  let current = start()
  return {
    /** Undefined where it was killed before it answered; `killAfter` in milliseconds. */
    async run(args: readonly string[], killAfter?: number): Promise<Answer | undefined> {
      const { child, lines } = current
      child.stdin.write(`${JSON.stringify([...base, ...args])}\n`)
      const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter)
      const next = await lines.next()
      clearTimeout(timer)
      if (next.done !== true) return JSON.parse(next.value) as Answer
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      if (child.signalCode !== 'SIGKILL') throw new Error(`The worker ended with ${child.exitCode}: ${args.join(' ')}`)
      current = start()
      return undefined
    },
    async [Symbol.asyncDispose]() {
      const { child } = current
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.stdin.end()
      await exited
    },
  }
}

/** Waits until the database server has noticed that all its clients are gone; SQLite's locks go with their process. */
export async function clientsGone(url: string | undefined): Promise<void> {
  if (url === undefined) return
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const others = 'select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
    while ((await client.query(others)).rowCount !== 0) await delay(5)
  } finally {
    await client.end()
  }
}
