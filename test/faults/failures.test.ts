import { afterAll, describe, expect, test } from 'vitest'
import { sampled } from './calls.ts'
import { operations } from './operations.ts'
import { describeFailure, isWhole, prepareTrial, tally, tryFailure, wanted } from './tries.ts'

/** How many points of an operation are tried in a usual run. */
const limits = { sqlite: 36, postgres: 4 }

const hits = tally('Failures of the system in the middle of an operation')
afterAll(() => hits.print())

describe.each(wanted(operations))('$operation.name on $kind', ({ operation, kind }) => {
  test('leaves the instance as before or as after, whatever call fails', { timeout: 3_600_000 }, async () => {
    await using trial = await prepareTrial(operation, kind)
    const points = sampled(trial.points('failures'), limits[kind])
    const failed: string[] = []
    for (const point of points) {
      try {
        if (await tryFailure(trial, point)) hits.add(kind, point)
      } catch (error) {
        failed.push(describeFailure(point, error))
      }
    }
    expect(failed).toEqual([])
  })
})

test('at least 200 distinct points were hit on SQLite', () => {
  expect(hits.count('sqlite')).toBeGreaterThanOrEqual(isWhole ? 200 : 0)
})
