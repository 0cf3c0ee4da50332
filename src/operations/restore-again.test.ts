import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import {
  aFile,
  docsFile,
  ids,
  packArchive,
  packPapermerge,
  papermerge,
  type Json,
} from '../../test/support/odd-archives.ts'
import { everything, refusedRestore, restoreTwice } from '../../test/support/restoring.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import type { Tree } from '../../test/support/tree-report.ts'

const doc = '.home/Taxes/2023.pdf'
const user = ['--user', 'ada']

/** What a person sees of each document, by its path. */
async function documentsOf(instance: CommandInstance, username: string): Promise<ReadonlyMap<string, unknown>> {
  const { users } = await instance.report<Tree>(['tree', '--text', '--user', username])
  const documents = users[0]!.nodes.filter(({ type }) => type === 'document')
  return new Map(
    documents.map(({ id, path, tags, versions }) => [
      path.join('/'),
      { id, tags, versions: versions.map(({ number, sha256 }) => [number, sha256]) },
    ]),
  )
}

/** A document of Papermerge 3.x in the home of john, in a folder and with a page. */
async function packThree(path: string): Promise<void> {
  const fan = (id: string): string => `${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`
  const dates = { created_at: '2023-11-11 06:22:08.978201+00:00', updated_at: '2023-11-11 06:22:08.978201+00:00' }
  const node = (ctype: string, ...breadcrumb: readonly string[]): Json => ({
    title: breadcrumb.at(-1),
    ctype,
    breadcrumb,
    tags: [papermerge.tag('paid')],
    ...dates,
  })
  const pages = [{ id: ids.page, number: 1, lang: 'deu', text: 'read' }]
  const file = { file_name: 'scan.pdf', lang: 'deu', size: 1, page_count: 1, short_description: '', text: '' }
  const versions = [{ id: ids.version, number: 1, ...file, pages }]
  const nodes = [
    node('folder', '.home'),
    node('folder', '.home', 'a/b'),
    { ...node('document', '.home', 'a/b', 'scan.pdf'), ocr: true, ocr_status: 'SUCCESS', versions },
  ]
  const tags = [papermerge.tag('paid')]
  const users = [{ username: 'john', email: '', ...dates, password: '!', nodes, tags }]
  await packArchive(path, [
    aFile(`docvers/${fan(ids.version)}/scan.pdf`, 'x'),
    aFile(`ocr/pages/${fan(ids.page)}/page.txt`, 'text'),
    aFile('backup.json', JSON.stringify({ version: '3.0.3', users })),
  ])
}

