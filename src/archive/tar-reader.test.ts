import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allOf, endOfTar, inChunks, rawEntry, rawHeader, rawPax } from '../../test/support/tar-pieces.ts'
import { StrongroomError } from '../errors.ts'
import { encodeHeader } from './tar-format.ts'
import { readTar, type TarEnd } from './tar-reader.ts'

interface Read {
  readonly name: string
  readonly type: string
  readonly linkName: string
  readonly content: string
}

/** Reads a tar through, in chunks of `size` bytes. */
async function read(
  tar: Buffer,
  size = 700,
): Promise<{ readonly entries: readonly Read[]; readonly end: TarEnd | undefined }> {
  let end: TarEnd | undefined
  const entries: Read[] = []
  for await (const entry of readTar(inChunks(tar, size), 'a.tar', (found) => (end = found))) {
    const { name, type, linkName } = entry
    entries.push({ name, type, linkName, content: (await allOf(entry.content())).toString('latin1') })
  }
  return { entries, end }
}

async function failure(work: Promise<unknown>): Promise<StrongroomError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(StrongroomError)
  return error as StrongroomError
}

const file = (name: string, content: string) => ({ name, type: 'file', linkName: '', content })
const long = `long/${'é'.repeat(2000)}`

describe('entries', () => {
  test('come with their content, whatever the size of the chunks', async () => {
    const tar = Buffer.concat([
      rawEntry({ name: 'a' }, 'one'),
      rawEntry({ name: 'b' }, 'x'.repeat(1024)),
      rawEntry({ name: 'c' }),
      endOfTar,
    ])
    for (const size of [1, 3, 511, 512, 513, 4096, 1 << 20]) {
      const { entries, end } = await read(tar, size)
      expect(entries).toEqual([file('a', 'one'), file('b', 'x'.repeat(1024)), file('c', '')])
      expect(end).toEqual({ endMarker: true, hiddenBytes: 0, totalBytes: tar.length })
    }
  })

  test('are found where the content before them was not read, or only in part', async () => {
    const tar = Buffer.concat([
      rawEntry({ name: 'a' }, 'y'.repeat(3000)),
      rawEntry({ name: 'b' }, 'z'.repeat(3000)),
      rawEntry({ name: 'c' }, 'c'),
      endOfTar,
    ])
    const names: string[] = []
    for await (const entry of readTar(inChunks(tar, 100), 'a.tar', () => undefined)) {
      names.push(entry.name)
      if (entry.name === 'b') for await (const _ of entry.content()) break
    }
    expect(names).toEqual(['a', 'b', 'c'])
  })

  test('know where their first header begins', async () => {
    const tar = Buffer.concat([
      rawEntry({ name: 'a' }, 'a'),
      rawPax({ path: long }),
      rawEntry({ name: 'b' }),
      rawEntry({ name: 'c' }),
      endOfTar,
    ])
    const positions: number[] = []
    for await (const entry of readTar(inChunks(tar, 512), 'a.tar', () => undefined)) positions.push(entry.position)
    expect(positions).toEqual([0, 1024, tar.length - 1024 - 512])
  })

  test('take names from pax headers, for one entry only', async () => {
    const pax = rawPax({ path: long, linkpath: 'target €', mtime: '1.5', 'SCHILY.xattr.user.a': 'b' })
    const tar = Buffer.concat([
      pax,
      rawHeader({ name: 'short', flag: '2', linkName: 'other' }),
      rawEntry({ name: 'b' }, 'b'),
      endOfTar,
    ])
    const { entries } = await read(tar)
    expect(entries).toEqual([{ name: long, type: 'symlink', linkName: 'target €', content: '' }, file('b', 'b')])
  })

  test('take sizes from pax headers', async () => {
    const tar = Buffer.concat([
      rawPax({ size: '5' }),
      rawEntry({ name: 'a', size: 0 }, 'abcde'),
      rawEntry({ name: 'b' }, 'b'),
      endOfTar,
    ])
    expect((await read(tar)).entries).toEqual([file('a', 'abcde'), file('b', 'b')])
  })

  test('take names from the headers of GNU tar', async () => {
    const magic = 'ustar  \0'
    const tar = Buffer.concat([
      rawEntry({ name: '././@LongLink', flag: 'K', magic }, `${long}/target\0`),
      rawEntry({ name: '././@LongLink', flag: 'L', magic }, `${long}\0`),
      rawHeader({ name: 'short', flag: '1', linkName: 'short', magic }),
      rawEntry({ name: 'b', magic }, 'b'),
      endOfTar,
    ])
    expect((await read(tar)).entries).toEqual([
      { name: long, type: 'hardlink', linkName: `${long}/target`, content: '' },
      file('b', 'b'),
    ])
  })

  test('are not changed by a global header that says nothing about them', async () => {
    const tar = Buffer.concat([rawPax({ comment: 'from git archive' }, 'g'), rawEntry({ name: 'a' }, 'a'), endOfTar])
    expect((await read(tar)).entries).toEqual([file('a', 'a')])
  })

  test('without content keep none, whatever size stands in their header', async () => {
    const tar = Buffer.concat([
      rawHeader({ name: 'f/', flag: '5', size: 4096 }),
      rawHeader({ name: 'l', flag: '1', size: 77, linkName: 'f' }),
      rawEntry({ name: 'a' }, 'a'),
      endOfTar,
    ])
    expect((await read(tar)).entries.map(({ type }) => type)).toEqual(['folder', 'hardlink', 'file'])
  })
})

