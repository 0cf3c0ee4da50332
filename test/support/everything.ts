import { randomUUID } from 'node:crypto'
import { insertGroups, insertMemberships } from '../../src/database/queries/groups.ts'
import type { NodeRow } from '../../src/database/schema.ts'
import { sidecarKinds } from '../../src/domain/sidecars.ts'
import { fillDirectly, type DocumentOf, type Filler } from './filler.ts'
import { awkwardNames } from './fixtures.ts'

const controls = Array.from({ length: 0x9f }, (_, index) => String.fromCharCode(index + 1)).filter((each) =>
  /\p{Cc}/u.test(each),
)

/** Titles beyond those of `awkwardNames`, all children of one folder. */
const titles: readonly string[] = [
  ...awkwardNames,
  ...['<', '>', '/', '\\', ';', ':', '&', '*', '?', '"', '|', '.', '..', ' ', '\t', '…', '．', '．home', '_', '＆'],
  `every control ${controls.join('')} character`,
  'and/or',
  'and／or',
  'and／or (2)',
  'and:or',
  'and：or',
  '\u00a0no-break\u00a0',
  '\u3000ideographic\u3000',
  '\u0085next line\u0085',
  '\u2028line\u2028',
  'é',
  'e\u0301',
  'Å',
  '\u212b',
  'A\u030a',
  'Ünïcödé',
  'ünïcödé',
  'ΣΊΣΥΦΟΣ',
  'σίσυφος',
  'σίσυφοσ',
  'ß',
  'ẞ',
  'SS',
  'ss',
  'Русский',
  'العربية.pdf',
  'ภาษาไทย',
  'हिन्दी',
  '한국어',
  '日本語',
  '中文',
  'Ελληνικά',
  '\u202dLRO',
  '\ue000private',
  '\uffff',
  '\u{10ffff}',
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  'x'.repeat(200),
  'x'.repeat(201),
  `${'x'.repeat(200)}y`,
  `${'𝕏'.repeat(4092)}.pdf`,
  `${'𝕏'.repeat(4091)}y.pdf`,
  'é'.repeat(150),
  'README.txt',
  'SHA256SUMS',
  'backup.json',
  'strongroom',
  'docs',
  'COM1',
  'aux.',
  'nul.tar.gz',
]

const texts: readonly string[] = [
  '',
  ' ',
  '\n',
  ' \t\n ',
  '  before',
  'after\n\n',
  '\u00a0both\u3000',
  '\ufeffmark\ufeff',
  '\u0085next line\u001c',
  'a  b',
  '"quoted\\"',
  '\u2028\u2029',
  '\u0001\u0002\u001f',
  '\ufffd',
  '\uffff\u{10ffff}',
  'x'.repeat(70_000),
  'ends with 𝕏',
  'null',
  '\r\n',
]

/** An instance that holds every kind of thing there is, in every form that the database takes. */
export async function fillEverything(instance: {
  readonly dataDirectory: string
  readonly url: string | undefined
}): Promise<void> {
  await fillDirectly(instance, async (filler) => {
    const groups = ['readers', 'Readers', 'with blanks ', 'e\u0301', 'é'].map((name) => ({ id: randomUUID(), name }))
    await insertGroups(filler.tx, groups)
    await fillUsers(
      filler,
      groups.map((group) => group.id),
    )
    const ada = await filler.user({
      username: 'ada',
      is_superuser: 1,
      is_staff: 1,
      email: 'ada@example.org',
      last_login: '2026-11-01T00:00:00.000001Z',
    })
    await insertMemberships(
      filler.tx,
      groups.map((group) => ({ user_id: ada.id, group_id: group.id })),
    )
    await fillTitles(filler, ada.id, ada.home)
    await fillDocuments(filler, ada.id, ada.inbox)
    await fillTags(filler, ada.id, ada.home)
    await fillTrash(filler, ada)
  })
}

