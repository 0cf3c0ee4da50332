import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const launcher = join(import.meta.dirname, '..', 'strongroom')

export interface Measured {
  readonly seconds: number
  /** Of the command and all that it started, user and system. */
  readonly cpuSeconds: number
  /** The most memory that one of its processes had resident, as the kernel counts it. */
  readonly peakMegabytes: number
  /** The SHA-256 of what it wrote to standard output, which may be long. */
  readonly output: string
}

let stopped: NodeJS.Signals | undefined
let running: number | undefined

/** Lets an interrupted run end by an error, so that all is cleared up: the command that is measured ends first. */
export function stopBySignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stopped = signal
      if (running !== undefined) process.kill(-running, signal)
    })
  }
}

/** Runs a command line of the shell to its end. Throws where it fails. */
export async function measure(commandLine: string): Promise<Measured> {
  if (stopped !== undefined) throw new Error(`Interrupted by ${stopped}`)
  const started = performance.now()
  const script = `(${commandLine}); status=$?; times >&3; exit $status`
  // In a group of its own, which a signal reaches whole.
  const child = spawn('bash', ['-o', 'pipefail', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    detached: true,
  })
  running = child.pid
  const hash = createHash('sha256')
  child.stdout!.on('data', (chunk: Uint8Array) => hash.update(chunk))
  let times = ''
  child.stdio[3]!.on('data', (chunk: Uint8Array) => (times += Buffer.from(chunk).toString()))
  let peakMegabytes = 0
  const timer = setInterval(() => {
    void peakBelow(child.pid!).then((peak) => (peakMegabytes = Math.max(peak, peakMegabytes)))
  }, 50)
  const [code] = (await once(child, 'close')) as [number | null]
  clearInterval(timer)
  running = undefined
  const seconds = (performance.now() - started) / 1000
  if (code !== 0) throw new Error(`${commandLine} ended with exit code ${code}`)
  return { seconds, cpuSeconds: cpuOf(times), peakMegabytes, output: hash.digest('hex') }
}

/** The second line that `times` of the shell writes: what its children used. */
function cpuOf(times: string): number {
  const parts = [...(times.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
}

async function peakBelow(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const peaks = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => peakBelow(Number(child))),
  )
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Math.max(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024, ...peaks)
}

export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** The command line of a command on an instance. */
export function strongroom(place: Place, ...command: string[]): string {
  const database = place.database === undefined ? [] : ['--database', place.database]
  return [launcher, ...command, '--data', place.data, '--quiet', ...database].map(quote).join(' ')
}

/** Where an instance lies. */
export interface Place {
  readonly data: string
  readonly database?: string | undefined
}

/** The middle one of a few. */
export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!
