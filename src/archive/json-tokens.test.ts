import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createJsonTokenizer, JsonError, type JsonToken } from './json-tokens.ts'

/** The tokens of a text that arrives in pieces of `size` bytes, scalars as their values. */
function tokensOf(text: string | Uint8Array, size = Infinity): readonly unknown[] {
  const bytes = Buffer.from(text)
  const tokens: JsonToken[] = []
  const tokenizer = createJsonTokenizer((token) => tokens.push(token))
  const step = Math.min(size, Math.max(1, bytes.length))
  for (let start = 0; start < bytes.length; start += step)
    tokenizer.write(Uint8Array.from(bytes.subarray(start, start + step)))
  tokenizer.end()
  return tokens.map((token) => (token.type === 'value' ? { value: token.value } : token.type))
}

const value = (scalar: unknown) => ({ value: scalar })

describe('tokens', () => {
  test('are the same however the text is cut', () => {
    const law = fc.property(fc.json({ stringUnit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, size) => {
      expect(tokensOf(text, size)).toEqual(tokensOf(text))
    })
    fc.assert(law, { numRuns: 200 })
  })

  test('keep every text, escaped or not, whatever stands in it', () => {
    const law = fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 9 }), (text, size) => {
      expect(tokensOf(JSON.stringify(text), size)).toEqual([value(text)])
      const escaped = `"${[...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
      expect(tokensOf(escaped, size)).toEqual([value(text)])
    })
    fc.assert(law, { numRuns: 200 })
  })

  test('end a text at the quote before which the backslashes pair', () => {
    expect(tokensOf('["\\\\","a\\"b","\\\\\\""]', 1)).toEqual([
      '[',
      value('\\'),
      ',',
      value('a"b'),
      ',',
      value('\\"'),
      ']',
    ])
  })

  test('know numbers and words as JSON.parse does', () => {
    for (const plain of ['0', '-0', '1.5e-7', '1E400', '123456789012345678901', 'true', 'false', 'null']) {
      expect(tokensOf(plain)).toEqual([value(JSON.parse(plain))])
      expect(tokensOf(plain, 1)).toEqual([value(JSON.parse(plain))])
    }
  })

  test('come behind a byte order mark too, even one that arrives byte by byte', () => {
    expect(tokensOf('\ufeff{}')).toEqual(['{', '}'])
    expect(tokensOf('\ufeff{}', 1)).toEqual(['{', '}'])
  })

  test('keep halves of surrogate pairs that are escaped', () => {
    expect(tokensOf('"\\ud800x"')).toEqual([value('\ud800x')])
    expect(tokensOf('"\\udc00\\ud800"', 3)).toEqual([value('\udc00\ud800')])
  })

  test('know where they begin', () => {
    const positions: number[] = []
    const tokenizer = createJsonTokenizer((_, position) => positions.push(position))
    for (const part of [' {', '"a', '€" ', ': 1', '2 ', '}']) tokenizer.write(Buffer.from(part))
    tokenizer.end()
    expect(positions).toEqual([1, 2, 9, 11, 14])
    expect(tokenizer.position()).toBe(15)
  })
})

describe('a text is refused', () => {
  test.each([
    ['with a number that begins with 0', '01'],
    ['with a number that begins with +', '+1'],
    ['with a number that ends in a point', '1.'],
    ['with a hexadecimal number', '0x10'],
    ['with NaN', 'NaN'],
    ['with Infinity', '-Infinity'],
    ['with a word that is none', 'nul'],
    ['with a word in capitals', 'True'],
    ['with single quotes', "'a'"],
    ['with a comment', '/* a */ 1'],
    ['with a control character in a text', '"a\nb"'],
    ['with a NUL in a text', '"a\0b"'],
    ['with an unknown escape', '"\\x41"'],
    ['with half an escape', '"\\u12"'],
    ['that ends in a text', '"abc'],
    ['that ends in an escape', '"abc\\"'],
    ['with a blank that JSON does not know', '\u00a01'],
    ['with a form feed between tokens', '[\f1]'],
    ['with a byte order mark inside', '[\ufeff1]'],
    ['with a long run of letters', 'a'.repeat(1000)],
  ])('%s', (_, text) => {
    expect(() => tokensOf(text)).toThrow(JsonError)
    expect(() => tokensOf(text, 1)).toThrow(JsonError)
  })

  test.each([
    ['that is not UTF-8', Buffer.from('"\xe9"', 'latin1')],
    ['with an overlong form', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['with half a surrogate pair in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['in UTF-16', Buffer.from('\ufeff{"a": 1}', 'utf16le')],
    ['in UTF-16 without its mark', Buffer.from('{"a": 1}', 'utf16le')],
    ['in big-endian UTF-16', Buffer.from('\ufeff{"a": 1}', 'utf16le').swap16()],
    ['in UTF-32', Buffer.from([0, 0, 0, 0x7b])],
    ['of two bytes in UTF-16', Buffer.from([0x7b, 0])],
  ])('%s', (_, bytes) => {
    expect(() => tokensOf(bytes)).toThrow(JsonError)
    expect(() => tokensOf(bytes, 1)).toThrow(JsonError)
  })

  test('with a string that is too long for memory, long before it ends', () => {
    const tokenizer = createJsonTokenizer(() => undefined)
    const chunk = Buffer.alloc(8 << 20, 'a')
    tokenizer.write(Buffer.from('   "'))
    const endless = (): void => {
      for (let count = 0; count < 20; count += 1) tokenizer.write(chunk)
    }
    expect(endless).toThrow(/more than 67108864 bytes/)
  })

  test('with the place where it is wrong', () => {
    expect(() => tokensOf('{"a": nope}')).toThrow('"nope" stands where a value should at byte 6')
  })
})

test('a string of many megabytes that arrives in small pieces is read', () => {
  const text = `${'\\\\'.repeat(1 << 20)}\\"${'é'.repeat(1 << 20)}`
  expect(tokensOf(`"${text}"`, 1 << 18)).toEqual([value(JSON.parse(`"${text}"`))])
})