async function fillUsers({ user, node, tx }: Filler, groups: readonly string[]): Promise<void> {
  const usernames = [
    'Ada',
    'é',
    'e\u0301',
    'a b',
    'a_b',
    'a/b',
    'a:b',
    '..',
    '.',
    'docs',
    'docsmith',
    'SIDECARS',
    'backup.json',
    'README.txt',
    'Strongroom',
    'ocr',
    'user docs',
    'line\nbreak',
    ' blanks ',
    'u'.repeat(150),
    'u'.repeat(151),
    `${'u'.repeat(499)}v`,
    '𝕏'.repeat(500),
    'CON',
    'пользователь',
    '用户@host+x-y.z',
    '%s',
    '\u202egpj',
  ]
  for (const username of usernames) await user({ username })
  const odd = await user({
    username: 'odd',
    email: 'no address',
    first_name: ' padded ',
    last_name: 'n'.repeat(300),
    is_active: 0,
    is_staff: 1,
    date_joined: null,
    created_at: null,
    updated_at: null,
  })
  await insertMemberships(tx, [{ user_id: odd.id, group_id: groups[0]! }])
  await user({
    username: 'long hash',
    password: `pbkdf2_sha256$260000$salt$${'A'.repeat(200)}`,
    email: `${'x'.repeat(300)}@example.org`,
  })
  await user({
    username: 'padded hash',
    password: ' !x ',
    email: 'ü@example.org',
    first_name: '\u0007',
    last_name: 'e\u0301',
    is_superuser: 1,
    is_active: 0,
  })
  await user({
    username: 'early',
    date_joined: '0001-01-01T00:00:00.000000Z',
    last_login: '9999-12-31T23:59:59.999999Z',
    created_at: '1969-12-31T23:59:59.999999Z',
  })
  const top = await user({ username: 'top' })
  for (const title of ['Shared', 'and/or', 'and:or', '..', 'docs', '．home', ' .home', '.HOME'])
    await node({ user_id: top.id, title })
}

async function fillTitles({ node, version }: Filler, user: string, home: string): Promise<void> {
  const folder = await node({ user_id: user, parent_id: home, title: 'Titles' })
  for (const [index, title] of titles.entries()) {
    const type = index % 3 === 0 ? 'folder' : 'document'
    const document = await node({ user_id: user, parent_id: folder, title, type })
    if (type === 'document') await version({ user, document }, { file_name: title }, `content of ${index}`)
  }
  for (const title of ['.home', '.inbox', '..', 'a/b']) {
    const outer = await node({ user_id: user, parent_id: home, title, created_at: null, updated_at: null })
    const inner = await node({ user_id: user, parent_id: outer, title })
    const document = await node({ user_id: user, parent_id: inner, title: '.home', type: 'document' })
    await version({ user, document }, { file_name: '..' }, 'deep')
  }
  const beside = await node({ user_id: user, title: 'beside the roots/.pdf', type: 'document' })
  await version({ user, document: beside }, { file_name: '.' }, 'at the top')
}

async function fillDocuments({ node, version, page }: Filler, user: string, inbox: string): Promise<void> {
  const add = async (title: string, row: Partial<NodeRow> = {}): Promise<DocumentOf> => ({
    user,
    document: await node({ user_id: user, parent_id: inbox, title, type: 'document', ...row }),
  })
  await add('without versions', { ocr_status: 'failed', ocr: 1, lang: '', created_at: null, updated_at: null })
  const future = '9999-12-31T23:59:59.999999Z'
  await version(await add('in the future', { created_at: future, updated_at: future }), { created_at: future }, 'early')
  const past = '0001-01-01T00:00:00.000000Z'
  await version(await add('in the past', { created_at: past, updated_at: past }), { created_at: past }, 'late')
  const never = await version(await add('never uploaded', { ocr_status: 'received' }), {
    number: 4,
    text: ' kept ',
    short_description: ' x ',
  })
  await page(never, { text: ' kept ' })
  const gaps = await add('gaps', { ocr_status: 'succeeded', lang: 'a language longer than eight' })
  await version(gaps, { number: 0, created_at: null }, 'version 0')
  await version(gaps, { number: 3, page_count: null, lang: '' })
  await version(gaps, { number: 7, page_count: 0, file_name: ' padded.pdf ', media_type: '' }, 'version 7')
  await version(gaps, { number: 2 ** 31 - 1, short_description: 'long '.repeat(60) })
  await version(await add('empty file', { ocr_status: 'started' }), { file_name: 'empty.pdf' }, '')
  const names = await add('file names')
  for (const [number, file_name] of [
    'a/b/../c.pdf',
    ' ',
    '.',
    '..',
    'e\u0301.pdf',
    'é.pdf',
    'n'.repeat(4096),
    '長'.repeat(90),
    'line\nbreak',
    'None',
    'NUL',
    '/',
  ].entries()) {
    await version(names, { number, file_name, media_type: 'x/y; z="ü"' }, `named ${number}`)
  }
  const told = await add('texts')
  for (const [number, text] of texts.entries()) {
    const written = await version(told, { number, text, short_description: text.slice(0, 100) }, text)
    for (const [place, own] of texts.entries())
      if (number < 2) await page(written, { number: place * 3, text: own, lang: own.slice(0, 20) })
  }
  const derived = await version(await add('sidecars'), { number: 12 }, 'read by OCR')
  for (const number of [0, 1, 999_999, 1_000_000, 2 ** 31 - 1]) {
    await page(
      derived,
      { number },
      Object.fromEntries(sidecarKinds.map((kind, index) => [kind, index === 0 ? '' : `${kind} of ${number}`])),
    )
  }
}

