import { expect, test } from 'vitest'
import { fixedClock, systemClock, timestampOf, unixSeconds } from './clock.ts'

test('a timestamp is UTC with six decimals', () => {
  expect(timestampOf(new Date('2026-11-24T14:03:52.304+01:00'))).toBe('2026-11-24T13:03:52.304000Z')
  expect(systemClock.now()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
})

test('a fixed clock stands still', () => {
  const clock = fixedClock(new Date(0))
  expect([clock.now(), clock.now()]).toEqual(['1970-01-01T00:00:00.000000Z', '1970-01-01T00:00:00.000000Z'])
})

test('seconds are rounded down, before 1970 too', () => {
  expect(unixSeconds('1970-01-01T00:00:01.999999Z')).toBe(1)
  expect(unixSeconds('1969-12-31T23:59:59.500000Z')).toBe(-1)
})
