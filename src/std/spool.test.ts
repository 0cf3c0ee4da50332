import { mkdtempSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { allOf } from '../../test/support/tar-pieces.ts'
import { createSpool, memoryFolder } from './spool.ts'

const folder = mkdtempSync(join(tmpdir(), 'strongroom-spool-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const chunk = 1 << 20

test.each(['on disk', 'in memory'])(
  'a spool %s gives back what was written, as often as asked, also between writes',
  async (where) => {
    const size = fc.oneof(fc.nat(100), fc.constantFrom(chunk - 1, chunk, chunk + 1, 3 * chunk))
    const step = fc.oneof(
      size.map((length) => Buffer.alloc(length, length % 251)),
      fc.string({ unit: 'grapheme' }),
      fc.constant('read' as const),
    )
    const law = fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      await using spool = await createSpool(where === 'in memory' ? memoryFolder : folder)
      let expected = Buffer.alloc(0)
      for (const next of [...steps, 'read' as const]) {
        if (next !== 'read') {
          await spool.write(next)
          expected = Buffer.concat([expected, Buffer.from(next)])
        } else {
          expect((await allOf(spool.chunks())).equals(expected)).toBe(true)
        }
        expect(spool.size).toBe(expected.length)
      }
    })
    await fc.assert(law, { numRuns: 30 })
  },
)

test('two readers may read at once', async () => {
  await using spool = await createSpool(folder)
  await spool.write(Buffer.alloc(3 * chunk, 'ab'))
  const [one, two] = await Promise.all([allOf(spool.chunks()), allOf(spool.chunks())])
  expect(one.length).toBe(3 * chunk)
  expect(one.equals(two)).toBe(true)
})

test('a chunk has at most 1 MiB', async () => {
  await using spool = await createSpool(folder)
  await spool.write(Buffer.alloc(2 * chunk + 5))
  const lengths: number[] = []
  for await (const part of spool.chunks()) lengths.push(part.length)
  expect(lengths).toEqual([chunk, chunk, 5])
})

test('what is written stays as it was when its memory serves for something else', async () => {
  await using spool = await createSpool(folder)
  const memory = Buffer.from('first')
  await spool.write(memory)
  memory.write('other')
  expect((await allOf(spool.chunks())).toString()).toBe('first')
})

test('a spool has no name on disk', async () => {
  await using spool = await createSpool(folder)
  await spool.write('a'.repeat(2 * chunk))
  expect(await readdir(folder)).toEqual([])
})

test('a folder that is not there is told', async () => {
  await expect(createSpool(join(folder, 'absent'))).rejects.toMatchObject({ code: 'file.not_found' })
})
