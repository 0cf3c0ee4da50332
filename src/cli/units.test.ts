import { expect, test } from 'vitest'
import { bytesText, counted, secondsText } from './units.ts'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 KB'],
  [999_949, '999.9 KB'],
  [999_950, '1.0 MB'],
  [1_234_567_890, '1.2 GB'],
  [5e18, '5000.0 PB'],
])('%d bytes read %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test.each([
  [0, '0 s'],
  [59.6, '1 min 0 s'],
  [61, '1 min 1 s'],
  [7500, '2 h 5 min'],
])('%d seconds read %s', (seconds, text) => {
  expect(secondsText(seconds)).toBe(text)
})

test('a count has its noun in the plural unless it is one', () => {
  expect([counted(0, 'file'), counted(1, 'file'), counted(12345, 'file')]).toEqual([
    '0 files',
    '1 file',
    '12,345 files',
  ])
})
