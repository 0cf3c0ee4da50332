import { spawnSync } from 'node:child_process'
import { constants, crc32, gunzipSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { collectingSink } from '../../test/support/collecting-sink.ts'
import { noise } from '../../test/support/fixtures.ts'
import { hasProgram, needs } from '../../test/support/needs.ts'
import { createGzipWriter } from './gzip-writer.ts'

type Step = { readonly write: Uint8Array } | 'edge' | 'cut' | 'drain'

/** Bytes that compress and bytes that do not, short and longer than a piece. */
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ write: fc.uint8Array({ maxLength: 2000 }) }),
  fc.record({ write: fc.tuple(fc.nat(600_000), fc.nat(1000)).map(([size, seed]) => noise(size, seed)) }),
  fc.record({ write: fc.tuple(fc.nat(2_500_000), fc.nat(255)).map(([size, byte]) => Buffer.alloc(size, byte)) }),
  fc.constant('edge' as const),
  fc.constant('cut' as const),
  fc.constant('drain' as const),
)

/** Where a marked byte stands in the whole, and where a reader would begin. */
interface Mark {
  readonly position: number
  readonly piece: number
  readonly within: number
}

async function write(steps: readonly Step[], tail: Uint8Array, level = 6) {
  const { sink, bytes } = collectingSink()
  const writer = createGzipWriter(sink, level)
  const inputs: Uint8Array[] = []
  const marks: Mark[] = []
  for (const next of steps) {
    marks.push({ position: writer.position, ...writer.place })
    if (next === 'edge') writer.edge()
    else if (next === 'cut') writer.cut()
    else if (next === 'drain') await writer.drain()
    else {
      await writer.write(next.write)
      inputs.push(next.write)
    }
  }
  await writer.finish(tail)
  return { file: bytes(), input: Buffer.concat([...inputs, tail]), marks, writer }
}

const gzip = needs('gzip', hasProgram('gzip'), 'gzip -t on what the writer made')

test('any mix of writes is one gzip member that gives the bytes back', async () => {
  let runs = 0
  const law = fc.asyncProperty(
    fc.array(step, { maxLength: 12 }),
    fc.uint8Array({ maxLength: 3000 }),
    async (steps, tail) => {
      const { file, input, writer } = await write(steps, tail)
      expect(gunzipSync(file).equals(input)).toBe(true)
      expect(writer.position).toBe(input.length)
      // One member: its deflate stream ends eight bytes before the file does.
      const { engine } = inflateRawSync(file.subarray(10), { info: true }) as unknown as {
        engine: { bytesWritten: number }
      }
      expect(10 + engine.bytesWritten + 8).toBe(file.length)
      if (gzip && (runs += 1) % 10 === 0) {
        expect(spawnSync('gzip', ['-t'], { input: file })).toMatchObject({ status: 0, stderr: Buffer.alloc(0) })
      }
    },
  )
  await fc.assert(law, { numRuns: 40 })
})

test('a reader can begin at every piece', async () => {
  const law = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
    const { file, input, marks, writer } = await write(steps, Buffer.from('the tail'))
    for (const { position, piece, within } of marks) {
      if (within === 0 && !pieceExists(piece)) continue
      const from = inflateRawSync(file.subarray(writer.offsetOf(piece), -8), { finishFlush: constants.Z_SYNC_FLUSH })
      expect(from.subarray(within).equals(input.subarray(position))).toBe(true)
    }
    /** The last place may be the beginning of a piece that never came. */
    function pieceExists(piece: number): boolean {
      try {
        return writer.offsetOf(piece) > 0
      } catch {
        return false
      }
    }
  })
  await fc.assert(law, { numRuns: 25 })
})

describe('finish', () => {
  test('ends in a form that no compression changes', async () => {
    for (const size of [0, 1, 1536, 65_535]) {
      const tail = noise(size, size)
      const { file, input } = await write([{ write: Buffer.alloc(100_000) }], tail)
      const end = file.subarray(file.length - size - 18)
      const sizes = Buffer.alloc(4)
      sizes.writeUInt16LE(size, 0)
      sizes.writeUInt16LE(size ^ 0xffff, 2)
      const trailer = Buffer.alloc(8)
      trailer.writeUInt32LE(crc32(input), 0)
      trailer.writeUInt32LE(input.length, 4)
      expect(
        end.equals(Buffer.concat([Buffer.from([0]), sizes, tail, Buffer.from([1, 0, 0, 0xff, 0xff]), trailer])),
      ).toBe(true)
    }
  })

  test('takes no tail that one stored block cannot hold', async () => {
    await expect(write([], Buffer.alloc(65_536))).rejects.toThrow(RangeError)
  })
})

