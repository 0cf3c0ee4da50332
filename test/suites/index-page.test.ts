import { execFile } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertNodes } from '../../src/database/queries/nodes.ts'
import { insertNodeTags, insertTags } from '../../src/database/queries/tags.ts'
import { insertVersions } from '../../src/database/queries/versions.ts'
import { versionKey } from '../../src/media/keys.ts'
import { chromiumPath, openBrowser, openFile, type PageOptions } from '../support/browser.ts'
import { createCommandInstance, sha256OfFile, type CommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { fillEverything } from '../support/everything.ts'
import { fillDirectly } from '../support/filler.ts'
import { needs } from '../support/needs.ts'
import { aNode, aTag, aVersion } from '../support/rows.ts'
import { expectSoundArchive } from '../support/sound-archive.ts'
import type { Tree } from '../support/tree-report.ts'

/** index.html of an unpacked archive, as a person meets it: from the disk, in a real browser. */

const present = needs('Chromium', chromiumPath !== undefined, 'index.html in a browser')

let scratch = ''
let browser: Browser

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-index-page-'))
  if (present) browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await rm(scratch, { recursive: true, force: true })
})

/** Backs the instance up and unpacks the archive with tar; gives the folder. */
async function unpacked(instance: CommandInstance, name: string, ...options: string[]): Promise<string> {
  const archive = join(scratch, `${name}.tar.gz`)
  await instance.run(['backup', archive, '--quiet', ...options], { environment: { SOURCE_DATE_EPOCH: '1795529032' } })
  const folder = join(scratch, name)
  await mkdir(folder)
  await promisify(execFile)('tar', ['-xzf', archive], { cwd: folder })
  return folder
}

/** Opens the page of an unpacked archive, and holds it to what it must never do. */
async function inBrowser(folder: string, work: (page: Page) => Promise<void>, options?: PageOptions): Promise<void> {
  await using opened = await openFile(browser, join(folder, 'index.html'), options)
  await work(opened.page)
  expect(opened.troubles).toEqual([])
}

const titlesOn = (page: Page): Promise<string[]> => page.locator('#list .title .name').allTextContents()
const countOn = (page: Page): Promise<string | null> => page.locator('#count').textContent()
const folderNamed = (page: Page, name: string) => page.locator('#tree .folder', { hasText: name })

/** Types into the search, waits for what it finds, and holds it to how many those are said to be. */
async function search(page: Page, query: string, count: string): Promise<string[]> {
  await page.getByRole('searchbox').fill(query)
  await page.locator('#list:not([aria-busy])').waitFor({ state: 'attached' })
  expect(await countOn(page)).toBe(count)
  return titlesOn(page)
}

/** All links to files that the page offers, with every entry of the list shown and opened. */
async function allLinks(page: Page): Promise<{ readonly last: string[]; readonly versions: string[] }> {
  while (await page.locator('#more').isVisible()) await page.locator('#more').click()
  await page.evaluate(`for (const details of document.querySelectorAll('.document details')) details.open = true`)
  const empty = page.locator('.document details:not(:has(> :nth-child(2)))')
  await empty.first().waitFor({ state: 'detached' })
  const hrefs = (selector: string) =>
    page.evaluate<string[]>(`[...document.querySelectorAll('${selector}')].map((link) => link.href)`)
  return { last: await hrefs('.document > .title a'), versions: await hrefs('.document .versions a') }
}

const reached = (links: readonly string[]): Promise<string[]> =>
  Promise.all(links.map((href) => sha256OfFile(fileURLToPath(href)))).then((hashes) => hashes.toSorted())

const documentsOf = ({ users }: Tree) => users.flatMap(({ nodes }) => nodes.filter(({ type }) => type === 'document'))

/** How many pixels the page is wider than its window. */
const overhang = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')

