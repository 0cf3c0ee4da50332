import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertNodes } from '../../src/database/queries/nodes.ts'
import { insertNodeTags, insertTags } from '../../src/database/queries/tags.ts'
import { insertVersions } from '../../src/database/queries/versions.ts'
import { createCommandInstance, type CommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { fillEverything } from '../support/everything.ts'
import { fillDirectly } from '../support/filler.ts'
import {
  allLinks,
  countOn,
  hasBrowser,
  openPages,
  type Pages,
  overhang,
  reached,
  search,
  titlesOn,
} from '../support/index-pages.ts'
import { aNode, aTag, aVersion } from '../support/rows.ts'
import { expectSoundArchive } from '../support/sound-archive.ts'
import type { Tree } from '../support/tree-report.ts'

/** index.html of an unpacked archive, as a person meets it: from the disk, in a real browser. */

let pages: Pages

beforeAll(async () => {
  if (hasBrowser) pages = await openPages()
})
afterAll(() => pages?.[Symbol.asyncDispose]())

const documentsOf = ({ users }: Tree) => users.flatMap(({ nodes }) => nodes.filter(({ type }) => type === 'document'))

const hostile = [
  '</script><script>hacked = 1</script>',
  '<!--<script>',
  ']]></script><img src=x onerror="hacked = 1">',
  '<img src="https://example.org/x.png" onerror="hacked = 1">',
  'javascript:hacked=1',
  'data:text/html,<script>hacked=1</script>',
  '//example.org/x',
  'https://example.org/%2e%2e/x?a=b#c',
  '"><svg onload=hacked=1>',
  "' onmouseover='hacked=1",
  '{{script}}',
  '${hacked = 1}',
  '\\u003cscript\\u003ehacked=1',
  '&lt;b&gt;&amp;',
  '\u202egpj.exe',
  '\u2066isolated\u2069 \u2028 \u2029',
  '👩‍👩‍👧 🏳️‍🌈 é',
  'x'.repeat(250),
  'url(https://example.org)',
  '__proto__',
]

describe.skipIf(!hasBrowser)('names of every kind', () => {
  const folders = { symbolic: '', hard: '' }
  let tree: Tree
  beforeAll(async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await fillEverything(instance)
    await fillDirectly(instance, async ({ user, node, tag, version }) => {
      for (const username of ['<b>mallory</b>', 'javascript:hacked=1', '"><img src=x onerror=hacked=1>']) {
        const mallory = await user({ username })
        for (const title of hostile) {
          const folder = await node({ user_id: mallory.id, parent_id: mallory.home, title })
          const document = await node({ user_id: mallory.id, parent_id: folder, title, type: 'document' })
          await version({ user: mallory.id, document }, { file_name: title }, `the bytes of ${title}`)
          await tag({ user_id: mallory.id, name: title, bg_color: title, fg_color: title }, [folder, document])
        }
      }
    })
    tree = await instance.report<Tree>(['tree', '--text'])
    for (const links of ['symbolic', 'hard'] as const) {
      folders[links] = await pages.unpacked(instance, links, '--links', links)
      await expectSoundArchive(`${folders[links]}.tar.gz`)
    }
  })

  test.each(['symbolic', 'hard'] as const)('every link leads to its file, with %s links', (links) =>
    pages.inBrowser(folders[links], async (page) => {
      const { last, versions } = await allLinks(page)
      const documents = documentsOf(tree)
      expect(await page.locator('.document').count()).toBe(documents.length)
      const stored = (hashes: readonly (string | null | undefined)[]) => hashes.flatMap((hash) => hash ?? []).toSorted()
      expect(await reached(last)).toEqual(stored(documents.map((document) => document.versions.at(-1)?.sha256)))
      expect(await reached(versions)).toEqual(
        stored(documents.flatMap((document) => document.versions.map(({ sha256 }) => sha256))),
      )
      for (const href of [...last, ...versions]) expect(href).toMatch(/^file:\/\/[^?#]*\/docs\/user_/)
    }),
  )

  test('no name becomes anything but a text', () =>
    pages.inBrowser(folders.symbolic, async (page) => {
      await allLinks(page)
      await page.evaluate(
        `for (let closed; (closed = document.querySelector('.arrow[aria-expanded=false]')); ) closed.click()`,
      )
      expect(await page.evaluate('typeof hacked')).toBe('undefined')
      expect(await page.locator('script').count()).toBe(3)
      expect(
        await page.locator('img, svg, iframe, object, embed, base, link, b, [onerror], [style*="url"]').count(),
      ).toBe(0)
      const titles = new Set(await titlesOn(page))
      for (const title of hostile) {
        const shown = title.replace(
          /[\u2028\u2029\u202e\u2066\u2069]/g,
          (each) => `\\u{${each.charCodeAt(0).toString(16)}}`,
        )
        expect(titles).toContain(shown)
      }
      for (const policy of ["default-src 'none'", "base-uri 'none'", "form-action 'none'"]) {
        expect(await page.locator('meta[http-equiv]').getAttribute('content')).toContain(policy)
      }
    }))

  test.each([360, 1280])('the longest names fit into %i pixels', (width) =>
    pages.inBrowser(
      folders.symbolic,
      async (page) => {
        await allLinks(page)
        expect(await overhang(page)).toBe(0)
      },
      { width },
    ),
  )
})

describe.skipIf(!hasBrowser)('20,000 documents', () => {
  const documents = 20_000
  let folder = ''
  beforeAll(async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await fillMany(instance, documents)
    folder = await pages.unpacked(instance, 'many', '--no-verify')
  })

  test('are listed a hundred at a time, searched and opened', () =>
    pages.inBrowser(folder, async (page) => {
      expect(await countOn(page)).toBe('20,000 documents')
      const rows = () => page.locator('.document').count()
      expect(await rows()).toBe(100)
      await page.getByRole('button', { name: 'Show 100 more' }).click()
      expect(await rows()).toBe(200)
      const found = await search(page, 'invoice 12345', '1 of 20,000 documents')
      expect(found).toEqual(['Invoice 12345.txt'])
      const [opened] = await Promise.all([page.waitForEvent('popup'), page.locator('.title a').click()])
      await opened.waitForLoadState()
      expect(await opened.locator('body').innerText()).toBe('the bytes of Invoice 12345.txt')
      await search(page, '', '20,000 documents')
      await page.locator('#tags').getByRole('button', { name: 'tag 3' }).click()
      expect(await countOn(page)).toBe('2,000 of 20,000 documents')
      expect(await rows()).toBe(100)
      await page.getByLabel('Sort by').selectOption('Title, Z to A')
      expect((await titlesOn(page))[0]).toBe('Invoice 19993.txt')
      const html = await readFile(join(folder, 'index.html'))
      expect(html.length / documents).toBeLessThan(300)
    }))
})

/** Many rows at once; a file has one in a thousand, for it is not about the bytes. */
async function fillMany(instance: CommandInstance, count: number): Promise<void> {
  const noFile = { file_name: null, size: null, sha256: null, media_type: null, media_key: null, page_count: null }
  await fillDirectly(instance, async ({ user, version, tx }) => {
    const { id: user_id, home } = await user({ username: 'ada' })
    const tags = Array.from({ length: 10 }, (_, index) => aTag({ user_id, name: `tag ${index}` }))
    const folders = Array.from({ length: 500 }, (_, index) =>
      aNode({ user_id, parent_id: home, title: `Box ${index}` }),
    )
    const documents = Array.from({ length: count }, (_, index) =>
      aNode({ user_id, parent_id: folders[index % 500]!.id, title: `Invoice ${index}.txt`, type: 'document' }),
    )
    const stored = documents.filter((_, index) => index % 1000 === 345)
    const others = documents.filter((_, index) => index % 1000 !== 345)
    await insertTags(tx, tags)
    await insertNodes(tx, [...folders, ...documents])
    await insertVersions(
      tx,
      others.map(({ id }) => aVersion({ document_id: id, ...noFile })),
    )
    for (const { id, title } of stored)
      await version({ user: user_id, document: id }, { file_name: title }, `the bytes of ${title}`)
    await insertNodeTags(
      tx,
      documents.map(({ id }, index) => ({ node_id: id, tag_id: tags[index % 10]!.id })),
    )
  })
}
