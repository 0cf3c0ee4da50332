import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  numberedTagName,
  numberedTitle,
  numberedUsername,
  safeColor,
  safeEmail,
  safeLanguage,
  safePassword,
  safeTagName,
  safeText,
  safeTitle,
  safeTopTitle,
  safeUsername,
} from './papermerge-forms.ts'

/** The rules of Papermerge 2.1.9's restore, written again from what its serializers and validators do. */

const pythonSpace = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const strip = (text: string): string => text.replace(new RegExp(`^${pythonSpace}+|${pythonSpace}+$`, 'g'), '')

/** A CharField of Django REST framework that may not be blank and must come back as it was given. */
const takesText = (text: string, limit: number): boolean =>
  text !== '' && strip(text) === text && [...text].length <= limit && !text.includes('\0') && text.isWellFormed()

// The real pattern stops at a line feed; no other control character may stand in a title either.
const takesName = (text: string, limit: number): boolean => takesText(text, limit) && !/[<>/\\;:&]|\p{Cc}/u.test(text)
const takesTitle = (title: string): boolean => takesName(title, 200) && !['.', '..', '.home', '.inbox'].includes(title)
const takesUsername = (username: string): boolean => /^[\p{L}\p{N}_.@+-]{1,150}$/u.test(username)

/** Django 3.2's EmailValidator. */
function takesEmail(email: string): boolean {
  if (email === '') return true
  if (!takesText(email, 254)) return false
  const at = email.lastIndexOf('@')
  const [user, domain] = [email.slice(0, at), email.slice(at + 1)]
  const takesUser = /^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*$/i.test(user)
  return at > 0 && takesUser && /^((?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+)(?:[A-Z0-9-]{2,63}(?<!-))$/i.test(domain)
}

const awkward = fc.string({
  unit: fc.constantFrom(
    'a',
    'É',
    'e\u0301',
    '.',
    '..',
    ' ',
    '\u00a0',
    '\x1c',
    '\x85',
    '/',
    '\\',
    ':',
    ';',
    '&',
    '<',
    '>',
    '\0',
    '\n',
    '\ud800',
    '😀',
    '\u037e',
    '-',
    '@',
    '.pdf',
  ),
  maxLength: 260,
})
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ unit: 'grapheme', maxLength: 250 }),
  awkward,
  fc.constantFrom('.', '..', '.home', '.inbox', ' .home', '.inbox\n', '.home.'),
)

describe.each([
  ['safeTitle', safeTitle, takesTitle],
  ['safeTagName', safeTagName, (name: string) => takesName(name, 100)],
] as const)('%s', (_, safe, takes) => {
  test('gives what Papermerge takes, and leaves what it takes as it is', () => {
    const law = fc.property(anyText, (text) => {
      const form = safe(text)
      expect(takes(form), JSON.stringify(form)).toBe(true)
      expect(safe(form)).toBe(form)
      if (takes(text)) expect(form).toBe(text)
    })
    fc.assert(law, { numRuns: 3000 })
  })
})

test('numbered titles and tag names are taken, and differ', () => {
  const law = fc.property(anyText, fc.integer({ min: 2, max: 100_000 }), (text, number) => {
    const [title, tag] = [safeTitle(text), safeTagName(text)]
    expect(takesTitle(numberedTitle(title, number))).toBe(true)
    expect(takesName(numberedTagName(tag, number), 100)).toBe(true)
    expect(numberedTitle(title, number)).not.toBe(title)
    expect(numberedTagName(tag, number)).not.toBe(numberedTagName(tag, number + 1))
  })
  fc.assert(law, { numRuns: 1000 })
})

test.each([
  ['and/or.pdf', 'and／or.pdf'],
  ['a;b&c:d<e>\\', 'a；b＆c：d＜e＞＼'],
  ['two\nlines', 'two␊lines'],
  [' \t', '_'],
  ['.home', '．home'],
  ['.inbox', '．inbox'],
  ['.', '．'],
  ['..', '．．'],
  ['.homely', '.homely'],
  ['*?"|', '*?"|'],
  [`${'x'.repeat(250)}.pdf`, `${'x'.repeat(195)}….pdf`],
])('the title %j becomes %j', (title, safe) => expect(safeTitle(title)).toBe(safe))