describe.skipIf(!present)('the papers of two people', () => {
  let folder = ''
  beforeAll(async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await fillPapers(instance)
    folder = await unpacked(instance, 'papers')
  })

  test('the page says when the backup was made, by what, and what is in it', () =>
    inBrowser(folder, async (page) => {
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Documents of this backup')
      const header = (await page.locator('header').innerText()).split('\n').filter((line) => line !== '')
      expect(header.slice(1)).toEqual([
        expect.stringMatching(/^Made on 24 November 2026 at \d\d:\d\d UTC by Strongroom \d+\.\d+\.\d+\.$/),
        'It holds 7 documents in 9 versions of 2 people.',
        '1 document in the trash is not listed; the files lie below strongroom/trash.',
      ])
      expect(await countOn(page)).toBe('7 documents')
      expect(await titlesOn(page)).toEqual([
        'Deed 100% #2?.txt',
        'Lease.txt',
        'Never stored',
        'Übersicht.pdf',
        'assessment.txt',
        'return.txt',
        'Letter.txt',
      ])
    }))

  test('a title opens the file of its last version, and its details the earlier ones', () =>
    inBrowser(folder, async (page) => {
      const open = async (name: string, nth: number): Promise<string> => {
        const [opened] = await Promise.all([
          page.waitForEvent('popup'),
          page.getByRole('link', { name }).nth(nth).click(),
        ])
        await opened.waitForLoadState()
        const text = await opened.locator('body').innerText()
        await opened.close()
        return text
      }
      expect(await open('Deed 100% #2?.txt', 0)).toBe('the deed')
      const lease = page.locator('.document', { hasText: 'Lease.txt' })
      await lease.locator('summary', { hasText: '3 versions' }).click()
      await lease.locator('.versions').waitFor()
      expect(await lease.locator('.versions li').count()).toBe(3)
      expect(await open('Lease.txt', 0)).toBe('third lease')
      expect(await open('lease-1.txt', 0)).toBe('first lease')
    }))

  test('what is missing or damaged is named, marked, and opens only where something is left', () =>
    inBrowser(folder, async (page) => {
      const losses = page.getByRole('region', { name: '3 files missing or damaged' })
      const lines = await losses.locator('li > p:first-child').allTextContents()
      expect(lines.toSorted()).toEqual([
        'A file of the trash: the file is missing',
        'Lease.txt in ada › Home › House, version 2 of 3: damaged, it has 17 bytes instead of 12',
        'assessment.txt in ada › Home › Taxes › 2023: the file is missing',
      ])
      const assessment = page.locator('.document', { hasText: 'assessment.txt' })
      expect(await assessment.locator('.title').textContent()).toBe('assessment.txtmissing')
      expect(await assessment.locator('a').count()).toBe(0)
      const never = page.locator('.document', { hasText: 'Never stored' })
      expect(await never.locator('.title').textContent()).toBe('Never storedno file was ever stored')
      await page.locator('.document summary', { hasText: '3 versions' }).click()
      await page.locator('.versions').waitFor()
      const lease = await page.locator('.versions li').allTextContents()
      expect(lease[1]).toContain('damaged')
      expect(await page.locator('.versions a').count()).toBe(3)
    }))

  test('a folder shows what is in it and below it, by mouse and by keyboard', () =>
    inBrowser(folder, async (page) => {
      const tree = page.locator('#tree')
      await tree.getByRole('button', { name: 'All documents 7' }).press('ArrowDown')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('ada6')
      for (const key of ['ArrowRight', 'ArrowDown', 'ArrowRight', 'ArrowDown', 'ArrowDown', 'Enter']) {
        await page.keyboard.press(key)
      }
      expect(await countOn(page)).toBe('2 of 7 documents in Taxes')
      expect(await folderNamed(page, 'Taxes').getAttribute('aria-current')).toBe('true')
      await tree.getByRole('button', { name: 'Folders in Taxes' }).click()
      await folderNamed(page, '2023').click()
      expect(await titlesOn(page)).toEqual(['assessment.txt', 'return.txt'])
      await tree.getByRole('button', { name: 'Folders in ada' }).click()
      expect(await folderNamed(page, '2023').isVisible()).toBe(false)
      await page.getByRole('button', { name: 'Show all' }).click()
      await page.locator('.document', { hasText: 'return.txt' }).getByTitle('Show this folder').click()
      expect(await countOn(page)).toBe('2 of 7 documents in 2023')
      expect(await folderNamed(page, '2023').isVisible()).toBe(true)
      await folderNamed(page, 'Inbox').click()
      expect(await countOn(page)).toBe('No documents in Inbox.')
    }))

  test('a tag shows what has it, and what lies in a folder that has it; several narrow down', () =>
    inBrowser(folder, async (page) => {
      const chip = (name: string) => page.locator('#tags').getByRole('button', { name })
      expect(await page.locator('#tags button').allTextContents()).toEqual(['paid2', 'tax2', 'house1'])
      await chip('tax').click()
      expect(await titlesOn(page)).toEqual(['assessment.txt', 'return.txt'])
      await chip('paid').click()
      expect(await chip('paid').getAttribute('aria-pressed')).toBe('true')
      expect(await titlesOn(page)).toEqual(['return.txt'])
      expect(await page.locator('.document .tag').allTextContents()).toEqual(['paid', 'tax'])
      await chip('tax').click()
      expect(await titlesOn(page)).toEqual(['return.txt', 'Letter.txt'])
      await page.getByLabel('Documents of').selectOption('ben')
      expect(await titlesOn(page)).toEqual(['Letter.txt'])
      expect(await page.locator('#tags button').allTextContents()).toEqual(['paid1'])
    }))

  test('a search looks at titles, folders, tags and file names, without case and accents', () =>
    inBrowser(folder, async (page) => {
      expect(await search(page, 'ubersicht', '1 of 7 documents')).toEqual(['Übersicht.pdf'])
      expect(await search(page, '2023 TAXES ret', '1 of 7 documents')).toEqual(['return.txt'])
      expect(await search(page, 'lease-1', '1 of 7 documents')).toEqual(['Lease.txt'])
      expect(await search(page, 'paid', '2 of 7 documents')).toEqual(['return.txt', 'Letter.txt'])
      expect(await search(page, '<script>', 'Nothing found. Try fewer words or tags.')).toEqual([])
      await page.getByRole('button', { name: 'Show all' }).click()
      expect(await countOn(page)).toBe('7 documents')
    }))

  test('the list is sorted by title or date', () =>
    inBrowser(folder, async (page) => {
      const order = page.getByLabel('Sort by')
      const titles: Record<string, string[]> = {}
      for (const wanted of ['Title, A to Z', 'Title, Z to A', 'Date, newest first', 'Date, oldest first']) {
        await order.selectOption(wanted)
        titles[wanted] = await titlesOn(page)
      }
      expect(titles['Title, A to Z']?.slice(0, 3)).toEqual(['assessment.txt', 'Deed 100% #2?.txt', 'Lease.txt'])
      expect(titles['Title, Z to A']).toEqual(titles['Title, A to Z']?.toReversed())
      expect(titles['Date, newest first']?.[0]).toBe('Letter.txt')
      expect(titles['Date, oldest first']?.[0]).toBe('Deed 100% #2?.txt')
    }))

  test('without JavaScript it names the folders and says what is missing', () =>
    inBrowser(
      folder,
      async (page) => {
        expect(await page.locator('noscript p').isVisible()).toBe(true)
        expect(await page.getByText('3 files missing or damaged').isVisible()).toBe(true)
        expect(await page.locator('#browser').isVisible()).toBe(false)
        await page.getByRole('link', { name: 'ada' }).click()
        expect(fileURLToPath(page.url())).toBe(join(folder, 'ada/'))
      },
      { scripts: false },
    ))

  test.each([360, 1280])('nothing is wider than a window of %i pixels', (width) =>
    inBrowser(
      folder,
      async (page) => {
        expect(await overhang(page)).toBe(0)
        expect(await page.getByRole('searchbox').isVisible()).toBe(true)
        expect(await page.locator('#tree').isVisible()).toBe(width > 1000)
        if (width < 1000) await page.getByText('Folders', { exact: true }).click()
        expect(await page.locator('#tree').isVisible()).toBe(true)
        expect(await overhang(page)).toBe(0)
      },
      { width },
    ),
  )

  test('an archive with nothing in it says so', async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await inBrowser(await unpacked(instance, 'empty'), async (page) => {
      expect(await countOn(page)).toBe('This backup holds no documents.')
      expect(await page.getByRole('region', { name: 'Nothing is missing' }).isVisible()).toBe(true)
    })
  })
})

