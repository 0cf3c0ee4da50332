import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { type Measured, measure, median } from './measure.ts'
import { say, saySoFar } from './report.ts'

export interface Contender {
  readonly name: string
  readonly command: string
  /** What it writes. */
  readonly output: string
  /** A command line that fails where the output is not right. */
  readonly check: string
  /** The program that must be there. */
  readonly needs?: string
  /** Its output is wanted no more when it was checked. It runs in the first round alone. */
  readonly aside?: boolean
}

export interface Result {
  readonly contender: Contender
  readonly runs: readonly Measured[]
  readonly megabytes: number
}

export type Results = ReadonlyMap<string, Result>

/** True where the program can be started. */
export const isInstalled = (program: string): boolean =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined

/**
 * Runs each contender once a round, one after the other, and checks the last output of each. The first of all runs once
 * more before, which fills the caches and does not count.
 */
export async function inTurns(
  contenders: readonly Contender[],
  rounds: number,
): Promise<{ readonly results: Results; readonly right: boolean }> {
  const present = contenders.filter(({ name, needs }) => {
    const found = needs === undefined || isInstalled(needs)
    if (!found) say(`${name}: not measured, ${needs} is not installed`)
    return found
  })
  const runs = new Map(present.map(({ name }) => [name, [] as Measured[]]))
  await measure(present[0]!.command)
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, command, aside } of present) {
      if (aside === true && round > 0) continue
      const measured = await measure(command)
      runs.get(name)!.push(measured)
      saySoFar(`round ${round + 1} of ${rounds}, ${name}: ${measured.seconds.toFixed(2)} s`)
    }
  }
  let right = true
  const results = new Map<string, Result>()
  for (const contender of present) {
    const { name, check, output, aside } = contender
    await measure(check).catch((error: unknown) => {
      say(`${name}: its output is WRONG: ${String(error)}`)
      right = false
    })
    results.set(name, { contender, runs: runs.get(name)!, megabytes: bytesOf(output) / 1e6 })
    if (aside === true) await rm(output, { recursive: true, force: true })
  }
  return { results, right }
}

/** Of a file, or of all files below a folder. */
function bytesOf(path: string): number {
  const { stdout } = spawnSync('find', [path, '-type', 'f', '-printf', '%s\n'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  return stdout.split('\n').reduce((sum, line) => sum + Number(line), 0)
}

/** The median of the ratios round by round: what disturbs the machine disturbs both of a round. */
export function ratio(result: Result, other: Result, value: (run: Measured) => number): number {
  return median(result.runs.map((run, round) => value(run) / value(other.runs[round]!)))
}

export const wall = ({ seconds }: Measured): number => seconds
export const cpu = ({ cpuSeconds }: Measured): number => cpuSeconds
/** The highest of all rounds. */
export const peak = ({ runs }: Result): number => Math.max(...runs.map(({ peakMegabytes }) => peakMegabytes))
