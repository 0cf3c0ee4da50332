import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvCell } from './describe.ts'

test.each([
  ['plain', 'plain'],
  ['a,b', '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ['two\nlines', '"two\nlines"'],
  ['=1+1', "'=1+1"],
  ['+49 30', "'+49 30"],
  ['-rf', "'-rf"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\ttab', "'\ttab"],
  ['＝1', "'＝1"],
  ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
  ['a=b', 'a=b'],
])('the cell %j is written as %j', (value, written) => {
  expect(csvCell(value)).toBe(written)
})

test('no cell begins as a formula does, and none leaves its column', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '"', ',', '\r', '\n', '\t', 'a', "'") }),
      (value) => {
        const cell = csvCell(value)
        const inner = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell
        expect(inner).toBe(/^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value)
        if (!cell.startsWith('"')) expect(cell).not.toMatch(/[",\r\n]/)
      },
    ),
  )
})

test('a number is a number', () => {
  expect(csvCell(-5)).toBe('-5')
})
