const pattern = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?$/

/**
 * A moment as Papermerge writes it (ISO 8601 with an offset in 2.1, with a blank and an offset in 3.x) in UTC with six
 * decimals; undefined where it is no moment. One without an offset is taken as UTC.
 */
export function parseMoment(text: string): string | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone = 'Z'] = match
  const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.length > 3 ? zone.slice(-2) : '00'}`
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${offset}`)
  if (Number.isNaN(time) || Number(day) > daysIn(Number(year), Number(month))) return undefined
  const moment = new Date(time)
  if (moment.getUTCFullYear() < 1 || moment.getUTCFullYear() > 9999) return undefined
  return `${moment.toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`
}

/** Date.parse takes the 30th of February for a day in March. */
const daysIn = (year: number, month: number): number => {
  const last = new Date(0)
  last.setUTCFullYear(year, month, 0)
  return last.getUTCDate()
}