describe('the end', () => {
  test('of a tar without its zeros is told', async () => {
    const { entries, end } = await read(rawEntry({ name: 'a' }, 'a'))
    expect(entries).toHaveLength(1)
    expect(end).toMatchObject({ endMarker: false, hiddenBytes: 0 })
  })

  test('with something behind it is told', async () => {
    const tar = Buffer.concat([
      rawEntry({ name: 'a' }, 'a'),
      endOfTar,
      Buffer.alloc(3000),
      Buffer.from('hidden'),
      Buffer.alloc(10),
    ])
    expect((await read(tar)).end).toEqual({ endMarker: true, hiddenBytes: 6, totalBytes: tar.length })
  })

  test('of nothing at all is an end', async () => {
    expect((await read(Buffer.alloc(0))).end).toMatchObject({ endMarker: false, totalBytes: 0 })
    expect((await read(Buffer.alloc(10_240))).end).toMatchObject({ endMarker: true })
  })
})

describe('a reader', () => {
  test.each([
    ['a header with a wrong checksum', rawHeader({ name: 'a', checksum: 'wrong' })],
    ['a malformed pax header', rawEntry({ flag: 'x' }, '99 path=a\n')],
    ['a pax size that is no number', Buffer.concat([rawPax({ size: '-1' }), rawEntry({ name: 'a' })])],
    ['a pax size beyond counting', Buffer.concat([rawPax({ size: '9999999999999999' }), rawEntry({ name: 'a' })])],
    ['a pax header too long for memory', rawHeader({ flag: 'x', size: 2 ** 30 })],
    ['a GNU long name too long for memory', rawHeader({ flag: 'L', size: 2 ** 30 })],
    ['a global header that renames', Buffer.concat([rawPax({ path: 'b' }, 'g'), rawEntry({ name: 'a' })])],
    [
      'a sparse file in pax form',
      Buffer.concat([rawPax({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'a' }), rawEntry({ name: 'a' })]),
    ],
    ['a name with a NUL', Buffer.concat([rawPax({ path: 'a\0b' }), rawEntry({ name: 'a' })])],
  ])('refuses %s as damage', async (_, bytes) => {
    expect((await failure(read(Buffer.concat([bytes, endOfTar])))).code).toBe('archive.damaged')
  })

  test('gives a sparse file of GNU tar as what no backup has', async () => {
    const tar = Buffer.concat([rawEntry({ name: 'a', flag: 'S', magic: 'ustar  \0' }, 'data'), endOfTar])
    expect((await read(tar)).entries[0]?.type).toBe('other')
  })

  test('tells every cut but those between two entries', async () => {
    const entries = [
      Buffer.concat([rawPax({ path: long }), rawEntry({ name: 'a' }, 'x'.repeat(600))]),
      Buffer.concat([rawEntry({ flag: 'L', magic: 'ustar  \0' }, `${long}\0`), rawEntry({ name: 'b' }, 'b')]),
      rawHeader({ name: 'c/', flag: '5' }),
      rawEntry({ name: 'd' }, 'y'.repeat(1024)),
    ]
    const tar = Buffer.concat(entries)
    const between = new Set(entries.map((_, index) => Buffer.concat(entries.slice(0, index)).length))
    for (let block = 0; block < tar.length; block += 512) {
      for (const cut of [block, block + 1, block + 137, block + 511]) {
        const work = read(tar.subarray(0, cut))
        if (between.has(cut)) expect((await work).end?.endMarker).toBe(false)
        else expect((await failure(work)).code, `cut at ${cut}`).toBe('archive.truncated')
      }
    }
  })

  test('tells a header without its entry', async () => {
    for (const end of [Buffer.alloc(0), endOfTar]) {
      expect((await failure(read(Buffer.concat([rawPax({ path: 'a' }), end])))).code).toBe('archive.truncated')
    }
  })

  test('survives any change of a few bytes: entries or a StrongroomError, nothing else', async () => {
    const tar = Buffer.concat([
      rawPax({ comment: 'c' }, 'g'),
      rawPax({ path: long, size: '5' }),
      rawEntry({ name: 'a' }, 'abcde'),
      rawEntry({ flag: 'L', magic: 'ustar  \0' }, `${long}\0`),
      rawEntry({ name: 'b' }, 'b'),
      rawHeader({ name: 'l', flag: '2', linkName: 'b' }),
      endOfTar,
    ])
    const crashes: unknown[] = []
    const change = fc.record({ at: fc.nat(tar.length - 1), to: fc.nat(255), repair: fc.boolean() })
    const law = fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const bytes = Buffer.from(tar)
      for (const { at, to, repair } of changes) {
        bytes[at] = to
        if (repair) repairChecksum(bytes, at - (at % 512))
      }
      await read(bytes).catch((error: unknown) => {
        if (!(error instanceof StrongroomError)) crashes.push(error)
      })
    })
    await fc.assert(law, { numRuns: 500 })
    expect(crashes).toEqual([])
  })

  test('passes over a member of 9 GiB in constant memory, and finds the next one', async () => {
    const size = 9 * 2 ** 30
    const chunk = new Uint8Array(8 << 20)
    async function* tar(): AsyncGenerator<Uint8Array> {
      yield encodeHeader({ name: 'huge', type: 'file', size, mtime: 0 })
      for (let left = size; left > 0; left -= chunk.length) yield chunk
      yield Buffer.concat([rawEntry({ name: 'after' }, 'after'), endOfTar])
    }
    const sizes = new Map<string, number>()
    let most = 0
    for await (const entry of readTar(tar(), 'a.tar', () => undefined)) {
      let counted = 0
      for await (const part of entry.content()) {
        counted += part.length
        most = Math.max(most, process.memoryUsage().arrayBuffers)
      }
      expect(counted).toBe(entry.size)
      sizes.set(entry.name, counted)
    }
    expect(Object.fromEntries(sizes)).toEqual({ huge: size, after: 5 })
    expect(most).toBeLessThan(256 * 2 ** 20)
  })

  test('that stops early lets go of what it reads from', async () => {
    let released = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield rawEntry({ name: 'a' }, 'a')
      } finally {
        released = true
      }
    }
    for await (const entry of readTar(endless(), 'a.tar', () => undefined)) if (entry.position > 4000) break
    expect(released).toBe(true)
  })
})

function repairChecksum(bytes: Buffer, block: number): void {
  bytes.write('        ', block + 148, 'latin1')
  const sum = bytes.subarray(block, block + 512).reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, block + 148, 'latin1')
}
