import { expect, test } from 'vitest'
import { columns, right, table, widthOf } from './columns.ts'

test('columns are as wide as their widest cell, and no line ends in blanks', () => {
  expect(
    columns([
      ['a', 'long cell', ''],
      ['longer', 'b', 'c'],
    ]),
  ).toEqual(['a       long cell', 'longer  b          c'])
})

test('a cell to the right ends where its column ends', () => {
  expect(
    columns([
      ['a', right('1')],
      ['b', right('1,000')],
    ]),
  ).toEqual(['a      1', 'b  1,000'])
})

test('a wide character takes two columns, a joined one no more', () => {
  expect(widthOf('abc')).toBe(3)
  expect(widthOf('契約書')).toBe(6)
  expect(widthOf('📄')).toBe(2)
  expect(widthOf('👩‍🔬')).toBe(2)
  expect(widthOf('é'.normalize('NFD'))).toBe(1)
})

test('a table without rows has no heading either', () => {
  expect(table(['Name'], [])).toEqual([])
  expect(table(['Name'], [['ada']])).toEqual(['Name', 'ada'])
})
