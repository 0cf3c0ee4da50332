import fc from 'fast-check'
import type { Flag } from '../../src/database/schema.ts'
import { sidecarKinds } from '../../src/domain/sidecars.ts'

/** Instances that hold whatever the database can hold, made row by row without the program's verbs. */

// What some file system, reader, validator or normalisation treats in a way of its own.
const pieces = [
  ...[
    ' ',
    '\n',
    '\t',
    '\r',
    '\u0001',
    '\u001c',
    '\u007f',
    '\u0085',
    '\u00a0',
    '\u200b',
    '\u202e',
    '\u2028',
    '\u3000',
    '\ufeff',
  ],
  ...[
    '.',
    '..',
    '/',
    '\\',
    ':',
    '<',
    '>',
    '&',
    ';',
    '*',
    '?',
    '"',
    '|',
    '~',
    '_',
    '-',
    '$HOME',
    '`',
    "'",
    '%',
    '=',
    '@',
    '+',
    '{',
  ],
  ...['／', '＼', '：', '＜', '．', '…', '\ufffd', '\uffff', '\ue000', '\u0301', '\u0308', '\u{e0001}', '\u{10ffff}'],
  ...['a', 'A', 'é', 'e\u0301', 'ß', 'SS', 'ſ', 'İ', 'ı', 'K', 'ﬁ', 'ǅ', 'Σ', 'ς', '長', '😀', '1', '¹', 'ⅳ', '\u1e9e'],
  ...[
    'CON',
    'nul',
    'COM1',
    'aux.txt',
    '.home',
    '.inbox',
    'docs',
    'sidecars',
    'strongroom',
    'README.txt',
    ' (2)',
    '.pdf',
    'backup.json',
  ],
]

const piece = fc.constantFrom(...pieces)
const textOf = (longest: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      { weight: 8, arbitrary: fc.array(piece, { maxLength: 5 }).map((parts) => parts.join('')) },
      { weight: 1, arbitrary: fc.tuple(piece, fc.nat(longest)).map(([part, times]) => part.repeat(times)) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', '')) },
    )
    .map((text) => [...text].slice(0, longest).join(''))
const nameOf = (longest: number): fc.Arbitrary<string> => textOf(longest).filter((text) => text !== '')

const flag = fc.constantFrom<Flag>(0, 1)
const someMoment = fc
  .tuple(fc.date({ min: new Date(0), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true }), fc.nat(999))
  .map(([date, micro]) => date.toISOString().replace('Z', `${String(micro).padStart(3, '0')}Z`))
const moment = fc.option(someMoment)
const lang = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('deu', 'eng') }, textOf(20))

const page = fc.record({
  number: fc.nat(4),
  lang,
  text: textOf(300),
  sidecars: fc.uniqueArray(fc.constantFrom(...sidecarKinds), { maxLength: 2 }),
})

const version = fc.record({
  number: fc.nat(6),
  file: fc.option(fc.record({ name: nameOf(300), content: fc.string({ maxLength: 40 }), media_type: textOf(40) })),
  page_count: fc.option(fc.nat(2 ** 31 - 1)),
  lang,
  short_description: textOf(200),
  text: textOf(300),
  created_at: moment,
  pages: fc.uniqueArray(page, { maxLength: 2, selector: ({ number }) => number }),
})

const node = fc.record({
  /** Which of the folders so far it lies in; beyond them, the top level. */
  place: fc.nat(12),
  title: nameOf(300),
  /** When and from where it was moved to the trash; the folder that it was in may be gone. */
  trashed: fc.option(fc.record({ deleted_at: someMoment, deleted_from: textOf(300), isGone: fc.boolean() }), {
    freq: 2,
  }),
  created_at: moment,
  updated_at: moment,
  document: fc.option(
    fc.record({
      lang,
      ocr: flag,
      ocr_status: fc.constantFrom('unknown', 'received', 'started', 'succeeded', 'failed' as const),
      versions: fc.uniqueArray(version, { maxLength: 3, selector: ({ number }) => number }),
    }),
    { freq: 2 },
  ),
  tags: fc.uniqueArray(fc.nat(3), { maxLength: 2 }),
})

const tag = fc.record({
  name: nameOf(150),
  bg_color: textOf(12),
  fg_color: textOf(12),
  description: fc.option(textOf(1100)),
  pinned: flag,
})

const user = fc.record({
  username: nameOf(200),
  password: fc.oneof(
    textOf(140).map((text) => `!${text}`),
    fc.nat(150).map((length) => `pbkdf2_sha256$1000$${'s'.repeat(length)}$${'A'.repeat(43)}=`),
  ),
  email: fc.oneof(fc.constantFrom('', 'ada@example.org'), textOf(300)),
  first_name: textOf(160),
  last_name: textOf(160),
  is_active: flag,
  is_superuser: flag,
  is_staff: flag,
  date_joined: moment,
  last_login: moment,
  created_at: moment,
  updated_at: moment,
  nodes: fc.array(node, { maxLength: 10 }),
  tags: fc.uniqueArray(tag, { maxLength: 4, selector: ({ name }) => name }),
  groups: fc.uniqueArray(fc.nat(1), { maxLength: 2 }),
})

export const randomInstance = fc.record({
  users: fc.uniqueArray(user, { minLength: 1, maxLength: 3, selector: ({ username }) => username }),
  groups: fc.uniqueArray(fc.record({ name: nameOf(100) }), { maxLength: 2, selector: ({ name }) => name }),
})

export type RandomInstance = typeof randomInstance extends fc.Arbitrary<infer T> ? T : never