async function fillTags({ tag, node, version }: Filler, user: string, home: string): Promise<void> {
  const tagged = await node({ user_id: user, parent_id: home, title: 'tagged' })
  const document = await node({ user_id: user, parent_id: tagged, title: 'tagged.pdf', type: 'document' })
  await version({ user, document }, {}, 'tagged')
  const names = [
    'a',
    'A',
    'é',
    'e\u0301',
    'a<b',
    'a>b',
    'a＜b',
    'R&D; x',
    ' ',
    ' padded ',
    '\n',
    't'.repeat(100),
    't'.repeat(101),
    `${'t'.repeat(100)}u`,
    '𝕏'.repeat(4096),
    '.',
  ]
  for (const [index, name] of names.entries()) {
    const colors = [
      ['#c41fff', '#FFFFFF'],
      ['', ''],
      ['rgba(1, 2, 3, 0.5)', ' #fff '],
      ['red', '🟥🟥🟥🟥🟥🟥🟥'],
    ][index % 4]!
    const description = [null, '', 'd'.repeat(2000), ' padded\u0001 '][index % 4]!
    await tag(
      { user_id: user, name, bg_color: colors[0]!, fg_color: colors[1]!, description, pinned: index % 2 === 0 ? 1 : 0 },
      index % 3 === 0 ? [home, tagged, document] : [],
    )
  }
}

/** Whatever may be in a trash: twins of each other and of what is alive, roots in name, whole trees, files of every kind. */
async function fillTrash(
  { node, version, page, tag }: Filler,
  { id: user, home, inbox }: { readonly id: string; readonly home: string; readonly inbox: string },
): Promise<void> {
  const trashed = (title: string, row: Partial<NodeRow> = {}): Promise<string> =>
    node({
      user_id: user,
      title,
      deleted_at: '2026-11-24T15:00:00.000001Z',
      deleted_parent: home,
      deleted_from: `.home/${title}`,
      ...row,
    })
  for (const title of ['tagged', 'tagged', '.home', '.inbox', 'a/b', '..', 'x'.repeat(4096)]) await trashed(title)
  const folder = await trashed('a whole tree', {
    deleted_parent: randomUUID(),
    deleted_from: '.home/gone/a whole tree',
  })
  const inner = await node({ user_id: user, parent_id: folder, title: '.home' })
  const document = await node({ user_id: user, parent_id: inner, title: 'deep:down?.pdf', type: 'document' })
  await tag({ user_id: user, name: 'only in the trash' }, [folder, document])
  await version({ user, document }, { file_name: 'deep:down?.pdf' }, 'in the trash')
  await version({ user, document }, { number: 3 })
  const read = await version({ user, document }, { number: 5, file_name: '..' }, '')
  await page(read, { number: 12 }, { '_ocr.svg': '<svg/>', '.jpg': '' })
  const never = await trashed('never uploaded', { type: 'document', lang: 'eng', ocr: 1, ocr_status: 'failed' })
  await version({ user, document: never }, {})
  await trashed('without versions', {
    type: 'document',
    lang: 'eng',
    ocr: 0,
    ocr_status: 'unknown',
    deleted_parent: null,
  })
  const hidden = await node({ user_id: user, parent_id: inbox, title: 'sidecars without a file', type: 'document' })
  const pages = await version({ user, document: hidden }, { text: 'read' })
  await page(pages, {}, { '_ocr_hocr.txt': 'read' })
}
