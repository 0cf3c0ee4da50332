import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noise, skewed } from '../../test/support/fixtures.ts'
import { partRuns, type RunKind } from './stored-runs.ts'

const text = (length: number): Buffer =>
  Buffer.from(
    Array.from(
      { length: Math.ceil(length / 40) },
      (_, line) => `Line ${line}: ${(line * 7919) % 10007} of a page.\n`,
    ).join(''),
  )

/** Scans of a JPEG as they lie in a file: Huffman codes, none of them 0xff without a 0 behind. */
function jpegLike(length: number): Buffer {
  const bits = noise(length, 9)
  const out = Buffer.alloc(length)
  for (let index = 0, taken = 0; index < length; index += 1) {
    const byte = bits[(taken += 1) % length]!
    // A few codes are more frequent than others.
    out[index] = index > 0 && out[index - 1] === 0xff ? 0 : byte % 29 === 0 ? byte & 0x7f : byte
  }
  return out
}

const shareOf = (wanted: RunKind, bytes: Uint8Array): number =>
  partRuns(bytes, []).reduce((sum, { kind, start, end }) => sum + (kind === wanted ? end - start : 0), 0) / bytes.length

describe('goes out as it is', () => {
  test.each([
    ['random bytes', noise(300_000, 1)],
    ['what was deflated', deflateRawSync(noise(400_000, 5).toString('base64'))],
    [
      'what was encrypted or hashed',
      Buffer.concat(Array.from({ length: 10_000 }, (_, n) => createHash('sha256').update(`${n}`).digest())),
    ],
    ['the scan of a JPEG', jpegLike(300_000)],
  ])('%s', (_, bytes) => {
    expect(shareOf('stored', bytes)).toBeGreaterThan(0.9)
  })
})

test('is coded where some bytes are more frequent than others and nothing comes again', () => {
  expect(shareOf('coded', skewed(300_000, 9, 3))).toBeGreaterThan(0.9)
})

test('each kind of cells has runs of its own', () => {
  const cell = 16 * 1024
  const repeated = Buffer.concat(Array.from({ length: 16 }, () => noise(cell / 4, 5)))
  const bytes = Buffer.concat([skewed(4 * cell, 9, 3), noise(4 * cell, 1), skewed(4 * cell, 9, 2), repeated])
  expect(partRuns(bytes, [])).toEqual([
    { start: 0, end: 4 * cell, kind: 'coded' },
    { start: 4 * cell, end: 8 * cell, kind: 'stored' },
    { start: 8 * cell, end: 12 * cell, kind: 'coded' },
    { start: 12 * cell, end: 16 * cell, kind: 'deflated' },
  ])
})

describe('is deflated', () => {
  test.each([
    ['text', text(300_000)],
    ['base64', Buffer.from(noise(200_000, 1).toString('base64'))],
    ['hexadecimal', Buffer.from(noise(200_000, 1).toString('hex'))],
    [
      'SVG',
      Buffer.from(
        Array.from({ length: 4000 }, (_, n) => `<text x="${n % 595}" y="${(n * 37) % 842}">word ${n}</text>`).join(
          '\n',
        ),
      ),
    ],
    ['zeros', Buffer.alloc(300_000)],
    ['a counter', Buffer.from(Array.from({ length: 300_000 }, (_, n) => n & 0xff))],
    [
      'samples of sound, 16 bits each',
      Buffer.from(Int16Array.from({ length: 150_000 }, (_, n) => 9000 * Math.sin(n / 20)).buffer),
    ],
    ['random bytes too short for a run', noise(20_000, 1)],
    ['random bytes that come again', Buffer.concat(Array.from({ length: 60 }, () => noise(5000, 1)))],
    [
      'a JPEG whose codes come again where the paper is white',
      Buffer.concat(
        Array.from({ length: 80 }, (_, n) => Buffer.concat([jpegLike(4000 + n), ...Array(15).fill(noise(101, 7))])),
      ),
    ],
    [
      'a PDF whose short streams stand between lines of text',
      Buffer.concat(
        Array.from({ length: 80 }, (_, n) =>
          Buffer.concat([
            Buffer.from(
              `${n} 0 obj\n<< /Filter /FlateDecode /Length ${3000 + n} /Type /Whatever /Of 12 0 R >>\nstream\n`.repeat(
                2,
              ),
            ),
            noise(3000, n),
          ]),
        ),
      ),
    ],
  ])('%s', (_, bytes) => {
    expect(shareOf('deflated', bytes)).toBe(1)
  })
})

test('the runs are the same wherever the bytes lie in memory', () => {
  const bytes = Buffer.concat([text(50_000), noise(200_000, 3), text(30_000)])
  for (const offset of [1, 2, 3]) {
    const moved = new Uint8Array(bytes.length + offset).subarray(offset)
    moved.set(bytes)
    expect(partRuns(moved, [50_000])).toEqual(partRuns(Uint8Array.from(bytes), [50_000]))
  }
})

test('runs cover the whole, in order, alternating', () => {
  const part = fc.oneof(
    fc.tuple(fc.nat(150_000), fc.nat(99)).map(([size, seed]) => noise(size, seed)),
    fc.nat(60_000).map(text),
    fc.uint8Array({ maxLength: 700 }),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const edges: number[] = []
      let length = 0
      for (const { length: size } of parts) edges.push((length += size))
      const runs = partRuns(Buffer.concat(parts), edges)
      let end = 0
      for (const [index, run] of runs.entries()) {
        expect(run.start).toBe(end)
        expect(run.end).toBeGreaterThan(run.start)
        if (index > 0) expect(run.kind).not.toBe(runs[index - 1]!.kind)
        if (run.kind === 'stored') expect(run.end - run.start).toBeGreaterThanOrEqual(32 * 1024)
        end = run.end
      }
      expect(end).toBe(length)
    }),
    { numRuns: 60 },
  )
})

test('the header between two scans is told from them, to the block, where an edge says so', () => {
  const header = Buffer.alloc(1024)
  header.write('docs/user_1/document_2/v1/scan.pdf')
  const bytes = Buffer.concat([noise(51_200, 1), header, noise(60_000, 2)])
  expect(partRuns(bytes, [51_200])).toEqual([
    { start: 0, end: 51_200, kind: 'stored' },
    { start: 51_200, end: 52_224, kind: 'deflated' },
    { start: 52_224, end: 112_224, kind: 'stored' },
  ])
})
