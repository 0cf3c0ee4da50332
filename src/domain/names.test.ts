import { expect, test } from 'vitest'
import { nameProblem, textProblem } from './names.ts'

test.each([' ', '.', '..', 'a/b', '\n', '\u0001', '<>:&', '🗂', '\ufeff', 'x'.repeat(4096), '🗂'.repeat(4096)])(
  'the title %j is allowed',
  (title) => {
    expect(nameProblem('title', title)).toBeUndefined()
  },
)

test('an empty name, NUL, half a surrogate pair and too many characters are refused', () => {
  expect(nameProblem('title', '')).toEqual({ problem: 'empty' })
  expect(nameProblem('title', 'a\0b')).toEqual({ problem: 'nul' })
  expect(nameProblem('title', 'a\ud83d')).toEqual({ problem: 'surrogate' })
  expect(nameProblem('title', '🗂'.repeat(4097))).toEqual({ problem: 'too_long', length: 4097, limit: 4096 })
  expect(nameProblem('user name', 'u'.repeat(501))).toEqual({ problem: 'too_long', length: 501, limit: 500 })
})

test('any other text may be empty and long, but holds no NUL and no half of a pair', () => {
  expect(textProblem('')).toBeUndefined()
  expect(textProblem('x'.repeat(100_000))).toBeUndefined()
  expect(textProblem('\0')).toEqual({ problem: 'nul' })
  expect(textProblem('\udc00')).toEqual({ problem: 'surrogate' })
})
