import { readMoment, storable } from '../../archive/records.ts'
import type { Planning } from './planning.ts'

/** A kept text; null where the archive has none. */
export function readText(
  planning: Planning,
  about: string,
  what: string,
  given: string | null | undefined,
): string | null {
  if (given === null || given === undefined) return null
  const { text, altered } = storable(given)
  if (altered) {
    planning.warning('text.replaced', about, `The ${what} held characters that cannot be stored; they became U+FFFD.`)
  }
  return text
}

/** A moment; null where the archive has none or one that cannot be read. */
export function readDate(
  planning: Planning,
  about: string,
  what: string,
  given: string | null | undefined,
): string | null {
  const { moment, wrong } = readMoment(given)
  if (wrong) planning.warning('date.unreadable', about, `${what} is no date; it is unknown now.`)
  return moment
}