describe.each(databases)('restored again on $name:', (kind) => {
  async function withInstance(work: (instance: CommandInstance, archive: string) => Promise<void>): Promise<void> {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await work(instance, join(folder.path, 'archive.tar.gz'))
  }

  test('an archive of 3.x is there already, also where its account has other rights since; what moved is found by its id', async () => {
    await withInstance(async (instance, archive) => {
      await packThree(archive)
      const first = await restoreTwice(instance, archive, 'fail')
      expect(first.plan).toMatchObject({ users: { create: 1 }, documents: { create: 1 } })
      await instance.report(['user', 'enable', 'john'])
      const before = await everything(instance)
      const again = await restoreTwice(instance, archive, 'fail')
      expect(again.plan).toMatchObject({ users: { unchanged: 1 }, documents: { unchanged: 1 }, tags: { unchanged: 1 } })
      expect(await everything(instance)).toEqual(before)

      await instance.report(['mv', '.home/a\\/b/scan.pdf', '.inbox', '--user', 'john'])
      await refusedRestore(instance, archive, 1)
      await restoreTwice(instance, archive, 'keep-both')
      expect([...(await documentsOf(instance, 'john')).keys()]).toEqual(['.home/a/b/scan.pdf', '.inbox/scan.pdf'])
    })
  })

  test('titles, tags and users that differ in their case or normal form alone are different, each time', async () => {
    await withInstance(async (instance, archive) => {
      const titles = ['Café', 'Cafe\u0301', 'café', 'CAFÉ', 'cafe']
      const id = (n: number): string => `023c8328-0000-4000-8000-00000000010${n}`
      const nodes = [
        papermerge.folder('.inbox/'),
        papermerge.folder('.home/'),
        ...titles.map((title) => papermerge.folder(`.home/${title}/`, { tags: [papermerge.tag(title)] })),
        ...titles.map((title, n) => papermerge.document(`.home/${title}.pdf`, { id: id(n) })),
      ]
      const tags = titles.map((title) => papermerge.tag(title))
      const others = titles.map((username, n) => papermerge.user({ username, id: id(n).replace('023c', '024c') }))
      const files = titles.map((_, n) => {
        const member = docsFile(1, 'scan.pdf', `bytes ${n}`)
        return { ...member, name: member.name.replace(ids.document, id(n)) }
      })
      await packPapermerge(archive, [papermerge.user({ nodes, tags }), ...others], files)
      const { plan } = await restoreTwice(instance, archive, 'fail')
      expect(plan).toMatchObject({ users: { create: 6 }, documents: { create: 5 }, tags: { create: 5 } })
      for (const choice of ['overwrite', 'keep-both'] as const) {
        const again = await restoreTwice(instance, archive, choice)
        expect(again.plan).toMatchObject({ documents: { unchanged: 5 }, tags: { unchanged: 5 }, trashed: 0 })
        expect(again.plan.folders).toEqual({ unchanged: 17 })
      }
      expect(new Set((await documentsOf(instance, 'john')).keys())).toEqual(
        new Set(titles.map((title) => `.home/${title}.pdf`)),
      )
    })
  })

  test('what keep-both made and somebody changed since stays, and a second copy comes beside it, once', async () => {
    await withInstance(async (instance, archive) => {
      await fillSmall(instance)
      await instance.report(['backup', archive])
      const original = (await documentsOf(instance, 'ada')).get(doc) as { readonly tags: readonly string[] }
      await instance.report(['tag', 'add', doc, 'urgent', ...user])
      await restoreTwice(instance, archive, 'keep-both')
      const copy = '.home/Taxes/2023 (restored).pdf'
      await instance.report(['tag', 'add', copy, 'mine', ...user])
      const edited = await documentsOf(instance, 'ada')

      const { plan } = await restoreTwice(instance, archive, 'keep-both')
      expect(plan.documents).toEqual({ copy: 1 })
      const second = '.home/Taxes/2023 (restored 2).pdf'
      const both = await documentsOf(instance, 'ada')
      expect([...both.keys()]).toEqual([copy, second, doc].toSorted())
      for (const [path, document] of edited) expect(both.get(path)).toEqual(document)
      expect(both.get(second)).toMatchObject({ tags: original.tags })

      await instance.report(['mv', second, '.inbox/aside.pdf', ...user])
      const moved = await documentsOf(instance, 'ada')
      const third = await restoreTwice(instance, archive, 'keep-both')
      expect(third.plan.documents).toEqual({ unchanged: 1 })
      expect(await documentsOf(instance, 'ada')).toEqual(moved)

      const last = await restoreTwice(instance, archive, 'overwrite')
      expect(last.plan).toMatchObject({ documents: { overwrite: 1 }, trashed: 1 })
      const after = await documentsOf(instance, 'ada')
      expect(after.get(doc)).toEqual(original)
      for (const [path, document] of moved) if (path !== doc) expect(after.get(path)).toEqual(document)
      const { items } = await instance.report<{ items: { path: string }[] }>(['trash', 'list', ...user])
      expect(items.map(({ path }) => path)).toEqual([doc])
    })
  })

  test('what overwrite brought back and somebody changed since goes to the trash too, beside the first', async () => {
    await withInstance(async (instance, archive) => {
      await fillSmall(instance)
      await instance.report(['backup', archive])
      const archived = await documentsOf(instance, 'ada')
      for (const tag of ['first', 'second', 'third']) {
        await instance.report(['tag', 'add', doc, tag, ...user])
        await restoreTwice(instance, archive, 'overwrite')
        expect(await documentsOf(instance, 'ada')).toEqual(archived)
      }
      const { items } = await instance.report<{ items: { id: string; path: string; versions: number }[] }>([
        'trash',
        'list',
        ...user,
      ])
      expect(items.map(({ path, versions }) => [path, versions])).toEqual([1, 2, 3].map(() => [doc, 2]))
    })
  })
})
