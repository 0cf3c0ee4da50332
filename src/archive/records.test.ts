import { describe, expect, test } from 'vitest'
import type { ZodType } from 'zod'
import { createRecordReader, type JsonObject, type JsonRecord } from './json-records.ts'
import {
  backupShape,
  headerSchema,
  nodeSchema,
  pageSchema,
  readMoment,
  readRecord,
  storable,
  tagSchema,
  userSchema,
  versionSchema,
  wholeText,
  withOwnKeys,
} from './records.ts'

/** The records of a backup.json by their paths, and the keys that are in no dialect. */
function recordsOf(backup: unknown) {
  const records: JsonRecord[] = []
  const unknown: string[] = []
  const reader = createRecordReader(backupShape, {
    onRecord: (record) => records.push(record),
    onObject: () => undefined,
    onUnknownKey: (path) => unknown.push(path),
  })
  reader.write(Buffer.from(JSON.stringify(backup)))
  reader.end()
  const at = (path: string) => records.filter((record) => record.path === path).map(({ value }) => value)
  return { at, unknown }
}

function valueOf<T>(schema: ZodType<T>, value: JsonObject): T {
  const read = readRecord(schema, value)
  if ('problem' in read) throw new Error(read.problem)
  return read.value
}

const problemOf = (schema: ZodType, value: JsonObject): string => {
  const read = readRecord(schema, value)
  return 'problem' in read ? read.problem : 'none'
}

const id = 'ce67fe07-e5e3-4269-8d20-d262e8fb655a'
const tag21 = { bg_color: '#f52d00', fg_color: '#ffffff', description: '', pinned: true, name: 'important' }
const page21 = { file_path: 'sidecars/a', text: 'Amtliche ', number: 1, page_count: 1, lang: 'deu' }
const version21 = {
  pages: [page21],
  file_path: 'docs/a',
  lang: 'deu',
  number: 2,
  file_name: 'a.pdf',
  size: 0,
  page_count: 1,
  short_description: 'Original',
  text: '',
}
const folder21 = {
  breadcrumb: '.home/',
  tags: [],
  ctype: 'folder',
  title: '.home',
  created_at: '2026-11-24T14:03:52.304446+01:00',
  updated_at: '2026-11-24T14:03:52.304479+01:00',
}
const document21 = {
  id,
  breadcrumb: '.home/invoice.pdf',
  tags: [tag21],
  versions: [version21],
  ctype: 'document',
  title: 'invoice.pdf',
  lang: 'deu',
  created_at: '2026-11-24T14:03:52.386828+01:00',
  updated_at: '2026-11-24T14:03:52.386857+01:00',
  ocr: true,
  ocr_status: 'unknown',
}
const user21 = {
  id,
  nodes: [folder21, document21],
  tags: [tag21],
  password: 'pbkdf2_sha256$1$a$b',
  last_login: null,
  is_superuser: true,
  username: 'john',
  first_name: '',
  last_name: '',
  email: 'john@mail.com',
  is_staff: true,
  is_active: true,
  date_joined: '2026-11-24T14:03:52.203330+01:00',
  created_at: '2026-11-24T14:03:52.277162+01:00',
  updated_at: '2026-11-24T14:03:52.346714+01:00',
  groups: [],
  user_permissions: [],
}

describe("Papermerge 2.1's dialect", () => {
  const { at, unknown } = recordsOf({ created: '24.11.2026-14:03:52', version: '2.1.9', users: [user21] })

  test('has no key that is not known', () => expect(unknown).toEqual([]))

  test('is read, every record', () => {
    expect(valueOf(headerSchema, at('')[0]!)).toEqual({ created: '24.11.2026-14:03:52', version: '2.1.9', users: [] })
    expect(valueOf(userSchema, at('users')[0]!)).toMatchObject({
      id,
      username: 'john',
      is_superuser: true,
      last_login: null,
    })
    const [folder, document] = at('users.nodes').map((node) => valueOf(nodeSchema, node))
    expect(folder).toMatchObject({ ctype: 'folder', title: '.home' })
    expect(folder?.versions).toBeUndefined()
    expect(document).toMatchObject({ id, ctype: 'document', versions: [], ocr: true })
    expect(valueOf(versionSchema, at('users.nodes.versions')[0]!)).toMatchObject({ number: 2, size: 0, pages: [] })
    expect(valueOf(pageSchema, at('users.nodes.versions.pages')[0]!)).toMatchObject({ number: 1, text: 'Amtliche ' })
    expect(valueOf(tagSchema, at('users.nodes.tags')[0]!)).toEqual(tag21)
    expect(at('users.tags')).toHaveLength(1)
  })
})

test("Papermerge 3's dialect is read", () => {
  const page = { id, number: 1, lang: 'deu', text: 'text' }
  const version = {
    id,
    number: 1,
    lang: 'deu',
    file_name: 'a.pdf',
    size: 10,
    page_count: 1,
    short_description: '',
    text: '',
    pages: [page],
  }
  const document = {
    title: 'a.pdf',
    ctype: 'document',
    ocr: true,
    ocr_status: 'SUCCESS',
    created_at: '2023-11-11 06:22:08.978201+00:00',
    updated_at: '2023-11-11 06:22:08.978201+00:00',
    breadcrumb: ['.home', 'a.pdf'],
    versions: [version],
    tags: [tag21],
  }
  const user = {
    username: 'admin',
    email: 'a@mail.com',
    created_at: '2023-11-11 06:22:08.978201+00:00',
    updated_at: '2023-11-11 06:22:08.978201+00:00',
    password: 'pbkdf2',
    nodes: [document],
    tags: [],
  }
  const { at, unknown } = recordsOf({ created: '11.11.2023-06:22:08', version: '3.0.3', users: [user] })
  expect(unknown).toEqual([])
  const read = valueOf(userSchema, at('users')[0]!)
  expect([read.id, read.is_superuser, read.is_active]).toEqual([undefined, undefined, undefined])
  expect(valueOf(nodeSchema, at('users.nodes')[0]!).breadcrumb).toEqual(['.home', 'a.pdf'])
  expect(valueOf(versionSchema, at('users.nodes.versions')[0]!).id).toBe(id)
  expect(valueOf(pageSchema, at('users.nodes.versions.pages')[0]!).id).toBe(id)
})

