import { expect, test } from 'vitest'
import { parseOcrStatus } from './ocr-status.ts'

test.each([
  ['succeeded', 'succeeded', true],
  ['SUCCESS', 'succeeded', true],
  ['UNKNOWN', 'unknown', true],
  ['STARTED', 'started', true],
  ['unknown', 'unknown', true],
  ['Succeeded', 'unknown', false],
  ['', 'unknown', false],
])('%j of Papermerge is %s', (text, status, recognized) => {
  expect(parseOcrStatus(text)).toEqual({ status, recognized })
})
