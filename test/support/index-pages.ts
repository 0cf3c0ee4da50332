import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { chromiumPath, openBrowser, openFile, type PageOptions } from './browser.ts'
import { sha256OfFile, type CommandInstance } from './command-instances.ts'
import { needs } from './needs.ts'

/** Whether index.html can be looked at as a person would. */
export const hasBrowser = needs('Chromium', chromiumPath !== undefined, 'index.html in a browser')

/** The index.html of unpacked archives, as a person meets it: from the disk, in a real browser. */
export interface Pages extends AsyncDisposable {
  /** Backs the instance up and unpacks the archive with tar; gives the folder. */
  unpacked(instance: CommandInstance, name: string, ...options: string[]): Promise<string>
  /** Opens the page of an unpacked archive, and holds it to what it must never do. */
  inBrowser(folder: string, work: (page: Page) => Promise<void>, options?: PageOptions): Promise<void>
}

export async function openPages(): Promise<Pages> {
  const scratch = await mkdtemp(join(tmpdir(), 'strongroom-index-page-'))
  const browser = await openBrowser()
  return {
    async unpacked(instance, name, ...options) {
      const archive = join(scratch, `${name}.tar.gz`)
      const environment = { SOURCE_DATE_EPOCH: '1795529032' }
      await instance.run(['backup', archive, '--quiet', ...options], { environment })
      const folder = join(scratch, name)
      await mkdir(folder)
      await promisify(execFile)('tar', ['-xzf', archive], { cwd: folder })
      return folder
    },
    async inBrowser(folder, work, options) {
      await using opened = await openFile(browser, join(folder, 'index.html'), options)
      await work(opened.page)
      expect(opened.troubles).toEqual([])
    },
    async [Symbol.asyncDispose]() {
      await browser.close()
      await rm(scratch, { recursive: true, force: true })
    },
  }
}

export const titlesOn = (page: Page): Promise<string[]> => page.locator('#list .title .name').allTextContents()
export const countOn = (page: Page): Promise<string | null> => page.locator('#count').textContent()
export const folderNamed = (page: Page, name: string) => page.locator('#tree .folder', { hasText: name })

/** Types into the search, waits for what it finds, and holds it to how many those are said to be. */
export async function search(page: Page, query: string, count: string): Promise<string[]> {
  await page.getByRole('searchbox').fill(query)
  await page.locator('#list:not([aria-busy])').waitFor({ state: 'attached' })
  expect(await countOn(page)).toBe(count)
  return titlesOn(page)
}

/** All links to files that the page offers, with every entry of the list shown and opened. */
export async function allLinks(page: Page): Promise<{ readonly last: string[]; readonly versions: string[] }> {
  while (await page.locator('#more').isVisible()) await page.locator('#more').click()
  await page.evaluate(`for (const details of document.querySelectorAll('.document details')) details.open = true`)
  const empty = page.locator('.document details:not(:has(> :nth-child(2)))')
  await empty.first().waitFor({ state: 'detached' })
  const hrefs = (selector: string) =>
    page.evaluate<string[]>(`[...document.querySelectorAll('${selector}')].map((link) => link.href)`)
  return { last: await hrefs('.document > .title a'), versions: await hrefs('.document .versions a') }
}

export const reached = (links: readonly string[]): Promise<string[]> =>
  Promise.all(links.map((href) => sha256OfFile(fileURLToPath(href)))).then((hashes) => hashes.toSorted())

/** How many pixels the page is wider than its window. */
export const overhang = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
