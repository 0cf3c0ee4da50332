import { expect, test } from 'vitest'
import type { TreeItem, TreeNode, TreeUser, TreeVersion } from '../contract/tree.ts'
import { drawnTree } from './drawn-tree.ts'

const dates = { created_at: null, updated_at: null }

const user = (username: string, more: Partial<TreeUser> = {}): TreeItem => ({
  kind: 'user',
  user: { id: username, username, email: '', is_active: true, is_superuser: false, ...more },
})

function node(type: TreeNode['type'], path: readonly string[], tags: readonly string[] = []): TreeItem {
  const title = path.at(-1) ?? ''
  return {
    kind: 'node',
    node: { id: title, type, path, title, tags, ...dates, lang: null, ocr: null, ocr_status: null },
  }
}

function version(number: number, more: Partial<TreeVersion> = {}): TreeItem {
  const known = { file_name: 'a.pdf', size: 1500, sha256: null, media_type: null, page_count: 2 }
  const texts = { lang: 'deu', short_description: '', created_at: null }
  return { kind: 'version', version: { id: `v${number}`, number, ...known, ...texts, ...more } }
}

const page = (number: number, text: string): TreeItem => ({
  kind: 'page',
  page: { id: `p${number}`, number, lang: 'deu', text },
})

const items: readonly TreeItem[] = [
  user('ada', { email: 'ada@example.org', is_superuser: true }),
  node('folder', ['.home']),
  node('folder', ['.home', 'Taxes'], ['important', 'à payer']),
  node('document', ['.home', 'Taxes', 'a\nb.pdf'], ['important']),
  version(1, { page_count: 1 }),
  page(1, 'first'),
  version(2, { short_description: 'as sent' }),
  page(1, 'two\nlines'),
  page(2, ''),
  node('document', ['.home', 'empty']),
  version(0, { file_name: null, size: null, page_count: null }),
  user('bob', { is_active: false }),
  node('folder', ['.home']),
]

async function* given() {
  yield* items
}

test('each user has a tree, and each document says what its last version is', async () => {
  expect(await Array.fromAsync(drawnTree(given(), false))).toEqual([
    'ada  <ada@example.org>  superuser',
    '  .home/',
    '    Taxes/  [important, à payer]',
    '      a\\nb.pdf  2 versions, 1.5 KB, 2 pages  [important]',
    '    empty  1 version, no file',
    '',
    'bob  disabled',
    '  .home/',
  ])
})

test('with texts each version and each page has a line', async () => {
  const lines = await Array.fromAsync(drawnTree(given(), true))
  expect(lines.slice(3, 9)).toEqual([
    '      a\\nb.pdf  [important]',
    '        version 1: a.pdf, 1.5 KB, 1 page',
    '          page 1: first',
    '        version 2: a.pdf, 1.5 KB, 2 pages, as sent',
    '          page 1: two\\nlines',
    '          page 2: ',
  ])
})
