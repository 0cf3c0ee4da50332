import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { hasProgram, needs } from '../../test/support/needs.ts'
import { inChunks, rawHeader } from '../../test/support/tar-pieces.ts'
import { decodeHeader, decodePax, encodeHeader, padding, TarFormatError, type EntryToWrite } from './tar-format.ts'
import { readTar } from './tar-reader.ts'

/** Components as long as any system takes them, joined to names of 1 to 5,000 bytes. */
const memberName = fc
  .array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 60 })
  .map((parts) => parts.map((part) => part.replaceAll(/[/\0]/g, '_')).join('/'))
  .filter((name) => name.isWellFormed() && !name.startsWith('/'))

const entry: fc.Arbitrary<EntryToWrite> = fc.oneof(
  fc.record({
    name: memberName,
    type: fc.constant('file' as const),
    size: fc.oneof(
      fc.nat(),
      fc.maxSafeNat().map((size) => size % 2 ** 48),
    ),
    mtime: fc.nat(),
  }),
  fc.record({
    name: memberName.map((name) => `${name}/`),
    type: fc.constant('folder' as const),
    size: fc.constant(0),
    mtime: fc.nat(),
  }),
  fc.record({
    name: memberName,
    type: fc.constantFrom('symlink' as const, 'hardlink' as const),
    size: fc.constant(0),
    mtime: fc.nat(),
    linkName: memberName,
  }),
)

/** The first entry of a tar that goes on with nothing. */
async function firstEntry(bytes: Buffer) {
  for await (const { name, type, size, linkName } of readTar(inChunks(bytes, 1000), 'a.tar', () => undefined)) {
    return { name, type, size, linkName }
  }
  return undefined
}

describe('a header that was encoded', () => {
  test('is read back as it was', async () => {
    const law = fc.asyncProperty(entry, async (written) => {
      const header = encodeHeader(written)
      expect(header.length % 512).toBe(0)
      const { name, type, size, linkName = '' } = written
      expect(await firstEntry(header)).toEqual({ name, type, size, linkName })
    })
    await fc.assert(law, { numRuns: 300 })
  })

  test('is one block as long as the name fits into the fields, parted at a slash', () => {
    const header = (name: string, linkName?: string) =>
      encodeHeader({ name, type: 'symlink', size: 0, mtime: 0, ...(linkName === undefined ? {} : { linkName }) })
    expect(header('n'.repeat(100)).length).toBe(512)
    expect(header('n'.repeat(101)).length).toBeGreaterThan(512)
    expect(header(`${'p'.repeat(155)}/${'n'.repeat(100)}`).length).toBe(512)
    expect(header(`${'p'.repeat(156)}/${'n'.repeat(100)}`).length).toBeGreaterThan(512)
    expect(header(`${'p'.repeat(155)}/${'n'.repeat(101)}`).length).toBeGreaterThan(512)
    expect(header('short', 't'.repeat(100)).length).toBe(512)
    expect(header('short', 't'.repeat(101)).length).toBeGreaterThan(512)
    // Bytes count, not characters.
    expect(header('ü'.repeat(50)).length).toBe(512)
    expect(header('ü'.repeat(51)).length).toBeGreaterThan(512)
  })

  test('has base-256 sizes from 8 GiB on, and octal ones below', () => {
    const sizeField = (size: number) => encodeHeader({ name: 'a', type: 'file', size, mtime: 0 }).subarray(124, 136)
    expect(sizeField(8 ** 11 - 1).toString('latin1')).toBe('77777777777\0')
    expect([...sizeField(8 ** 11)]).toEqual([0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0])
  })

  test('belongs to nobody and may be read by all', () => {
    const file = encodeHeader({ name: 'a', type: 'file', size: 1, mtime: 1_700_000_000 })
    expect(file.toString('latin1', 100, 124)).toBe('0000644\x000000000\x000000000\0')
    expect(file.toString('latin1', 136, 148)).toBe(`${(1_700_000_000).toString(8)}\0`)
    expect(file.toString('latin1', 257, 265)).toBe('ustar\x0000')
    const folder = encodeHeader({ name: 'a/', type: 'folder', size: 0, mtime: -1 })
    expect(folder.toString('latin1', 100, 108)).toBe('0000775\0')
    expect(folder.toString('latin1', 136, 148)).toBe('00000000000\0')
  })

  test('shows readers without pax a name that ends at a character', () => {
    const [extended, , block] = [0, 512, 1024].map((start) =>
      encodeHeader({ name: `x${'€'.repeat(60)}`, type: 'file', size: 0, mtime: 0 }).subarray(start, start + 512),
    )
    expect(extended?.toString('latin1', 156, 157)).toBe('x')
    expect(block?.toString('utf8', 0, 100).replace(/\0+$/, '')).toBe(`x${'€'.repeat(33)}`)
  })
})

