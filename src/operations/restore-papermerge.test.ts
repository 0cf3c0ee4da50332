import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCommandInstance, listMedia, withDatabase } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import {
  aFile,
  aFolder,
  aLink,
  docsFile,
  ids,
  packArchive,
  packPapermerge,
  papermerge,
  type Json,
  type Member,
} from '../../test/support/odd-archives.ts'
import { temporaryFolder } from '../../test/support/small-instance.ts'
import type { Tree, TreeNode, TreeUser } from '../../test/support/tree-report.ts'
import type { RestoreReport } from '../contract/restore-report.ts'
import { listUsers } from '../database/queries/users.ts'
import type { UserRow } from '../database/schema.ts'

interface Restored {
  readonly exitCode: number
  readonly code: string | undefined
  readonly warnings: Readonly<Record<string, number>>
  readonly users: readonly TreeUser[]
  readonly rows: readonly UserRow[]
  readonly media: ReadonlyMap<string, string>
}

const { user, folder, document, version, page, tag } = papermerge
const roots = [folder('.inbox/'), folder('.home/')]
const at = ({ nodes }: TreeUser, ...path: readonly string[]): TreeNode | undefined =>
  nodes.find((node) => JSON.stringify(node.path) === JSON.stringify(path))

/** John with one document in his home. */
const john = (given: Json = {}): Json => user({ nodes: [...roots, document('.home/scan.pdf', given)] })

