import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fileTailBytes,
  formatIndexTail,
  formatSum,
  indexTailBytes,
  indexTailOf,
  parseIndexTail,
  parseSum,
} from './proof.ts'

const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/)
const oneHash = 'ab'.repeat(32)

describe('the tail of an index', () => {
  test('is read back as it was written, whatever stands before it', () => {
    const law = fc.property(fc.maxSafeNat(), sha256, fc.string({ maxLength: 300 }), (offset, hash, before) => {
      expect(parseIndexTail(Buffer.from(`${before}\n${formatIndexTail({ offset, sha256: hash })}`))).toEqual({
        offset,
        sha256: hash,
      })
    })
    fc.assert(law)
  })

  test.each([
    ['with something behind it', `${formatIndexTail({ offset: 1, sha256: oneHash })}\n`],
    ['of another format', formatIndexTail({ offset: 1, sha256: oneHash }).replace('index 1', 'index 2')],
    ['in capitals', formatIndexTail({ offset: 1, sha256: oneHash.toUpperCase() })],
    ['with a short hash', formatIndexTail({ offset: 1, sha256: oneHash.slice(1) })],
    ['of nothing', ''],
  ])('%s is none', (_, text) => expect(parseIndexTail(Buffer.from(text))).toBeUndefined())
})

describe('the tail of a file', () => {
  const tail = (): Buffer =>
    Buffer.concat([
      Buffer.from([0x00, 0x00, 0x06, 0xff, 0xf9]),
      Buffer.alloc(512, 'i'),
      Buffer.alloc(1024),
      Buffer.from([0x01, 0x00, 0x00, 0xff, 0xff]),
      Buffer.alloc(8, 9),
    ])

  test('has 1,554 bytes and holds the last 512 of the index', () => {
    expect(fileTailBytes).toBe(1554)
    expect(indexTailBytes).toBe(512)
    expect(indexTailOf(tail())?.toString()).toBe('i'.repeat(512))
  })

  test('is none with any byte of its form changed, or of another length', () => {
    for (const at of [0, 1, 2, 3, 4, 517, 1000, 1540, 1541, 1542, 1545]) {
      const changed = tail()
      changed[at]! ^= 0x80
      expect(indexTailOf(changed), `byte ${at}`).toBeUndefined()
    }
    expect(indexTailOf(tail().subarray(1))).toBeUndefined()
    expect(indexTailOf(Buffer.alloc(0))).toBeUndefined()
  })
})

describe('a line of SHA256SUMS', () => {
  test('is read back as it was written', () => {
    const law = fc.property(sha256, fc.string({ minLength: 1 }), (hash, name) => {
      expect(parseSum(formatSum(hash, name))).toEqual({ sha256: hash, name })
    })
    fc.assert(law)
  })

  test('may be in the form for binary files', () => {
    expect(parseSum(`${oneHash} *a b`)).toEqual({ sha256: oneHash, name: 'a b' })
  })

  test.each([
    '',
    oneHash,
    `${oneHash}  `,
    `${oneHash} a`,
    `${oneHash.toUpperCase()}  a`,
    `\\${oneHash}  a`,
    ` ${oneHash}  a`,
  ])('%j is none', (line) => {
    expect(parseSum(line)).toBeUndefined()
  })
})
