import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatPath, parsePath } from './paths.ts'

test('a path is titles, with escaped slashes and backslashes inside them', () => {
  expect(parsePath('.home/Taxes/2023.pdf')).toEqual({ titles: ['.home', 'Taxes', '2023.pdf'] })
  expect(parsePath('and\\/or/C:\\\\x')).toEqual({ titles: ['and/or', 'C:\\x'] })
  expect(parsePath('Taxes/')).toEqual({ titles: ['Taxes'] })
  expect(parsePath('../. /.')).toEqual({ titles: ['..', '. ', '.'] })
})

test.each(['', '/', '/a', 'a//b', 'a\\b', 'a\\'])('%j is no path, and the reason is said', (text) => {
  expect(parsePath(text)).toEqual({ problem: expect.any(String) })
})

test('parsePath reads what formatPath wrote', () => {
  const title = fc.string({ unit: 'grapheme', minLength: 1 })
  const tricky = fc.string({ unit: fc.constantFrom('/', '\\', 'a', '.', '\n'), minLength: 1 })
  fc.assert(
    fc.property(fc.array(fc.oneof(title, tricky), { minLength: 1 }), (titles) => {
      expect(parsePath(formatPath(titles))).toEqual({ titles })
    }),
  )
})
