import type { Timestamp } from '../../std/clock.ts'

/** A number with its thing, `1,234 documents`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`

const momentFormat = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
})

/** A moment for people, to the minute: `24 November 2026 at 14:03 UTC`. */
export const momentText = (moment: Timestamp): string => `${momentFormat.format(new Date(moment))} UTC`
