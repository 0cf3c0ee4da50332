import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  characterCount,
  controlPicture,
  lookAlike,
  numbered,
  numberedComponent,
  safeComponent,
  shorten,
  shortenPath,
  trim,
  twinKey,
  userFolder,
} from './member-names.ts'

const bytes = (text: string): number => Buffer.byteLength(text)

/** Texts of every sort: whole characters, halves of pairs, and what the law is about. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  fc.string({
    unit: fc.constantFrom(
      'a',
      'É',
      'e\u0301',
      '.',
      ' ',
      '\u00a0',
      '\ufeff',
      '\x1c',
      '\x85',
      '/',
      '\\',
      ':',
      '*',
      '?',
      '"',
      '<',
      '>',
      '|',
      '\0',
      '\n',
      '\x7f',
      '\ud800',
      '\udc00',
      '😀',
      '\u037e',
      '\u0338',
      '(2)',
      '…',
      '\u1100',
      '\u1161',
    ),
    maxLength: 150,
  }),
  fc
    .tuple(
      fc.constantFrom('con', 'PRN', 'Aux', 'nul', 'com1', 'LPT³', 'conin$', 'CONOUT$'),
      fc.constantFrom('', ' ', '.', '.pdf', ' .pdf', 's'),
    )
    .map((parts) => parts.join('')),
)

const forbidden = new Set('\\/:*?"<>|')
const reservedStems = [
  'con',
  'prn',
  'aux',
  'nul',
  'conin$',
  'conout$',
  ...['com', 'lpt'].flatMap((stem) => [...'0123456789¹²³'].map((digit) => stem + digit)),
]
const pythonBlanks = [
  0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
  0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
]
const isBlank = (character: string): boolean => pythonBlanks.includes(character.codePointAt(0)!)

/** What is wrong with a component of a member's name; the law, written again. */
function faultsOf(name: string): readonly string[] {
  const faults: string[] = []
  const characters = [...name]
  if (name === '' || name === '.' || name === '..') faults.push('no name')
  if (name !== name.normalize('NFC')) faults.push('not NFC')
  if (!name.isWellFormed()) faults.push('half a surrogate pair')
  if (characters.some((character) => character < ' ' || (character >= '\x7f' && character <= '\x9f')))
    faults.push('a control character')
  if (characters.some((character) => forbidden.has(character))) faults.push('a forbidden character')
  if (isBlank(characters[0] ?? '') || isBlank(characters.at(-1) ?? '')) faults.push('a blank at an end')
  if (bytes(name) > 200) faults.push('too long')
  const stem = name.split('.', 1)[0]!.replace(/ +$/, '').toLowerCase()
  if (reservedStems.includes(stem)) faults.push('reserved on Windows')
  return faults
}

describe('safeComponent', () => {
  test('gives a name that keeps the law, whatever it is given', () => {
    const law = fc.property(anyText, (text) => {
      expect(faultsOf(safeComponent(text))).toEqual([])
    })
    fc.assert(law, { numRuns: 3000 })
  })

  test('leaves a name that keeps the law as it is, and so its own results', () => {
    const law = fc.property(anyText, (text) => {
      const safe = safeComponent(text)
      expect(safeComponent(safe)).toBe(safe)
      if (faultsOf(text).length === 0) expect(safe).toBe(text)
    })
    fc.assert(law, { numRuns: 3000 })
  })

  test.each([
    ['invoice.pdf', 'invoice.pdf'],
    ['and/or: "a" <b> c*d? e|f\\g', 'and／or： ＂a＂ ＜b＞ c＊d？ e｜f＼g'],
    ['line\nfeed\x7f', 'line␊feed␡'],
    ['\x9d', '\ufffd'],
    ['\ud800', '\ufffd'],
    ['  padded\u3000', 'padded'],
    ['\u001c', '_'],
    ['', '_'],
    ['.', '．'],
    ['..', '．．'],
    ['...', '...'],
    ['e\u0301', 'é'],
    ['CON', '_CON'],
    ['nul.txt', '_nul.txt'],
    ['nul .txt', '_nul .txt'],
    ['conout$', '_conout$'],
    ['console', 'console'],
    ['com10', 'com10'],
    ['\ufeffmark', '\ufeffmark'],
    [`${'ü'.repeat(150)}.tar.gz`, `${'ü'.repeat(97)}….gz`],
  ])('%j becomes %j', (name, safe) => expect(safeComponent(name)).toBe(safe))
})

test('trim takes off what Python does, at both ends and nowhere else', () => {
  for (const code of pythonBlanks) {
    const blank = String.fromCodePoint(code)
    expect(trim(`${blank}a${blank}b${blank}`)).toBe(`a${blank}b`)
  }
  for (const kept of ['\ufeff', '\u200b', '\0', '\u180e', '\x08'])
    expect(trim(`${kept}a${kept}`)).toBe(`${kept}a${kept}`)
  expect(trim(' \t ')).toBe('')
})

test('what may not stand has a look-alike, and a control character its picture', () => {
  for (const character of '<>/\\;:&*?"|') {
    expect(lookAlike(character)).toHaveLength(1)
    expect(lookAlike(character).normalize('NFKC')).toBe(character)
  }
  expect(lookAlike('#')).toBe('_')
  expect(['\0', '\t', '\x1f', '\x7f', '\x80'].map(controlPicture)).toEqual(['␀', '␉', '␟', '␡', '\ufffd'])
})

test('characterCount counts as Python does', () => {
  expect(characterCount('a😀e\u0301')).toBe(4)
  expect(characterCount('')).toBe(0)
})

