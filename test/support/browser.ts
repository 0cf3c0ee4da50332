import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'

/** Where Debian and others put it. */
export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)

/** A real browser without a window, which asks nobody for anything by itself. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

export interface OpenPage extends AsyncDisposable {
  readonly page: Page
  /** What a page of files must never do: requests to elsewhere, errors, words on the console, dialogs. */
  readonly troubles: readonly string[]
}

export interface PageOptions {
  readonly width?: number
  readonly scripts?: boolean
}

/** Opens a file in a window of its own. */
export async function openFile(browser: Browser, path: string, options: PageOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: 800 },
    javaScriptEnabled: options.scripts ?? true,
  })
  const troubles: string[] = []
  context.on('request', (request) => {
    if (!request.url().startsWith('file:')) troubles.push(`request ${request.url()}`)
  })
  context.on('requestfailed', (request) => troubles.push(`failed ${request.url()}`))
  context.on('console', (message) => troubles.push(`console ${message.text()}`))
  context.on('weberror', (error) => troubles.push(`error ${String(error.error())}`))
  context.on('dialog', (dialog) => {
    troubles.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  const page = await context.newPage()
  await page.goto(pathToFileURL(path).href)
  return { page, troubles, [Symbol.asyncDispose]: () => context.close() }
}
