import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const launcher = join(import.meta.dirname, '../../strongroom')
const preload = pathToFileURL(join(import.meta.dirname, 'counting.ts'))

/** What a command took. */
export interface Counts {
  /** The most memory that its process had resident. */
  readonly peakMegabytes: number
  /** Handed to the system by any kind of write: files, pipes and the network. */
  readonly writtenBytes: number
  /** Statements that its databases were given. */
  readonly statements: { readonly instance: number; readonly scratch: number }
}

/** Runs a command to its end as people do, by the launcher, which bounds the memory too. Throws where it fails. */
export async function runCounted(args: readonly string[]): Promise<Counts> {
  const child = spawn(launcher, ['--quiet', ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], NODE_OPTIONS: `--import ${preload.href}` },
  })
  let said = ''
  let counts = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stdio[3]!.on('data', (chunk: Buffer) => (counts += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${said}`)
  return JSON.parse(counts) as Counts
}
