import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { versionKey } from '../../src/media/keys.ts'
import { createCommandInstance, type CommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { fillDirectly } from '../support/filler.ts'
import {
  countOn,
  folderNamed,
  hasBrowser,
  openPages,
  type Pages,
  overhang,
  search,
  titlesOn,
} from '../support/index-pages.ts'

/** index.html of an unpacked archive, as a person meets it: from the disk, in a real browser. */

let pages: Pages

beforeAll(async () => {
  if (hasBrowser) pages = await openPages()
})
afterAll(() => pages?.[Symbol.asyncDispose]())

describe.skipIf(!hasBrowser)('the papers of two people', () => {
  let folder = ''
  beforeAll(async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await fillPapers(instance)
    folder = await pages.unpacked(instance, 'papers')
  })

  test('the page says when the backup was made, by what, and what is in it', () =>
    pages.inBrowser(folder, async (page) => {
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
    pages.inBrowser(folder, async (page) => {
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
    pages.inBrowser(folder, async (page) => {
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
    pages.inBrowser(folder, async (page) => {
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
    pages.inBrowser(folder, async (page) => {
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
    pages.inBrowser(folder, async (page) => {
      expect(await search(page, 'ubersicht', '1 of 7 documents')).toEqual(['Übersicht.pdf'])
      expect(await search(page, '2023 TAXES ret', '1 of 7 documents')).toEqual(['return.txt'])
      expect(await search(page, 'lease-1', '1 of 7 documents')).toEqual(['Lease.txt'])
      expect(await search(page, 'paid', '2 of 7 documents')).toEqual(['return.txt', 'Letter.txt'])
      expect(await search(page, '<script>', 'Nothing found. Try fewer words or tags.')).toEqual([])
      await page.getByRole('button', { name: 'Show all' }).click()
      expect(await countOn(page)).toBe('7 documents')
    }))

  test('the list is sorted by title or date', () =>
    pages.inBrowser(folder, async (page) => {
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
    pages.inBrowser(
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
    pages.inBrowser(
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
    await pages.inBrowser(await pages.unpacked(instance, 'empty'), async (page) => {
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
