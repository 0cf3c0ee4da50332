import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inChunks } from '../../test/support/tar-pieces.ts'
import { linesOf } from './lines.ts'

const read = (text: string, size: number): Promise<string[]> =>
  Array.fromAsync(linesOf(inChunks(Buffer.from(text), size)))

test('lines are the same however the text is cut', async () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('\n', ' ').toWellFormed())
  const law = fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 50 }), async (lines, size) => {
    expect(await read(lines.map((text) => `${text}\n`).join(''), size)).toEqual(lines)
  })
  await fc.assert(law, { numRuns: 200 })
})

test('a last line without its end is a line, and nothing after an end is none', async () => {
  expect(await read('a\nb', 2)).toEqual(['a', 'b'])
  expect(await read('a\nb\n', 2)).toEqual(['a', 'b'])
  expect(await read('\n\n', 1)).toEqual(['', ''])
  expect(await read('', 1)).toEqual([])
})

test('only a line feed ends a line', async () => {
  expect(await read('a\r\nb\u2028c\x85d\n', 3)).toEqual(['a\r', 'b\u2028c\x85d'])
})

test('a line too long for memory is cut off at 1 MiB, and the next is whole', async () => {
  const endless = `${'x'.repeat(5_000_000)}\nnext\n`
  for (const size of [65_536, 4_000_000, 10_000_000]) {
    expect(await read(endless, size)).toEqual(['x'.repeat(1 << 20), 'next'])
  }
  expect(await read('y'.repeat(3_000_000), 65_536)).toEqual(['y'.repeat(1 << 20)])
})
