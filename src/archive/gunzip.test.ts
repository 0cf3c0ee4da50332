import { mkdtempSync } from 'node:fs'
import { open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGzip, deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { noise } from '../../test/support/fixtures.ts'
import { StrongroomError } from '../errors.ts'
import { fileChunks, gunzip, isGzip, type GunzipEnd } from './gunzip.ts'

const folder = mkdtempSync(join(tmpdir(), 'strongroom-gunzip-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

let files = 0
async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, String((files += 1)))
  await writeFile(path, bytes)
  return path
}

async function decompress(
  bytes: Uint8Array,
): Promise<{ readonly output: Buffer; readonly end: GunzipEnd | undefined }> {
  const path = await fileOf(bytes)
  await using file = await open(path)
  let end: GunzipEnd | undefined
  const parts: Buffer[] = []
  for await (const chunk of gunzip(file, path, (found) => (end = found))) parts.push(Buffer.from(chunk))
  return { output: Buffer.concat(parts), end }
}

/** The code of the failure, or what was read. */
async function outcome(bytes: Uint8Array) {
  try {
    return await decompress(bytes)
  } catch (error) {
    if (error instanceof StrongroomError) return error.code
    throw error
  }
}

const text = Buffer.from('some text that compresses, some text that compresses a little\n'.repeat(3))
const small = gzipSync(text)

/** A gzip member with the optional header fields that the flags ask for. */
function memberWith(flags: number, content: Buffer): Buffer {
  const plain = gzipSync(content)
  const parts: Buffer[] = [Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3])]
  if ((flags & 4) !== 0) parts.push(Buffer.from([5, 0, 0x41, 0x70, 1, 0, 0x31]))
  if ((flags & 8) !== 0) parts.push(Buffer.from('backup.tar\0'))
  if ((flags & 16) !== 0) parts.push(Buffer.from('a comment\0'))
  if ((flags & 2) !== 0) parts.push(Buffer.from([0xab, 0xcd]))
  return Buffer.concat([...parts, plain.subarray(10)])
}

describe('a gzip file', () => {
  test('of any bytes is decompressed', async () => {
    const law = fc.asyncProperty(
      fc.uint8Array({ maxLength: 5000 }),
      fc.integer({ min: 0, max: 9 }),
      async (bytes, level) => {
        const { output, end } = await decompress(gzipSync(bytes, { level }))
        expect(output.equals(bytes)).toBe(true)
        expect(end).toMatchObject({ members: 1, trailing: 'nothing', trailingBytes: 0 })
      },
    )
    await fc.assert(law, { numRuns: 50 })
  })

  test('larger than every buffer is decompressed', async () => {
    const bytes = Buffer.concat([noise(3 << 20, 1), Buffer.alloc(9 << 20), noise(100, 2)])
    expect((await decompress(gzipSync(bytes))).output.equals(bytes)).toBe(true)
  })

  test('of several members is one text', async () => {
    const parts = ['one', '', 'two', 'x'.repeat(100_000)]
    const file = Buffer.concat(parts.map((part) => gzipSync(part)))
    const { output, end } = await decompress(file)
    expect(output.toString()).toBe(parts.join(''))
    expect(end).toEqual({ members: 4, compressedBytes: file.length, trailing: 'nothing', trailingBytes: 0 })
  })

  test('may have every optional field in its header', async () => {
    for (let flags = 0; flags < 32; flags += 1) {
      const { output } = await decompress(memberWith(flags, text))
      expect(output.equals(text), `flags ${flags}`).toBe(true)
    }
  })

  test('with something behind it is read, and what follows is described', async () => {
    const zeros = await decompress(Buffer.concat([small, Buffer.alloc(700)]))
    expect(zeros.end).toEqual({ members: 1, compressedBytes: small.length, trailing: 'zeros', trailingBytes: 700 })
    const garbage = await decompress(Buffer.concat([small, Buffer.alloc(3), Buffer.from('garbage')]))
    expect(garbage.end).toEqual({ members: 1, compressedBytes: small.length, trailing: 'garbage', trailingBytes: 10 })
    expect(garbage.output.equals(text)).toBe(true)
  })

  test('tells how far it has been read', async () => {
    const path = await fileOf(gzipSync(noise(5 << 20, 3)))
    await using file = await open(path)
    const positions: number[] = []
    for await (const _ of gunzip(
      file,
      path,
      () => undefined,
      (position) => positions.push(position),
    ));
    expect(positions).toEqual(positions.toSorted((left, right) => left - right))
    expect(positions.at(-1)).toBe((await file.stat()).size)
  })
})

