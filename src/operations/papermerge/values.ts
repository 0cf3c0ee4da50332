import type { ForeignRow } from '../../database/foreign-database.ts'

/** The values of a row, in the form that the records of backup.json have. SQLite keeps any type in any column. */

const decoder = new TextDecoder()

export function textIn(row: ForeignRow, name: string): string | null {
  const value = row[name] ?? null
  if (value === null || typeof value === 'string') return value
  return value instanceof Uint8Array ? decoder.decode(value) : String(value)
}

/** A UUID in lower case with dashes; what is none is left as it is, for whoever checks it. */
export function idIn(row: ForeignRow, name: string): string | null {
  const value = textIn(row, name)
  const digits = value?.toLowerCase().replaceAll('-', '')
  return digits !== undefined && /^[0-9a-f]{32}$/.test(digits)
    ? digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    : value
}

export function flagIn(row: ForeignRow, name: string): boolean | undefined {
  const value = row[name] ?? null
  return value === null ? undefined : Number(value) !== 0
}

/** Django keeps UTC without saying so. */
export function momentIn(row: ForeignRow, name: string): string | null {
  const value = textIn(row, name)
  return value === null || /(?:Z|[+-]\d\d(?::?\d\d)?)$/.test(value.slice(10)) ? value : `${value}Z`
}

/** A whole number; null for what is none. */
export function wholeIn(row: ForeignRow, name: string): number | null {
  const value = row[name] ?? null
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null
}

/** The same, where below 0 nothing can be meant. */
export function countIn(row: ForeignRow, name: string): number | null {
  const value = wholeIn(row, name)
  return value !== null && value < 0 ? null : value
}
