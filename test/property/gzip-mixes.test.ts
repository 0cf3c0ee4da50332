import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createArchiveWriter } from '../../src/archive/archive-writer.ts'
import { createGzipWriter } from '../../src/std/gzip-writer.ts'
import { collectingSink } from '../support/collecting-sink.ts'
import { noise, skewed } from '../support/fixtures.ts'
import { hasProgram, needs } from '../support/needs.ts'
import { inChunks } from '../support/tar-pieces.ts'

const inflaters = [
  ['gzip', ['-dc']],
  ['pigz', ['-dc']],
  ['python3', ['-c', 'import gzip,sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))']],
] as const
const testers = [
  ['gzip', ['-t']],
  ['pigz', ['-t']],
] as const
const unpackers = [
  ['tar', '-xOzf'],
  ['bsdtar', '-xOf'],
] as const
const there = new Set(
  ['gzip', 'pigz', 'python3', 'tar', 'bsdtar'].filter((program) =>
    needs(program, hasProgram(program), 'reading what the writer made'),
  ),
)

/** A stretch of bytes of one kind. */
const stretch = fc.oneof(
  fc.tuple(fc.nat(150_000), fc.nat(1000)).map(([size, seed]) => noise(size, seed)),
  fc.tuple(fc.nat(150_000), fc.nat(1000), fc.constantFrom(2, 3)).map((chosen) => skewed(...chosen)),
  fc.tuple(fc.nat(60_000), fc.nat(1000)).map(([size, seed]) => Buffer.from(noise(size, seed).toString('base64'))),
  fc
    .tuple(fc.nat(20_000), fc.string({ minLength: 1, maxLength: 40 }))
    .map(([times, text]) => Buffer.from(text.repeat(times / 10))),
  fc.nat(700_000).map((size) => Buffer.alloc(size)),
  fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
)
const mix = fc.array(stretch, { maxLength: 6 }).map((stretches) => Buffer.concat(stretches))

/** What is done between two writes. */
const step = fc.record({
  bytes: mix,
  chunk: fc.integer({ min: 1000, max: 1_000_000 }),
  after: fc.constantFrom('nothing', 'edge', 'cut', 'drain', 'cut and drain'),
})

/** `pause` makes the sink slow here and there, so that threads and writes end in another order. */
async function written(
  steps: readonly { readonly bytes: Buffer; readonly chunk: number; readonly after: string }[],
  tail: Uint8Array,
  pause: boolean,
) {
  const { sink, bytes: file } = collectingSink()
  let calls = 0
  using writer = createGzipWriter(async (parts) => {
    await sink(parts)
    if (pause && (calls += 1) % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
  })
  for (const { bytes, chunk, after } of steps) {
    for await (const part of inChunks(bytes, chunk)) await writer.write(part)
    if (after === 'edge') writer.edge()
    if (after.includes('cut')) writer.cut()
    if (after.includes('drain')) await writer.drain()
  }
  await writer.finish(tail)
  return file()
}

test('programs of others read every mix and every cut, and the timing changes no byte', async () => {
  const law = fc.asyncProperty(
    fc.array(step, { maxLength: 6 }),
    fc.uint8Array({ maxLength: 2000 }),
    async (steps, tail) => {
      const input = Buffer.concat([...steps.map(({ bytes }) => bytes), tail])
      const file = await written(steps, tail, false)
      expect((await written(steps, tail, true)).equals(file)).toBe(true)
      expect(gunzipSync(file).equals(input)).toBe(true)
      for (const [program, args] of testers.filter(([name]) => there.has(name))) {
        expect(spawnSync(program, args, { input: file })).toMatchObject({ status: 0, stderr: Buffer.alloc(0) })
      }
      for (const [program, args] of inflaters.filter(([name]) => there.has(name))) {
        const { status, stdout } = spawnSync(program, args, { input: file, maxBuffer: 1 << 30 })
        expect([program, status, stdout.equals(input)]).toEqual([program, 0, true])
      }
    },
  )
  await fc.assert(law, { numRuns: 15 })
}, 60_000)

test('programs of others unpack an archive of every mix', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'strongroom-mixes-'))
  try {
    const law = fc.asyncProperty(fc.array(mix, { minLength: 1, maxLength: 4 }), async (contents) => {
      const { sink, bytes: written } = collectingSink()
      await using writer = await createArchiveWriter(sink, scratch)
      for (const [index, content] of contents.entries()) {
        await writer.addFile({
          name: `docs/${index}`,
          size: content.length,
          mtime: 0,
          content: inChunks(content, 100_000),
        })
      }
      await writer.finish(0)
      const archive = join(scratch, 'archive.tar.gz')
      await writeFile(archive, written())
      for (const [program, flags] of unpackers.filter(([name]) => there.has(name))) {
        for (const [index, content] of contents.entries()) {
          const { status, stdout } = spawnSync(program, [flags, archive, `docs/${index}`], { maxBuffer: 1 << 30 })
          expect([program, status, stdout.equals(content)]).toEqual([program, 0, true])
        }
      }
    })
    await fc.assert(law, { numRuns: 8 })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}, 60_000)
