import type { Expected, ExpectedFile, ExpectedNode, ExpectedUser, ExpectedVersion } from '../support/samples.ts'
import type { Tree, TreeNode, TreeUser, TreeVersion } from '../support/tree-report.ts'

/**
 * Lays what a restore must bring back beside what came back, in one form that both can take: what the sample's format does
 * not carry (ids of folders and tags; in 3.x also ids, languages and dates of users and documents) is left out of both.
 */

const byBytes = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right))

/** `2026-11-24T17:19:59.205585+00:00` as `2026-11-24T17:19:59.205585Z`, always with six decimals. */
export function moment(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null
  const found = /^(.*?)(?:\.(\d+))?\+00:00$/.exec(text)
  if (found === null) throw new Error(`not a moment in UTC: ${text}`)
  return `${found[1]?.replace(' ', 'T')}.${(found[2] ?? '').padEnd(6, '0')}Z`
}

/** The nearest of our words for an OCR status of Papermerge. */
function ocrStatus(word: string | undefined): string {
  const lower = (word ?? '').toLowerCase()
  const words: Readonly<Record<string, string>> = {
    success: 'succeeded',
    succeeded: 'succeeded',
    received: 'received',
    started: 'started',
    failed: 'failed',
  }
  return words[lower] ?? 'unknown'
}

/** The numbers after a restore: a number that was there already takes the next free one. */
function freeNumbers(numbers: readonly number[]): number[] {
  const taken = new Set<number>()
  return numbers.map((number) => {
    let free = number
    if (taken.has(number)) while (taken.has(free) || numbers.includes(free)) free += 1
    taken.add(free)
    return free
  })
}

export const is3 = (expected: Expected): boolean => expected.papermerge_version.startsWith('3.')

const pageFiles3: Readonly<Record<string, string>> = {
  'page.svg': '_ocr.svg',
  'page.txt': '_ocr_hocr.txt',
  'page.hocr': '_ocr_hocr.hocr',
  'page.jpg': '.jpg',
}

const pageName = (number: number): string => String(number).padStart(6, '0')

/** Where a page's files lie after the restore, below the pages of its version, and what they hold. */
function pageFiles(version: ExpectedVersion): string[] {
  return version.pages.flatMap((page) => {
    const files: (readonly [string, ExpectedFile])[] = (page.files ?? []).map((file) => [
      pageFiles3[file.path.replace(/^.*\//, '')] ?? file.path,
      file,
    ])
    if (page.svg !== undefined && page.svg !== null) files.push(['_ocr.svg', page.svg])
    return files.map(
      ([kind, file]) => `${pageName(page.number)}/${pageName(page.number)}${kind} ${file.bytes} ${file.sha256}`,
    )
  })
}

function wantedVersions(versions: readonly ExpectedVersion[], three: boolean): object[] {
  const numbers = freeNumbers(versions.map(({ number }) => number))
  return versions
    .map((version, index) => ({
      ...(three ? { id: version.id } : {}),
      number: numbers[index] ?? 0,
      file_name: version.file_name,
      size: version.file?.bytes ?? null,
      sha256: version.file?.sha256 ?? null,
      page_count: version.page_count,
      lang: version.lang,
      short_description: version.short_description,
      text: version.text,
      pages: version.pages
        .map(({ id, number, lang, text }) => ({ ...(three ? { id } : {}), number, lang, text }))
        .toSorted((left, right) => left.number - right.number),
      pageFiles: pageFiles(version).toSorted(),
    }))
    .toSorted((left, right) => left.number - right.number)
}

function wantedNode(node: ExpectedNode, three: boolean): object {
  const document = node.ctype === 'document'
  return {
    path: node.path,
    title: node.title,
    type: node.ctype,
    tags: node.tags.toSorted(byBytes),
    ...(node.created_at === undefined
      ? {}
      : { created_at: moment(node.created_at), updated_at: moment(node.updated_at) }),
    ...(document && !three ? { id: node.id, lang: node.lang } : {}),
    ...(document ? { ocr: node.ocr, ocr_status: ocrStatus(node.ocr_status) } : {}),
    versions: wantedVersions(node.versions ?? [], three),
  }
}

const byPath = (left: readonly string[], right: readonly string[]): number => {
  for (const [index, title] of left.entries()) {
    const other = right[index]
    if (other === undefined) return 1
    const order = byBytes(title, other)
    if (order !== 0) return order
  }
  return left.length - right.length
}

function wantedUser(user: ExpectedUser, three: boolean): object {
  return {
    username: user.username,
    email: user.email,
    ...(three ? {} : { id: user.id, is_active: user.is_active, is_superuser: user.is_superuser }),
    tags: user.tags
      .map(({ name, bg_color, fg_color, description, pinned }) => ({ name, bg_color, fg_color, description, pinned }))
      .toSorted((left, right) => byBytes(left.name, right.name)),
    nodes: user.nodes.toSorted((left, right) => byPath(left.path, right.path)).map((node) => wantedNode(node, three)),
  }
}

export const wantedTree = (expected: Expected): object[] =>
  expected.users
    .toSorted((left, right) => byBytes(left.username, right.username))
    .map((user) => wantedUser(user, is3(expected)))

function foundVersion(user: TreeUser, node: TreeNode, version: TreeVersion, wanted: Wanted): object {
  const folder = `sidecars/user_${user.id}/document_${node.id}/v${version.number}/pages/`
  const files = [...wanted.media].filter(([path]) => path.startsWith(folder))
  return {
    ...(wanted.three ? { id: version.id } : {}),
    number: version.number,
    file_name: version.file_name,
    size: version.size,
    sha256: version.sha256,
    page_count: version.page_count,
    lang: version.lang,
    short_description: version.short_description,
    text: version.text,
    pages: version.pages.map(({ id, number, lang, text }) => ({ ...(wanted.three ? { id } : {}), number, lang, text })),
    pageFiles: files.map(([path, content]) => `${path.slice(folder.length)} ${content}`).toSorted(),
  }
}

function foundNode(user: TreeUser, node: TreeNode, wanted: Wanted): object {
  const document = node.type === 'document'
  return {
    path: node.path,
    title: node.title,
    type: node.type,
    tags: node.tags,
    ...(wanted.dates ? { created_at: node.created_at, updated_at: node.updated_at } : {}),
    ...(document && !wanted.three ? { id: node.id, lang: node.lang } : {}),
    ...(document ? { ocr: node.ocr, ocr_status: node.ocr_status } : {}),
    versions: node.versions.map((version) => foundVersion(user, node, version, wanted)),
  }
}

interface Wanted {
  readonly three: boolean
  readonly dates: boolean
  readonly media: ReadonlyMap<string, string>
}

/** `tree --json --text` and the media folder in the form of `wantedTree`. */
export function foundTree(tree: Tree, media: ReadonlyMap<string, string>, expected: Expected): object[] {
  const dates = expected.users.some((user) => user.nodes.some(({ created_at }) => created_at !== undefined))
  const wanted: Wanted = { three: is3(expected), dates, media }
  return tree.users.map((user) => ({
    username: user.username,
    email: user.email,
    ...(wanted.three ? {} : { id: user.id, is_active: user.is_active, is_superuser: user.is_superuser }),
    tags: user.tags,
    nodes: user.nodes.map((node) => foundNode(user, node, wanted)),
  }))
}