test("our own keys stand in the place of Papermerge's", () => {
  const own = { title: 'and/or', parent: id, tags: [id] }
  const { at, unknown } = recordsOf({
    users: [
      {
        ...user21,
        nodes: [{ ...folder21, title: 'and／or', strongroom: own }],
        strongroom: { username: 'jo hn', nodes: [{ ...folder21, strongroom: {} }] },
      },
    ],
    strongroom: { format: 1, writer: 'Strongroom', created: 'now', groups: [{ id, name: 'all' }], links: 'hard' },
  })
  expect(unknown).toEqual([])
  const [node] = at('users.nodes')
  expect(valueOf(nodeSchema, withOwnKeys(node!))).toMatchObject({
    title: 'and/or',
    parent: id,
    tags: [id],
    breadcrumb: '.home/',
  })
  expect(valueOf(nodeSchema, node!).title).toBe('and／or')
  expect(valueOf(userSchema, withOwnKeys(at('users')[0]!)).username).toBe('jo hn')
  expect(at('users.strongroom.nodes')).toHaveLength(1)
  expect(valueOf(headerSchema, at('')[0]!).strongroom).toEqual({
    format: 1,
    writer: 'Strongroom',
    created: 'now',
    groups: [{ id, name: 'all' }],
    links: 'hard',
  })
})

describe('a record is refused, with the key that is wrong,', () => {
  const version = { ...version21, pages: [] }
  const user = { ...user21, nodes: [], tags: [] }
  test.each([
    ['a user without a name', userSchema, { ...user, username: '' }, /^username: is empty/],
    ['a user whose name no database can hold', userSchema, { ...user, username: 'a\0' }, /^username: contains/],
    ['a user with half a surrogate pair', userSchema, { ...user, username: '\ud800' }, /^username: contains/],
    [
      'a user with a very long name',
      userSchema,
      { ...user, username: 'é'.repeat(501) },
      /^username: has more than 500/,
    ],
    ['a user with an id that is none', userSchema, { ...user, id: '../..' }, /^id: is not a UUID/],
    ['a user without a list of nodes', userSchema, { ...user, nodes: 1 }, /^nodes: /],
    ['a node without a title', nodeSchema, { ...folder21, title: undefined as never }, /^title: is missing$/],
    ['a node with a long title', nodeSchema, { ...folder21, title: 'x'.repeat(4097) }, /^title: has more than 4096/],
    ['a node that is its own kind', nodeSchema, { ...folder21, ctype: 3 }, /^ctype: /],
    ['a version with half a number', versionSchema, { ...version, number: 1.5 }, /^number: /],
    ['a version with a negative number', versionSchema, { ...version, number: -1 }, /^number: /],
    ['a version with a number no database holds', versionSchema, { ...version, number: 2 ** 31 }, /^number: /],
    ['a version with a negative size', versionSchema, { ...version, size: -1 }, /^size: /],
    ['a version with a hash that is none', versionSchema, { ...version, sha256: 'abc' }, /^sha256: /],
    ['a page without text', pageSchema, { number: 1 }, /^text: is missing$/],
    [
      'a page with a sidecar of no kind',
      pageSchema,
      { ...page21, sidecars: [{ kind: '../x', size: 0, sha256: 'a'.repeat(64) }] },
      /^sidecars\.0\.kind: /,
    ],
    ['a tag without a name', tagSchema, { ...tag21, name: '' }, /^name: is empty/],
    ['a header of format 0', headerSchema, { users: [], strongroom: { format: 0 } }, /^strongroom\.format: /],
  ] as const)('%s', (_, schema, value, problem) => {
    expect(problemOf(schema as ZodType, value as unknown as JsonObject)).toMatch(problem)
  })
})

test('characters count, not the halves of their pairs', () => {
  expect(problemOf(tagSchema, { name: '😀'.repeat(4096) })).toBe('none')
  expect(problemOf(tagSchema, { name: '😀'.repeat(4097) })).toMatch(/more than/)
})

test('an id is kept in lower case', () => {
  expect(valueOf(tagSchema, { name: 'a', id: id.toUpperCase() }).id).toBe(id)
})

test('wholeText puts the ends back that stand beside the text', () => {
  const page = valueOf(pageSchema, withOwnKeys({ text: 'a', strongroom: { text_ends: [' \n', '\t'] } }))
  expect(wholeText(page)).toBe(' \na\t')
  expect(wholeText(valueOf(pageSchema, { text: null }))).toBe('')
})

test('storable says whether a text had to be changed', () => {
  expect(storable('a')).toEqual({ text: 'a', altered: false })
  expect(storable(null)).toEqual({ text: '', altered: false })
  expect(storable('a\0\ud800')).toEqual({ text: 'a\ufffd\ufffd', altered: true })
})

test('readMoment tells no moment from a wrong one', () => {
  for (const none of [undefined, null, '']) expect(readMoment(none)).toEqual({ moment: null, wrong: false })
  expect(readMoment('yesterday')).toEqual({ moment: null, wrong: true })
  expect(readMoment('2023-01-20T06:58:27Z')).toEqual({ moment: '2023-01-20T06:58:27.000000Z', wrong: false })
})