async function fillPapers(instance: CommandInstance): Promise<void> {
  const keys: string[] = []
  await fillDirectly(instance, async ({ user, node, tag, version }) => {
    const ada = await user({ username: 'ada' })
    const ben = await user({ username: 'ben' })
    const folderIn = (parent_id: string, title: string) => node({ user_id: ada.id, parent_id, title })
    const house = await folderIn(ada.home, 'House')
    const taxes = await folderIn(ada.home, 'Taxes')
    const year = await folderIn(taxes, '2023')
    const document = async (owner: string, parent_id: string, title: string, bytes?: string, created_at?: string) => {
      const id = await node({ user_id: owner, parent_id, title, type: 'document' })
      const date = created_at === undefined ? {} : { created_at }
      await version({ user: owner, document: id }, { file_name: title, ...date }, bytes)
      return id
    }
    await document(ada.id, house, 'Deed 100% #2?.txt', 'the deed', '1999-01-31T00:00:00.000000Z')
    await document(ada.id, house, 'Übersicht.pdf', '%PDF-1.4')
    await document(ada.id, house, 'Never stored')
    const assessment = await document(ada.id, year, 'assessment.txt', 'lost')
    const tax = await document(ada.id, year, 'return.txt', 'return')
    const letter = await document(ben.id, ben.home, 'Letter.txt', 'letter', '2026-11-24T15:00:00.000000Z')
    const lease = await node({ user_id: ada.id, parent_id: house, title: 'Lease.txt', type: 'document' })
    for (const [index, bytes] of ['first lease', 'second lease', 'third lease'].entries()) {
      const number = index + 1
      await version({ user: ada.id, document: lease }, { number, file_name: `lease-${number}.txt` }, bytes)
    }
    const removed = await node({
      user_id: ada.id,
      title: 'removed.txt',
      type: 'document',
      deleted_at: '2026-11-24T15:00:00.000000Z',
      deleted_from: '.home/removed.txt',
    })
    await version({ user: ada.id, document: removed }, { file_name: 'removed.txt' }, 'removed')
    await tag({ user_id: ada.id, name: 'tax' }, [taxes])
    await tag({ user_id: ada.id, name: 'paid' }, [tax])
    await tag({ user_id: ada.id, name: 'house' }, [lease])
    await tag({ user_id: ben.id, name: 'paid' }, [letter])
    const key = (id: string, number: number, fileName: string) =>
      versionKey({ userId: ada.id, documentId: id, number, fileName })
    keys.push(key(assessment, 1, 'assessment.txt'), key(removed, 1, 'removed.txt'), key(lease, 2, 'lease-2.txt'))
  })
  const [assessment, removed, lease] = keys.map((key) => join(instance.dataDirectory, 'media', key))
  await rm(assessment!)
  await rm(removed!)
  await appendFile(lease!, ' more')
}

/** Names that would do something, if anything but a text were made of them. */
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

describe.skipIf(!present)('names of every kind', () => {
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
      folders[links] = await unpacked(instance, links, '--links', links)
      await expectSoundArchive(join(scratch, `${links}.tar.gz`))
    }
  })

  test.each(['symbolic', 'hard'] as const)('every link leads to its file, with %s links', (links) =>
    inBrowser(folders[links], async (page) => {
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
    inBrowser(folders.symbolic, async (page) => {
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
    inBrowser(
      folders.symbolic,
      async (page) => {
        await allLinks(page)
        expect(await overhang(page)).toBe(0)
      },
      { width },
    ),
  )
})

describe.skipIf(!present)('20,000 documents', () => {
  const documents = 20_000
  let folder = ''
  beforeAll(async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await fillMany(instance, documents)
    folder = await unpacked(instance, 'many', '--no-verify')
  })

  test('are listed a hundred at a time, searched and opened', () =>
    inBrowser(folder, async (page) => {
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
