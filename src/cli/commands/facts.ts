import { display } from '../../std/text.ts'
import { columns, right } from '../columns.ts'
import type { Cell } from '../columns.ts'
import { bytesText, countText } from '../units.ts'

const words = (key: string): string => {
  const spaced = key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

/** The plain values of a report, one a line, in the report's order; names that end in "bytes" or "size" are numbers of bytes. */
export function facts(report: object): string[] {
  const rows: Cell[][] = []
  for (const [key, value] of Object.entries(report)) {
    if (key === 'operation') continue
    if (typeof value === 'number')
      rows.push([words(key), right(/(bytes|size)$/i.test(key) ? bytesText(value) : countText(value))])
    if (typeof value === 'string') rows.push([words(key), display(value)])
    if (typeof value === 'boolean') rows.push([words(key), value ? 'yes' : 'no'])
  }
  return columns(rows)
}