describe('shorten', () => {
  test('keeps what fits, and else the beginning and the extension, within the limit', () => {
    const measures = fc.constantFrom(bytes, characterCount)
    const law = fc.property(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.integer({ min: 60, max: 200 }),
      measures,
      (text, limit, measure) => {
        const name = trim(text)
        const short = shorten(name, limit, measure)
        expect(measure(short)).toBeLessThanOrEqual(limit)
        if (measure(name) <= limit) expect(short).toBe(name)
        else {
          const [head, tail] = [short.slice(0, short.lastIndexOf('…')), short.slice(short.lastIndexOf('…') + 1)]
          expect(name.startsWith(head) && name.endsWith(tail)).toBe(true)
        }
      },
    )
    fc.assert(law, { numRuns: 500 })
  })

  test('an end that is no extension is cut too', () => {
    expect(shorten(`${'a'.repeat(100)}.${'b'.repeat(100)}`, 20, bytes)).toBe(`${'a'.repeat(17)}…`)
    expect(shorten(`.${'b'.repeat(100)}`, 20, bytes)).toBe(`.${'b'.repeat(16)}…`)
  })
})

describe('numbered', () => {
  test('puts the number before the extension', () => {
    expect(numberedComponent('scan.pdf', 2)).toBe('scan (2).pdf')
    expect(numberedComponent('scan', 10)).toBe('scan (10)')
    expect(numberedComponent('.pdf', 2)).toBe('.pdf (2)')
    expect(numbered('x'.repeat(10), 2, 10, characterCount)).toBe(`${'x'.repeat(5)}… (2)`)
  })

  test('gives names that keep the law and are all different', () => {
    const law = fc.property(anyText, fc.integer({ min: 2, max: 100_000 }), (text, number) => {
      const safe = safeComponent(text)
      const first = numberedComponent(safe, number)
      expect(faultsOf(first)).toEqual([])
      expect(first).not.toBe(safe)
      expect(numberedComponent(safe, number + 1)).not.toBe(first)
    })
    fc.assert(law, { numRuns: 2000 })
  })
})

describe('twinKey', () => {
  test('is equal for names that differ in case or in normalization only', () => {
    const law = fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const key = twinKey(name)
      expect(twinKey(name.normalize('NFD'))).toBe(key)
      expect(twinKey(name.normalize('NFC').toUpperCase())).toBe(key)
      expect(twinKey(name.normalize('NFC').toLowerCase())).toBe(key)
    })
    fc.assert(law, { numRuns: 2000 })
  })

  test.each([
    ['Straße', 'STRASSE'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['Å', 'a\u030a'],
    ['K', '\u212a'],
    ['ſ', 's'],
  ])('%s is a twin of %s', (left, right) => {
    expect(twinKey(left)).toBe(twinKey(right))
  })

  test.each([
    ['a', 'b'],
    ['a', 'á'],
    ['a', 'a '],
  ])('%s is no twin of %s', (left, right) => {
    expect(twinKey(left)).not.toBe(twinKey(right))
  })
})

describe('shortenPath', () => {
  const component = fc.oneof(
    fc
      .tuple(fc.constantFrom('a', 'ü', '€'), fc.integer({ min: 1, max: 66 }))
      .map(([character, count]) => character.repeat(count)),
    fc.integer({ min: 150, max: 200 }).map((count) => 'x'.repeat(count)),
  )
  const path = fc.oneof(
    fc.array(component, { minLength: 1, maxLength: 60 }),
    fc
      .tuple(fc.integer({ min: 1, max: 3000 }), component)
      .map(([depth, last]) => [...Array.from({ length: depth }, (_, index) => String(index % 10)), last]),
  )

  test('never gives a path too long or too deep, and keeps its first two folders and its end', () => {
    const law = fc.property(path, (components) => {
      const short = shortenPath(components)
      expect(bytes(short.join('/'))).toBeLessThanOrEqual(3900)
      expect(short.length).toBeLessThanOrEqual(1000)
      const fits = components.length <= 1000 && components.reduce((sum, part) => sum + bytes(part) + 1, 0) <= 3900
      if (fits) expect(short).toEqual(components)
      else {
        expect(short.slice(0, 2)).toEqual(components.slice(0, 2))
        expect(short.at(-1)).toBe(components.at(-1))
        const gap = short.indexOf('…')
        expect(gap).toBeGreaterThanOrEqual(2)
        expect(short.slice(0, gap)).toEqual(components.slice(0, gap))
        expect(short.slice(gap + 1)).toEqual(components.slice(components.length - (short.length - gap - 1)))
      }
    })
    fc.assert(law, { numRuns: 400 })
  })

  test('leaves out no more than it must', () => {
    const components = Array.from({ length: 30 }, (_, index) => String(index % 10).repeat(199))
    const short = shortenPath(components)
    expect(short.length).toBe(20)
    expect(short.indexOf('…')).toBeGreaterThan(5)
  })
})

describe('userFolder', () => {
  test('is no name that stands at the top already, nor begins with one', () => {
    const reserved = [
      'docs',
      'sidecars',
      'backup.json',
      'README.txt',
      'index.html',
      'SHA256SUMS',
      'strongroom',
      'docvers',
      'ocr',
      '.',
      '..',
    ]
    for (const name of reserved) {
      for (const username of [name, name.toUpperCase(), `${name}mith`, ` ${name}`]) {
        expect(userFolder(username), username).toMatch(/^user /)
      }
    }
    expect(['john', 'doc', 'user', 'Ocean', 'Sidney'].map(userFolder)).toEqual([
      'john',
      'doc',
      'user',
      'Ocean',
      'Sidney',
    ])
  })

  test('keeps the law', () => {
    const law = fc.property(anyText, (username) => {
      expect(faultsOf(userFolder(username))).toEqual([])
    })
    fc.assert(law, { numRuns: 1000 })
  })
})
