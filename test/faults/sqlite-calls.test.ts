import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { hasProgram, needs } from '../support/needs.ts'
import { operations } from './operations.ts'
import { assertSound, expectedExits, prepareTrial, runAlone, tally, wanted, type Trial } from './tries.ts'

/**
 * What SQLite itself asks of the system, failed by strace. SQLite works in the first thread of the process, and strace without
 * `-f` sees no other; the program's own files are written by other threads.
 */

/** How many points of an operation are tried in a usual run. */
const limit = 6

const faults: Readonly<Record<string, readonly string[]>> = {
  pwrite64: ['error=ENOSPC', 'error=EIO', 'signal=SIGKILL'],
  fdatasync: ['error=EIO', 'signal=SIGKILL'],
  fsync: ['error=EIO', 'signal=SIGKILL'],
  ftruncate: ['error=EIO', 'signal=SIGKILL'],
  fallocate: ['error=ENOSPC', 'signal=SIGKILL'],
  unlink: ['error=EACCES', 'signal=SIGKILL'],
}

interface SystemCall {
  readonly call: string
  readonly ordinal: number
  readonly fault: string
}

const here = needs('strace', hasProgram('strace', '-V'), "failures of SQLite's own system calls")
const hits = tally("System calls of SQLite's failed by strace")
afterAll(() => hits.print())

/** Runs the operation once and lists what its first thread asks of the system. */
async function systemCalls(trial: Trial): Promise<SystemCall[]> {
  await using stage = await trial.stage()
  const trace = join(stage.folder, 'trace')
  const before = ['strace', '-o', trace, '-e', `trace=${Object.keys(faults).join(',')}`, '-e', 'signal=none']
  const { exitCode, output } = await runAlone(stage, trial.operation.args(stage), { before })
  expect(exitCode, output).toBe(0)
  const names = (await readFile(trace, 'utf8')).split('\n').flatMap((line) => /^(\w+)\(/.exec(line)?.[1] ?? [])
  const seen = new Map<string, number>()
  return names.flatMap((call) => {
    const ordinal = (seen.get(call) ?? 0) + 1
    seen.set(call, ordinal)
    return (faults[call] ?? []).map((fault) => ({ call, ordinal, fault }))
  })
}

/** Evenly spread over all there are. */
const spread = (points: readonly SystemCall[]): readonly SystemCall[] =>
  process.env.STRONGROOM_FAULTS === 'all' || points.length <= limit
    ? points
    : Array.from({ length: limit }, (_, index) => points[Math.floor(((index + 0.5) * points.length) / limit)]!)

async function fail(trial: Trial, { call, ordinal, fault }: SystemCall): Promise<boolean> {
  await using stage = await trial.stage()
  const trace = join(stage.folder, 'trace')
  const inject = `inject=${call}:${fault}:when=${ordinal}`
  const before = ['strace', '-o', trace, '-e', `trace=${call}`, '-e', inject, '-e', 'signal=none']
  const { exitCode, signal, output } = await runAlone(stage, trial.operation.args(stage), { before })
  if (signal === null) expect(expectedExits, output).toContain(exitCode)
  await assertSound(trial, stage, signal === null ? { exitCode: exitCode! } : undefined)
  // strace ends by the signal that ended what it watched.
  return signal === 'SIGKILL' || (await readFile(trace, 'utf8')).includes('INJECTED')
}

describe.skipIf(!here).each(wanted(operations).filter(({ kind }) => kind === 'sqlite'))(
  '$operation.name on SQLite',
  ({ operation, kind }) => {
    test('is as before or as after, whatever call of SQLite fails', { timeout: 3_600_000 }, async () => {
      await using trial = await prepareTrial(operation, kind)
      const failed: string[] = []
      for (const point of spread(await systemCalls(trial))) {
        try {
          if (await fail(trial, point)) hits.add(kind, { operation: operation.name, ...point })
        } catch (error) {
          failed.push(`${JSON.stringify(point)}: ${String(error)}`)
        }
      }
      expect(failed).toEqual([])
    })
  },
)
