import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchesOf } from './batches.ts'

test('batches hold all items in their order, each but the last as many as asked', () => {
  const law = fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 20 }), (items, size) => {
    const batches = [...batchesOf(items, size)]
    expect(batches.flat()).toEqual(items)
    expect(batches.slice(0, -1).every((batch) => batch.length === size)).toBe(true)
    expect(batches.every((batch) => batch.length > 0 && batch.length <= size)).toBe(true)
  })
  fc.assert(law)
})

test('a batch is not changed by the next', () => {
  const [first, second] = [...batchesOf([1, 2, 3], 2)]
  expect([first, second]).toEqual([[1, 2], [3]])
})
