import { afterAll, describe, expect, test } from 'vitest'
import { sampled } from './calls.ts'
import { operations } from './operations.ts'
import { describeFailure, prepareTrial, tally, tryKill, wanted } from './tries.ts'

/** How many points of an operation are tried in a usual run. */
const limits = { sqlite: 6, postgres: 2 }

const hits = tally('Processes killed with SIGKILL')
afterAll(() => hits.print())

describe.each(wanted(operations))('$operation.name on $kind', ({ operation, kind }) => {
  test('leaves the instance as before or as after, wherever it is killed', { timeout: 3_600_000 }, async () => {
    await using trial = await prepareTrial(operation, kind)
    const failed: string[] = []
    for (const point of sampled(trial.points('kills'), limits[kind])) {
      try {
        if (await tryKill(trial, point)) hits.add(kind, point)
      } catch (error) {
        failed.push(describeFailure(point, error))
      }
    }
    expect(failed).toEqual([])
  })
})
