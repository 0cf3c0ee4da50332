/**
 * A moment in UTC with six decimals and `Z`, as `2026-11-24T14:03:52.304446Z`. Such texts sort by time. The form that the
 * database, the archive and `tree --json` use.
 */
export type Timestamp = string

export interface Clock {
  now(): Timestamp
}

export const timestampOf = (date: Date): Timestamp => date.toISOString().replace('Z', '000Z')

export const systemClock: Clock = { now: () => timestampOf(new Date()) }

/** A clock that stands still, so that the same instance gives the same bytes twice. */
export const fixedClock = (date: Date): Clock => ({ now: () => timestampOf(date) })

/** Whole seconds since 1970, rounded down, as tar headers hold them. */
export const unixSeconds = (timestamp: Timestamp): number => Math.floor(Date.parse(timestamp) / 1000)

const dayMilliseconds = 24 * 60 * 60 * 1000

/** The moment that many days of 24 hours before; not before the year 1. */
export function daysBefore(timestamp: Timestamp, days: number): Timestamp {
  const earliest = Date.parse('0001-01-01T00:00:00.000Z')
  return timestampOf(new Date(Math.max(earliest, Date.parse(timestamp) - days * dayMilliseconds)))
}