test('the header names no file, no time and no system', async () => {
  const { file } = await write([], Buffer.alloc(0))
  expect(file.subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff')
})

test('the same input gives the same bytes', async () => {
  const steps: Step[] = [{ write: noise(300_000, 1) }, 'cut', { write: Buffer.alloc(1_000_000, 7) }]
  const [first, second] = [await write(steps, Buffer.from('t')), await write(steps, Buffer.from('t'))]
  expect(first.file.equals(second.file)).toBe(true)
})

test('what cannot be compressed goes out as it is, and costs five bytes for every 65,535', async () => {
  const content = noise(1_000_000, 3)
  const { file, writer } = await write([{ write: content }], Buffer.alloc(0))
  expect(writer.storedBytes).toBe(1_000_000)
  expect(file.length).toBe(10 + 1_000_000 + 16 * 5 + 5 + 13)
  expect(file.indexOf(content.subarray(70_000, 120_000))).toBeGreaterThan(0)
})

test('an edge ends a piece where that loses nothing, and a long one', async () => {
  const writer = createGzipWriter(async () => undefined)
  const pieceAfter = async (bytes: Uint8Array): Promise<number> => {
    await writer.write(bytes)
    writer.edge()
    return writer.place.piece
  }
  expect(await pieceAfter(noise(60_000, 1))).toBe(0)
  expect(await pieceAfter(noise(60_000, 2))).toBe(1)
  expect(await pieceAfter(Buffer.alloc(1_000_000, 'text '))).toBe(1)
  expect(await pieceAfter(Buffer.alloc(1_000_000, 'text '))).toBe(2)
  await writer.finish(Buffer.alloc(0))
})

test('the next piece begins where nextOffset says after a drain', async () => {
  const { sink, bytes } = collectingSink()
  const writer = createGzipWriter(sink)
  await writer.write(noise(1000, 1))
  writer.cut()
  await writer.drain()
  const { nextOffset } = writer
  expect(nextOffset).toBe(bytes().length)
  await writer.write(Buffer.from('next'))
  await writer.finish(Buffer.from('!'))
  expect(inflateRawSync(bytes().subarray(nextOffset, -8)).toString()).toBe('next!')
})

test('the place of a piece is not known before it is written', () => {
  expect(() => createGzipWriter(async () => undefined).offsetOf(0)).toThrow(RangeError)
})

test('a cut where nothing stands makes no piece', async () => {
  const { writer, file } = await write(['cut', 'cut', { write: Buffer.from('a') }, 'cut', 'cut'], Buffer.alloc(0))
  expect(writer.offsetOf(0)).toBe(10)
  expect(() => writer.offsetOf(1)).toThrow(RangeError)
  expect(gunzipSync(file).toString()).toBe('a')
})

test('a sink that fails fails the writer, at the latest when it finishes', async () => {
  const failure = new Error('disk full')
  let calls = 0
  const writer = createGzipWriter(async () => {
    calls += 1
    if (calls > 2) throw failure
  })
  const work = async (): Promise<void> => {
    for (let count = 0; count < 20; count += 1) await writer.write(noise(300_000, count))
    await writer.finish(Buffer.alloc(0))
  }
  await expect(work()).rejects.toBe(failure)
  expect(calls).toBe(3)
})

test('no more than a few pieces are in flight, however slow the sink is', async () => {
  let taken = 0
  const writer = createGzipWriter(async (parts) => {
    await new Promise((resolve) => setTimeout(resolve, 2))
    for (const part of parts) taken += part.length
  }, 1)
  for (let count = 1; count <= 120; count += 1) {
    await writer.write(noise(256 * 1024, 1))
    expect(count * 256 * 1024 - taken).toBeLessThan(8 * 1024 * 1024)
  }
  await writer.finish(Buffer.alloc(0))
})