test('the roots keep their titles at the top', () => {
  expect(['.home', '.inbox', '.', 'a/b'].map(safeTopTitle)).toEqual(['.home', '.inbox', '．', 'a／b'])
})

describe('safeUsername', () => {
  test('gives what Papermerge takes, and leaves what it takes as it is', () => {
    const law = fc.property(anyText, fc.integer({ min: 2, max: 10_000 }), (text, number) => {
      fc.pre(text !== '')
      const form = safeUsername(text)
      expect(takesUsername(form), JSON.stringify(form)).toBe(true)
      expect(takesUsername(numberedUsername(form, number))).toBe(true)
      expect(numberedUsername(form, number)).not.toBe(numberedUsername(form, number + 1))
      if (takesUsername(text)) expect(form).toBe(text)
    })
    fc.assert(law, { numRuns: 2000 })
  })

  test.each([
    ['jo hn', 'jo_hn'],
    ['ada/admin', 'ada_admin'],
    ['e\u0301va', 'éva'],
    ['a\u0323\u0332', 'ạ_'],
    ['李.四@+-_', '李.四@+-_'],
  ])('%j becomes %j', (name, safe) => {
    expect(safeUsername(name)).toBe(safe)
  })
})

describe('safeEmail', () => {
  test('gives what Django takes, or nothing', () => {
    const parts = fc.array(
      fc.constantFrom('a', 'B', '9', '.', '-', '_', '+', '@', '@example', '.com', '.c', ' ', 'é', '\n', '"', '[', ']'),
      { maxLength: 12 },
    )
    const law = fc.property(
      fc.oneof(
        fc.emailAddress(),
        parts.map((all) => all.join('')),
        anyText,
      ),
      (email) => {
        const form = safeEmail(email)
        expect(['', email]).toContain(form)
        expect(takesEmail(form), JSON.stringify(form)).toBe(true)
      },
    )
    fc.assert(law, { numRuns: 3000 })
  })

  test('keeps ordinary addresses', () => {
    for (const email of ['john@mail.com', 'a.b+c-d_e@sub.example.co.uk', 'X@EXAMPLE.ORG'])
      expect(safeEmail(email)).toBe(email)
    for (const email of [
      'john',
      'john@',
      '@mail.com',
      'a..b@mail.com',
      '.a@mail.com',
      'a.@mail.com',
      'a@-mail.com',
      'a@mail',
      'a@mail.com\n',
      `a@${'m'.repeat(64)}.com`,
      `${'a'.repeat(250)}@b.com`,
    ]) {
      expect(safeEmail(email), email).toBe('')
    }
  })
})

test('a password hash that fits stays; another becomes one that never matches', () => {
  expect(safePassword('pbkdf2_sha256$260000$salt$hash=', 'stable')).toBe('pbkdf2_sha256$260000$salt$hash=')
  for (const hash of ['', ' padded', 'x'.repeat(129)]) expect(safePassword(hash, 'stable')).toBe('!stable')
  expect(safePassword('x'.repeat(128), 'stable')).toBe('x'.repeat(128))
})

test('a kept text is trimmed and cut by characters', () => {
  const law = fc.property(anyText, fc.integer({ min: 1, max: 200 }), (text, limit) => {
    const kept = safeText(text, limit)
    expect(strip(kept)).toBe(kept)
    expect([...kept].length).toBeLessThanOrEqual(limit)
    expect(strip(text).startsWith(kept)).toBe(true)
    expect(safeText(text)).toBe(strip(text))
    if (strip(text) === text && [...text].length <= limit) expect(kept).toBe(text)
  })
  fc.assert(law, { numRuns: 1000 })
  expect(safeText('ab  cd', 4)).toBe('ab')
  expect(safeText('😀😀😀', 2)).toBe('😀😀')
})

test('a colour or a language that does not fit gives way', () => {
  expect(safeColor('#c41fff', 'x')).toBe('#c41fff')
  for (const color of ['', ' #fff', 'lightgray', '#c41fff00']) expect(safeColor(color, 'x')).toBe('x')
  expect(safeLanguage('deu', 'eng')).toBe('deu')
  expect(safeLanguage(' ', 'eng')).toBe('eng')
  expect(safeLanguage('deu+eng+fra', 'eng')).toBe('deu+eng+')
})