describe('damage', () => {
  test('a file cut anywhere is truncated, but for one cut before it says what it is', async () => {
    for (const whole of [small, memberWith(31, text)]) {
      for (let cut = 0; cut < whole.length; cut += 1) {
        expect(await outcome(whole.subarray(0, cut)), `cut at ${cut}`).toBe(
          cut < 3 ? 'archive.damaged' : 'archive.truncated',
        )
      }
    }
  })

  test('a second member cut anywhere is truncated, but for one cut before it says what it is', async () => {
    for (let cut = 1; cut < small.length; cut += 1) {
      const found = await outcome(Buffer.concat([small, small.subarray(0, cut)]))
      if (cut < 3) expect(found).toMatchObject({ end: { trailing: 'garbage' } })
      else expect(found, `cut at ${cut}`).toBe('archive.truncated')
    }
  })

  test('a flipped bit gives the same bytes or a failure', async () => {
    for (let bit = 0; bit < small.length * 8; bit += 1) {
      const flipped = Buffer.from(small)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const found = await outcome(flipped)
      if (typeof found === 'string') expect(['archive.damaged', 'archive.truncated']).toContain(found)
      else expect(found.output.equals(text) && found.end?.trailing === 'nothing', `bit ${bit}`).toBe(true)
      // Only the header and the bits that fill the last byte of the deflate stream mean nothing.
      if (bit >= 80 && bit >> 3 !== small.length - 9) expect(found, `bit ${bit}`).toBeTypeOf('string')
    }
  })

  test('a stream that stops at a flush point is truncated', async () => {
    const open = deflateRawSync(text, { finishFlush: 3 })
    expect(await outcome(Buffer.concat([small.subarray(0, 10), open]))).toBe('archive.truncated')
  })

  test('what is no gzip is damaged', async () => {
    expect(await outcome(Buffer.from('hello'))).toBe('archive.damaged')
    expect(await outcome(Buffer.from([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0]))).toBe('archive.damaged')
  })
})

describe('memory', () => {
  /** 256 MiB of zeros, 256 kB compressed. */
  async function bomb(): Promise<string> {
    const gzip = createGzip({ level: 9, chunkSize: 1 << 20 })
    const compressed: Buffer[] = []
    gzip.on('data', (part: Buffer) => compressed.push(part))
    const zeros = Buffer.alloc(8 << 20)
    for (let count = 0; count < 32; count += 1) await new Promise((resolve) => gzip.write(zeros, resolve))
    await new Promise<void>((resolve) => gzip.once('end', () => resolve()).end())
    return fileOf(Buffer.concat(compressed))
  }

  test('stays flat while a small file becomes a large one', async () => {
    const path = await bomb()
    await using file = await open(path)
    let total = 0
    let most = 0
    const before = process.memoryUsage().arrayBuffers
    for await (const chunk of gunzip(file, path, () => undefined)) {
      expect(chunk.length).toBeLessThanOrEqual(1 << 20)
      total += chunk.length
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    expect(total).toBe(2 ** 28)
    expect(most).toBeLessThan(100 << 20)
  })

  test('a reader that stops early may close the file at once', async () => {
    const path = await fileOf(gzipSync(noise(8 << 20, 4), { level: 1 }))
    let chunks = 0
    for (let round = 0; round < 5; round += 1) {
      const file = await open(path)
      for await (const _ of gunzip(file, path, () => undefined)) {
        chunks += 1
        break
      }
      await file.close()
    }
    expect(chunks).toBe(5)
  })
})

test('isGzip looks at the method too', () => {
  expect(isGzip(small)).toBe(true)
  expect(isGzip(Buffer.from([0x1f, 0x8b]))).toBe(false)
  expect(isGzip(Buffer.from('ustar'))).toBe(false)
})

test('fileChunks begins where it is told to', async () => {
  const bytes = noise((1 << 20) + 100, 5)
  const path = await fileOf(bytes)
  await using file = await open(path)
  for (const start of [0, 1, 1 << 20, bytes.length, bytes.length + 5]) {
    const parts: Buffer[] = []
    for await (const chunk of fileChunks(file, path, start)) parts.push(Buffer.from(chunk))
    expect(Buffer.concat(parts).equals(bytes.subarray(start))).toBe(true)
  }
})