describe('decodeHeader', () => {
  test.each([
    ['of POSIX with a prefix', { name: 'b', prefix: 'a' }, { name: 'a/b', type: 'file' }],
    ['of GNU tar, whose prefix is none', { name: 'b', prefix: 'a', magic: 'ustar  \0' }, { name: 'b' }],
    ['older than ustar', { name: 'b', prefix: 'a', magic: '', flag: '\0' }, { name: 'b', type: 'file' }],
    ['older than ustar, of a folder', { name: 'b/', magic: '', flag: '\0' }, { name: 'b/', type: 'folder' }],
    ['with the sum of signed bytes', { name: 'é', checksum: 'signed' }, { name: 'é' }],
    ['with blanks before the size', { size: '        144 ' }, { size: 100 }],
    ['with an empty size', { size: '\0'.repeat(12) }, { size: 0 }],
    ['with a base-256 size', { size: '\x80\0\0\0\0\0\0\x02\x40\0\0\0' }, { size: 9 * 2 ** 30 }],
    ['of a contiguous file', { flag: '7' }, { type: 'file' }],
    ['of a pipe', { flag: '6' }, { type: 'device' }],
    ['of a kind nobody knows', { flag: 'Z' }, { type: 'other' }],
  ] as const)('reads a header %s', (_, header, expected) => {
    expect(decodeHeader(rawHeader(header))).toMatchObject(expected)
  })

  test.each([
    ['a wrong checksum', { checksum: 'wrong' }],
    ['a size of letters', { size: 'abc' }],
    ['a size with an 8', { size: '00000000008\0' }],
    ['a negative size', { size: '\xff'.repeat(12) }],
    ['a size beyond what can be counted', { size: `\x80\0\0\0\x7f${'\xff'.repeat(7)}` }],
  ] as const)('refuses %s', (_, header) => {
    expect(() => decodeHeader(rawHeader(header))).toThrow(TarFormatError)
  })
})

describe('decodePax', () => {
  const records = (text: string) => Object.fromEntries(decodePax(Buffer.from(text)))

  test('reads records whose length counts itself, in bytes', () => {
    expect(records('11 path=ab\n13 a=b=c\nd e\n')).toEqual({ path: 'ab', a: 'b=c\nd e' })
    expect(records('12 path=\u20ac\n')).toEqual({ path: '€' })
    expect(records('')).toEqual({})
  })

  test('the last record of a key counts', () => {
    expect(records('10 path=a\n10 path=b\n')).toEqual({ path: 'b' })
  })

  test.each([
    ['a length that is too long', '99 path=a\n'],
    ['a length that is too short', '5 path=a\n'],
    ['no length', 'path=a\n'],
    ['a length of 0', '0 path=a\n'],
    ['a signed length', '+10 path=a\n'],
    ['no equals sign', '8 path1\n'],
    ['an equals sign of the next record only', '7 path\n10 path=a\n'],
    ['no line feed at the end', '10 path=ab'],
    ['zeros', '\0'.repeat(20)],
  ])('refuses %s', (_, text) => {
    expect(() => records(text)).toThrow(TarFormatError)
  })
})

test('padding fills the last block', () => {
  expect([0, 1, 511, 512, 513].map(padding)).toEqual([0, 511, 1, 0, 511])
})

describe('other programs list what was encoded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-tar-format-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const names = [
    'a',
    'Größe €.pdf',
    `${'p'.repeat(155)}/${'n'.repeat(100)}`,
    `${'é'.repeat(77)}/${'n'.repeat(99)}`,
    `${'deep/'.repeat(50)}leaf`,
    'n'.repeat(200),
    Array.from({ length: 19 }, (_, index) => `${index}${'ü'.repeat(90)}`).join('/'),
    '-leading dash',
    'x'.repeat(101),
  ]
  const content = Buffer.from('content\n')
  const parts = names.flatMap((name) => [
    encodeHeader({ name, type: 'file', size: content.length, mtime: 1_700_000_000 }),
    content,
    Buffer.alloc(padding(content.length)),
  ])
  const linkTarget = `../${'t'.repeat(150)}`
  parts.push(encodeHeader({ name: 'folder/', type: 'folder', size: 0, mtime: 1 }))
  parts.push(
    encodeHeader({ name: 'folder/link', type: 'symlink', size: 0, mtime: 1, linkName: linkTarget }),
    Buffer.alloc(1024),
  )
  const path = join(folder, 'headers.tar')
  writeFileSync(path, Buffer.concat(parts))
  const listed = [...names, 'folder/', 'folder/link']

  const outputOf = (program: string, args: readonly string[]): string =>
    execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } })

  const tar = needs('GNU tar', hasProgram('tar'), 'listing headers with tar')
  test.skipIf(!tar)('GNU tar', () => {
    const output = outputOf('tar', ['--list', '--quoting-style=literal', '--file', path])
    expect(output.trimEnd().split('\n')).toEqual(listed)
    const verbose = outputOf('tar', ['-tvf', path, '--quoting-style=literal', '--numeric-owner'])
    expect(verbose).toContain(`folder/link -> ${linkTarget}`)
    expect(verbose).toMatch(/^-rw-r--r-- 0\/0 +8 2023-11-1[45]/)
  })

  const bsdtar = needs('bsdtar', hasProgram('bsdtar'), 'listing headers with bsdtar')
  test.skipIf(!bsdtar)('bsdtar', () => {
    const output = outputOf('bsdtar', ['-tf', path])
    expect(output.trimEnd().split('\n')).toEqual(listed)
  })

  const python = needs('python3', hasProgram('python3'), "listing headers with Python's tarfile")
  test.skipIf(!python)("Python's tarfile", () => {
    const script = [
      'import hashlib, json, sys, tarfile',
      'with tarfile.open(sys.argv[1], encoding="utf-8") as archive:',
      '    print(json.dumps([[m.name, m.size, m.mtime, m.linkname, hashlib.sha256(archive.extractfile(m).read()).hexdigest()',
      '        if m.isreg() else ""] for m in archive]))',
    ].join('\n')
    const output = outputOf('python3', ['-c', script, path])
    const sha256 = createHash('sha256').update(content).digest('hex')
    expect(JSON.parse(output)).toEqual([
      ...names.map((name) => [name, content.length, 1_700_000_000, '', sha256]),
      ['folder', 0, 1, '', ''],
      ['folder/link', 0, 1, linkTarget, ''],
    ])
  })
})