describe.each(databases)('what Papermerge wrote, restored on $name:', (kind) => {
  async function restorePacked(pack: (path: string) => Promise<void>): Promise<Restored> {
    await using instance = await createCommandInstance(kind)
    await using place = await temporaryFolder()
    const path = join(place.path, 'archive.tar.gz')
    await pack(path)
    const { exitCode, stdout } = await instance.run(['--json', 'restore', path])
    const report = JSON.parse(stdout) as RestoreReport & { error?: { code: string } }
    const check = await instance.run(['--json', 'check'])
    expect(check.exitCode, check.stdout).toBe(0)
    return {
      exitCode,
      code: report.error?.code,
      warnings: report.error === undefined ? report.warnings.byCode : {},
      users: (await instance.report<Tree>(['tree', '--text'])).users,
      rows: await withDatabase(instance, listUsers),
      media: await listMedia(instance),
    }
  }

  const restore = (users: readonly Json[], members: readonly Member[] = []): Promise<Restored> =>
    restorePacked((path) => packPapermerge(path, users, members))

  test('version numbers with gaps, 0 among them, stay, and each has its own file', async () => {
    const versions = [0, 2, 7].map((number) => version({ number }))
    const files = [0, 2, 7].map((number) => docsFile(number, 'scan.pdf', `version ${number}`))
    const { users, warnings, media } = await restore([john({ versions })], files)
    expect(warnings).toEqual({})
    expect(at(users[0]!, '.home', 'scan.pdf')?.versions.map(({ number, size }) => [number, size])).toEqual([
      [0, 9],
      [2, 9],
      [7, 9],
    ])
    expect(new Set(media.values()).size).toBe(3)
  })

  test('of three versions with one number the later ones take the next that are free', async () => {
    const versions = [1, 1, 2, 1].map((number, index) => version({ number, short_description: `state ${index}` }))
    const { users, warnings } = await restore(
      [john({ versions })],
      [docsFile(1, 'scan.pdf', 'one'), docsFile(2, 'scan.pdf', 'two')],
    )
    expect(warnings).toEqual({ 'version.renumbered': 2, 'version.shared_file': 2 })
    const found = at(users[0]!, '.home', 'scan.pdf')?.versions
    expect(found?.map(({ number, short_description }) => [number, short_description])).toEqual([
      [1, 'state 0'],
      [2, 'state 2'],
      [3, 'state 1'],
      [4, 'state 3'],
    ])
  })

  test('of two versions or pages with the largest number that there is the second gets the first free one', async () => {
    const largest = 2 ** 31 - 1
    const pages = [page({ number: largest, text: 'one' }), page({ number: largest, text: 'two' })]
    const twins = [version({ number: largest, pages }), version({ number: largest, text: 'the second' })]
    const { users } = await restore([john({ versions: twins })], [docsFile(largest, 'scan.pdf', 'x')])
    const found = at(users[0]!, '.home', 'scan.pdf')?.versions ?? []
    expect(found.map(({ number, text }) => [number, text])).toEqual([
      [1, 'the second'],
      [largest, ''],
    ])
    expect(found[1]?.pages.map(({ number, text }) => [number, text])).toEqual([
      [1, 'two'],
      [largest, 'one'],
    ])
  })

  test('a document that was never uploaded comes back without a file, and so does one without versions', async () => {
    const nodes = [
      ...roots,
      document('.home/None', { versions: [version({ file_name: null })] }),
      document('.home/empty', { id: ids.version, versions: [] }),
    ]
    const { users, warnings } = await restore([user({ nodes })], [docsFile(1, 'None', 'a file that is called None')])
    expect(warnings).toMatchObject({ 'version.no_file': 1 })
    expect(at(users[0]!, '.home', 'None')?.versions).toMatchObject([
      { number: 1, file_name: null, size: null, sha256: null },
    ])
    expect(at(users[0]!, '.home', 'empty')?.versions).toEqual([])
  })

  test('ids in upper case are the same ids', async () => {
    const upper = {
      id: ids.user.toUpperCase(),
      nodes: [...roots, document('.home/scan.pdf', { id: ids.document.toUpperCase() })],
    }
    const lower = await restore([user(upper)], [docsFile(1, 'scan.pdf', 'x')])
    expect(lower).toMatchObject({ exitCode: 0, users: [{ id: ids.user }] })
    expect(at(lower.users[0]!, '.home', 'scan.pdf')).toMatchObject({ id: ids.document, versions: [{ size: 1 }] })
    const shouted = docsFile(1, 'Scan.pdf', 'x')
    const members = [{ ...shouted, name: shouted.name.replace(ids.document, ids.document.toUpperCase()) }]
    expect((await restore([john({ versions: [version({ file_name: 'Scan.pdf' })] })], members)).exitCode).toBe(0)
  })

  test('without ids of user and document the paths of the files count, and the ids are the same each time', async () => {
    const versions = [version({ file_path: docsFile(1, 'scan.pdf', '').name })]
    const users = [user({ id: undefined, nodes: [...roots, document('.home/scan.pdf', { id: undefined, versions })] })]
    const [first, second] = [
      await restore(users, [docsFile(1, 'scan.pdf', 'x')]),
      await restore(users, [docsFile(1, 'scan.pdf', 'x')]),
    ]
    expect(at(first.users[0]!, '.home', 'scan.pdf')).toMatchObject({ versions: [{ size: 1 }] })
    expect(second.users).toEqual(first.users)
  })

  test('children may come before their parents, keys in any order, and backup.json first or in the middle', async () => {
    const nodes = [document('.home/A/B/scan.pdf'), folder('.home/A/B/'), folder('.home/A/'), ...roots]
    const backwards = (value: Json): Json => Object.fromEntries(Object.entries(value).toReversed())
    const users = [backwards(user({ nodes: nodes.map(backwards) }))]
    const json = aFile('backup.json', JSON.stringify({ users, version: '2.1.9' }))
    const file = docsFile(1, 'scan.pdf', 'x')
    for (const members of [
      [json, file],
      [aFolder('john/.home/'), json, file],
      [file, json],
    ]) {
      const restored = await restorePacked((path) => packArchive(path, members))
      expect(restored.warnings).toEqual({})
      expect(at(restored.users[0]!, '.home', 'A', 'B', 'scan.pdf')?.versions).toHaveLength(1)
    }
  })

  test('dates in every form are read as UTC, and what is no date is unknown and told', async () => {
    const good: readonly (readonly [given: string, read: string])[] = [
      ['2023-01-20T06:58:27.691980+01:00', '2023-01-20T05:58:27.691980Z'],
      ['2023-01-20T06:58:27Z', '2023-01-20T06:58:27.000000Z'],
      ['2023-01-20 06:58:27.5+00:00', '2023-01-20T06:58:27.500000Z'],
      ['2023-01-20T23:58:27.691980-0530', '2023-01-21T05:28:27.691980Z'],
      ['2023-01-20T06:58', '2023-01-20T06:58:00.000000Z'],
      ['0001-01-02T00:00:00+00:00', '0001-01-02T00:00:00.000000Z'],
    ]
    const bad = [
      'yesterday',
      '2023-02-30T00:00:00Z',
      '2023-01-20',
      '0001-01-01T00:00:00+14:00',
      '\u0000',
      '99999-01-01T00:00:00Z',
    ]
    const nodes = [
      ...roots,
      ...[...good.map(([given]) => given), ...bad].map((created_at, index) =>
        folder(`.home/${index}/`, { created_at }),
      ),
    ]
    const { users, warnings } = await restore([user({ nodes })])
    expect(warnings).toEqual({ 'date.unreadable': bad.length })
    const found = [...good.keys(), ...bad.map((_, index) => good.length + index)].map(
      (n) => at(users[0]!, '.home', String(n))?.created_at,
    )
    expect(found).toEqual([...good.map(([, read]) => read), ...bad.map(() => null)])
  })

  test('NUL and half surrogate pairs in texts become U+FFFD with a warning, in names they are refused', async () => {
    const versions = [version({ text: 'a\0b', short_description: '\ud83d', pages: [page({ text: '\0\udc00' })] })]
    const users = [{ ...john({ versions }), email: 'j\0@x.org', first_name: '\ud800' }]
    const {
      users: [found],
      warnings,
      rows,
    } = await restore(users, [docsFile(1, 'scan.pdf', 'x')])
    expect(warnings).toMatchObject({ 'text.replaced': 5 })
    expect(at(found!, '.home', 'scan.pdf')?.versions).toMatchObject([
      { text: 'a\ufffdb', short_description: '\ufffd', pages: [{ text: '\ufffd\ufffd' }] },
    ])
    expect(rows[0]).toMatchObject({ email: 'j\ufffd@x.org', first_name: '\ufffd' })
    for (const name of ['a\0', '\ud800']) {
      const refused = [
        user({ username: name }),
        user({ nodes: [...roots, folder(`.home/${name}/`)] }),
        user({ tags: [tag(name)] }),
      ]
      for (const each of refused) expect(await restore([each])).toMatchObject({ exitCode: 4, users: [] })
    }
  })

  test('a title with a slash, as a moved page gets it, is kept', async () => {
    const versions = [version({ file_name: 'and/or.pdf' })]
    const { users, media } = await restore(
      [user({ nodes: [...roots, document('.home/and/or.pdf', { title: 'and/or.pdf', versions })] })],
      [docsFile(1, 'and/or.pdf', 'x')],
    )
    expect(at(users[0]!, '.home', 'and/or.pdf')?.versions).toMatchObject([{ file_name: 'and/or.pdf', size: 1 }])
    expect([...media.keys()]).toEqual([`docs/user_${ids.user}/document_${ids.document}/v1/and_or.pdf`])
  })

  const usernames = [
    '..',
    'docs',
    'sidecars',
    '.',
    'ocr',
    'docvers',
    'docsmith',
    'backup.json',
    'strongroom',
    'SHA256SUMS',
  ]
  test.each(usernames.slice(0, kind.name === 'SQLite' ? usernames.length : 2))(
    'the tree of links of a user called %s is ignored, and his documents come back',
    async (username) => {
      const link = aLink(`${username}/.home/scan.pdf`, `../../${docsFile(1, 'scan.pdf', '').name}`)
      const members = [
        aFolder(`${username}/.inbox/`),
        aFolder(`${username}/.home/`),
        docsFile(1, 'scan.pdf', 'x'),
        link,
      ]
      const { exitCode, users, media, code } = await restore([{ ...john(), username }], members)
      expect([exitCode, code]).toEqual([0, undefined])
      expect(users.map((found) => found.username)).toEqual([username])
      expect(media.size).toBe(1)
    },
  )

  test('missing roots are made, tags that the user’s list lacks are made, and titles that differ from the breadcrumb win', async () => {
    const nodes = [
      folder('.home/'),
      folder('.home/A/', { tags: [tag('new', { bg_color: '#000000', pinned: true }), tag('known')], title: 'B' }),
    ]
    const {
      users: [found],
      warnings,
    } = await restore([user({ nodes, tags: [tag('known', { bg_color: '#111111' })] })])
    expect(warnings).toEqual({ 'tag.undeclared': 1, 'node.title_differs': 1 })
    expect(found!.nodes.map((node) => node.path.join('/'))).toEqual(['.home', '.home/B', '.inbox'])
    expect(found!.tags.map(({ name, bg_color }) => [name, bg_color])).toEqual([
      ['known', '#111111'],
      ['new', expect.any(String)],
    ])
    expect(at(found!, '.home', 'B')?.tags).toEqual(['known', 'new'])
  })

  test('a version of 20,000 pages comes back with all of them', async () => {
    const pages = Array.from({ length: 20_000 }, (_, index) =>
      page({ number: index + 1, text: `text of ${index + 1}` }),
    )
    const { users } = await restore(
      [john({ versions: [version({ pages, page_count: 20_000 })] })],
      [docsFile(1, 'scan.pdf', 'x')],
    )
    const found = at(users[0]!, '.home', 'scan.pdf')?.versions[0]?.pages
    expect(found).toHaveLength(20_000)
    expect(found?.at(-1)).toMatchObject({ number: 20_000, text: 'text of 20000' })
  })

  test('a 3.x archive gives all its page files, and titles with slashes', async () => {
    const fan = (id: string): string => `${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`
    const pages = [{ id: ids.page, number: 1, lang: 'deu', text: 'read' }]
    const versions = [
      {
        id: ids.version,
        number: 1,
        file_name: 'scan.pdf',
        lang: 'deu',
        size: 1,
        page_count: 1,
        short_description: '',
        text: '',
        pages,
      },
    ]
    const dates = { created_at: '2023-11-11 06:22:08.978201+00:00', updated_at: '2023-11-11 06:22:08.978201+00:00' }
    const node = (ctype: string, ...breadcrumb: readonly string[]): Json => ({
      title: breadcrumb.at(-1),
      ctype,
      breadcrumb,
      tags: [],
      ...dates,
    })
    const nodes = [
      node('folder', '.home'),
      node('folder', '.home', 'a/b'),
      node('folder', '.home', 'a'),
      node('folder', '.home', 'a', 'b'),
      { ...node('document', '.home', 'a/b', 'c/d.pdf'), ocr: true, ocr_status: 'SUCCESS', versions },
    ]
    const users = [{ username: 'john', email: '', ...dates, password: '!', nodes, tags: [] }]
    const files = ['txt', 'svg', 'hocr', 'jpg'].map((each) => aFile(`ocr/pages/${fan(ids.page)}/page.${each}`, each))
    const members = [
      aFile(`docvers/${fan(ids.version)}/scan.pdf`, 'x'),
      ...files,
      aFile('backup.json', JSON.stringify({ version: '3.0.3', users })),
    ]
    const {
      users: [found],
      media,
      warnings,
    } = await restorePacked((path) => packArchive(path, members))
    expect(warnings).toEqual({ 'user.not_active': 1, 'user.not_superuser': 1 })
    expect(at(found!, '.home', 'a/b', 'c/d.pdf')).toMatchObject({
      ocr_status: 'succeeded',
      versions: [{ id: ids.version, pages: [{ id: ids.page }] }],
    })
    expect(new Set([...media.keys()].map((key) => key.split('/').at(-1)))).toEqual(
      new Set(['000001.jpg', '000001_ocr.svg', '000001_ocr_hocr.hocr', '000001_ocr_hocr.txt', 'scan.pdf']),
    )
  })
})
