import fc from 'fast-check'
import { expect, test } from 'vitest'
import { byteLength, compareBytes, display, hasLoneSurrogate, reasonOf, toStorableText } from './text.ts'

const anyText = fc.string({ unit: 'binary' })

test('what is displayed has no character that can hide or move others', () => {
  const tricks = fc.string({
    unit: fc.constantFrom(
      'a',
      '\n',
      '\x1b',
      '\x9b',
      '\u202e',
      '\u2066',
      '\u200b',
      '\ufeff',
      '\u2028',
      '\ud800',
      '\udc00',
      '\u{e0041}',
      '\u061c',
      '\0',
      'é',
      '😀',
    ),
  })
  const law = fc.property(fc.oneof(anyText, tricks), (text) => {
    const shown = display(text)
    expect(shown.isWellFormed()).toBe(true)
    expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b-\u200d\u2060\ufeff]/u)
    expect(display(shown)).toBe(shown)
  })
  fc.assert(law, { numRuns: 1000 })
})

test.each([
  ['Größe 😀 李', 'Größe 😀 李'],
  ['a\nb\tc\r', 'a\\nb\\tc\\r'],
  ['\x1b[31mred', '\\u{1b}[31mred'],
  ['fdp.\u202egpj', 'fdp.\\u{202e}gpj'],
  ['\ud800', '\\u{d800}'],
  ['\u{e0041}', '\\u{e0041}'],
])('%j is displayed as %j', (text, shown) => expect(display(text)).toBe(shown))

test('texts are ordered by their bytes, not by the halves of surrogate pairs', () => {
  const law = fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (left, right) => {
    expect(Math.sign(compareBytes(left, right))).toBe(Math.sign(Buffer.compare(Buffer.from(left), Buffer.from(right))))
    expect(Math.sign(compareBytes(right, left))).toBe(-Math.sign(compareBytes(left, right)) + 0)
    expect(compareBytes(left, left)).toBe(0)
  })
  fc.assert(law)
  // JavaScript's own order is the other way round.
  expect(compareBytes('\uff5e', '😀')).toBeLessThan(0)
})

test('a storable text can be stored, and one that can be is left', () => {
  const law = fc.property(anyText, (text) => {
    const kept = toStorableText(text)
    expect(hasLoneSurrogate(kept)).toBe(false)
    expect(kept).not.toContain('\0')
    expect(kept.length).toBe(text.length)
    if (!hasLoneSurrogate(text) && !text.includes('\0')) expect(kept).toBe(text)
  })
  fc.assert(law)
  expect(toStorableText('a\0\udc00b')).toBe('a\ufffd\ufffdb')
})

test('byteLength counts UTF-8', () => expect(byteLength('aé€😀')).toBe(10))

test('reasonOf gives a message whatever was thrown', () => {
  expect(reasonOf(new Error('broken'))).toBe('broken')
  expect(reasonOf('broken')).toBe('broken')
  expect(reasonOf(undefined)).toBe('undefined')
})
