import { describe, expect, test } from 'vitest'
import { keepReasons, type KeepRules } from './retention.ts'

/** One a day at noon, the newest first. */
function daily(newest: string, count: number): string[] {
  const first = Date.parse(`${newest}T12:00:00Z`)
  return Array.from({ length: count }, (_, day) => new Date(first - day * 86_400_000).toISOString())
}

const kept = (moments: readonly string[], rules: KeepRules): string[] => {
  const reasons = keepReasons(moments, rules)
  return moments.filter((_, at) => reasons[at]!.length > 0).map((moment) => moment.slice(0, 10))
}

describe('the rules of retention', () => {
  test('keep-last keeps the newest, whatever their days', () => {
    const moments = ['2026-11-24T12:00:00Z', '2026-11-24T11:00:00Z', '2026-11-24T10:00:00Z']
    expect(keepReasons(moments, { last: 2 })).toEqual([['last'], ['last'], []])
  })

  test('keep-daily keeps the newest of each day that has one, not of each day of the calendar', () => {
    const moments = ['2026-11-24T12:00:00Z', '2026-11-24T11:00:00Z', '2026-11-20T12:00:00Z', '2026-11-01T12:00:00Z']
    expect(keepReasons(moments, { daily: 2 })).toEqual([['daily'], [], ['daily'], []])
  })

  test('keep-weekly goes by weeks that begin on Monday and belong to the year of their Thursday', () => {
    // Sunday 3 January 2027 is in week 53 of 2026, the Monday after in week 1 of 2027.
    expect(kept(daily('2027-01-05', 20), { weekly: 3 })).toEqual(['2027-01-05', '2027-01-03', '2026-12-27'])
  })

  test('keep-monthly and keep-yearly keep the newest of each', () => {
    expect(kept(daily('2027-02-03', 80), { monthly: 2, yearly: 2 })).toEqual(['2027-02-03', '2027-01-31', '2026-12-31'])
  })

  test('a rule that has not had its number keeps the oldest too', () => {
    expect(kept(daily('2026-11-24', 5), { monthly: 12 })).toEqual(['2026-11-24', '2026-11-20'])
  })

  test('without a limit each period keeps one', () => {
    expect(kept(daily('2026-11-24', 400), { daily: 'all' })).toHaveLength(400)
  })

  test('several rules keep what any of them keeps, and each says so', () => {
    const reasons = keepReasons(daily('2026-11-24', 3), { last: 1, daily: 2 })
    expect(reasons).toEqual([['last', 'daily'], ['daily'], []])
  })

  test('no rule keeps nothing, and nothing is kept of nothing', () => {
    expect(keepReasons(daily('2026-11-24', 3), {})).toEqual([[], [], []])
    expect(keepReasons([], { last: 3 })).toEqual([])
  })
})
