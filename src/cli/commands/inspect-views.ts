import type { FindReport, Hit } from '../../contract/find-report.ts'
import type { TrashedNode, TreeItem, TreeNode, TreePage, TreeVersion } from '../../contract/tree.ts'
import { formatPath } from '../../domain/paths.ts'
import type { Browsed } from '../../operations/browse.ts'
import { display } from '../../std/text.ts'
import { columns, right, table, type Cell } from '../columns.ts'
import { drawnTree } from '../drawn-tree.ts'
import { exitLeftOut } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { bytesText, counted, countText } from '../units.ts'

/** Rows of a table are aligned in memory; --json has no such limit. */
const mostRows = 10_000

interface View {
  readonly tree: boolean
  readonly find: string | undefined
  readonly text: boolean
  readonly trash: boolean
}

/** Shows what was chosen of an archive: what was found, a document, a folder, the trash, or the tree. */
export async function showBrowsed(session: Session, browsed: Browsed, view: View): Promise<void> {
  if (view.find !== undefined) {
    const report = browsed.find(view.find)
    return session.report(report, () => findLines(report))
  }
  const notices = browsed.notices()
  const wanted = { text: view.text, oneLevel: browsed.only === 'folder' && !view.tree }
  if (session.json) {
    for await (const piece of browsed.json(wanted)) await session.write(piece)
    if (notices.leftOut.total > 0) session.exitCode = exitLeftOut
    return
  }
  for await (const line of linesOf(browsed, view, wanted)) await session.write(`${line}\n`)
  await session.report(notices, () => [])
}

async function* linesOf(
  browsed: Browsed,
  { tree, text, trash }: View,
  wanted: { readonly text: boolean; readonly oneLevel: boolean },
): AsyncGenerator<string> {
  const items = browsed.items(wanted)
  if (tree || (text && browsed.only !== 'document')) yield* drawnTree(items, text)
  else if (trash) yield* tableLines(items, ['User', 'Removed at', 'Path', 'Id'], trashRow)
  else if (browsed.only === 'document') yield* documentLines(items)
  else if (browsed.only === 'folder') yield* tableLines(withoutFirst(items), folderHeading, folderRow)
  else yield* drawnTree(items, false)
}

/** The items without the folder that was named, which comes first. */
function* withoutFirst(items: Iterable<TreeItem>): Generator<TreeItem, void, undefined> {
  let seen = false
  for (const item of items) {
    if (item.kind !== 'node' || seen) yield item
    seen ||= item.kind === 'node'
  }
}

interface Listed {
  readonly username: string
  readonly node: TreeNode
  readonly last: TreeVersion | undefined
  readonly versions: number
}

/** Each node with its last version. */
function* listed(items: Iterable<TreeItem>): Generator<Listed, void, undefined> {
  let username = ''
  let current: Listed | undefined
  for (const item of items) {
    if (item.kind === 'version' && current !== undefined)
      current = { ...current, last: item.version, versions: current.versions + 1 }
    if (item.kind !== 'user' && item.kind !== 'node') continue
    if (current !== undefined) yield current
    current = item.kind === 'user' ? undefined : { username, node: item.node, last: undefined, versions: 0 }
    if (item.kind === 'user') username = item.user.username
  }
  if (current !== undefined) yield current
}

function* tableLines(
  items: Iterable<TreeItem>,
  heading: readonly Cell[],
  rowOf: (listed: Listed) => readonly Cell[] | undefined,
): Generator<string> {
  const rows: (readonly Cell[])[] = []
  let more = 0
  for (const each of listed(items)) {
    const row = rowOf(each)
    if (row !== undefined && rows.length < mostRows) rows.push(row)
    else if (row !== undefined) more += 1
  }
  yield* rows.length === 0 ? ['There is nothing.'] : table(heading, rows)
  if (more > 0) yield `… and ${countText(more)} more; --json lists all`
}

const folderHeading: readonly Cell[] = ['Title', right('Versions'), right('Pages'), right('Size'), 'Date', 'Tags']

function folderRow({ node, last, versions }: Listed): readonly Cell[] {
  const isFolder = node.type === 'folder'
  const size = last?.size ?? null
  return [
    isFolder ? `${display(node.title)}/` : display(node.title),
    right(isFolder ? '' : countText(versions)),
    right(last === undefined || last.page_count === null ? '' : countText(last.page_count)),
    right(isFolder ? '' : size === null ? 'no file' : bytesText(size)),
    (last?.created_at ?? node.updated_at ?? '').slice(0, 10),
    node.tags.map(display).join(', '),
  ]
}

const isTrashed = (node: TreeNode): node is TrashedNode => 'deleted_at' in node

function trashRow({ username, node }: Listed): readonly Cell[] | undefined {
  if (!isTrashed(node)) return undefined
  const from = display(node.deleted_from ?? node.title)
  return [display(username), node.deleted_at, node.type === 'folder' ? `${from}/` : from, node.id]
}

function* documentLines(items: Iterable<TreeItem>): Generator<string> {
  let username = ''
  for (const item of items) {
    if (item.kind === 'user') username = item.user.username
    else if (item.kind === 'node') yield* nodeLines(username, item.node)
    else if (item.kind === 'version') yield* versionLines(item.version)
    else if (item.kind === 'page') yield* pageLines(item.page)
  }
}

const nodeLines = (username: string, node: TreeNode): string[] =>
  columns([
    ['Document', display(formatPath(node.path))],
    ['User', display(username)],
    ['Id', node.id],
    ['Tags', node.tags.length === 0 ? 'none' : node.tags.map(display).join(', ')],
    ['Created at', node.created_at ?? 'unknown'],
    ['Changed at', node.updated_at ?? 'unknown'],
    ['Language', display(node.lang ?? '')],
    ['OCR', node.ocr_status ?? 'unknown'],
  ])

const versionLines = (version: TreeVersion): string[] => [
  '',
  `Version ${version.number}`,
  ...columns(
    [
      ['File', version.file_name === null ? 'none: nothing was ever uploaded' : display(version.file_name)],
      ['Size', version.size === null ? '' : bytesText(version.size)],
      ['Type', display(version.media_type ?? '')],
      ['SHA-256', version.sha256 ?? ''],
      ['Created at', version.created_at ?? 'unknown'],
      ['Pages', version.page_count === null ? 'unknown' : countText(version.page_count)],
      ['Remark', display(version.short_description)],
      ['Text', display(version.text ?? '')],
    ].filter(([, fact]) => fact !== ''),
    '  ',
  ),
]

const pageLines = ({ number, lang, text }: TreePage): string[] => [
  `  Page ${number}${lang === '' ? '' : `, ${display(lang)}`}${text === undefined ? '' : `: ${display(text)}`}`,
]

function findLines({ hits, hitsNotListed, find }: FindReport): string[] {
  if (hits.length === 0) return [`Nothing has ${display(find)} in its title, its tags or its pages.`]
  return [
    ...hits.flatMap((hit) => [
      `${display(hit.username)}: ${display(formatPath(hit.path))}${hit.type === 'folder' ? '/' : ''}${hit.in_trash ? ' (in the trash)' : ''}`,
      `  ${placeOf(hit)}: ${display(hit.snippet)}`,
      ...(hit.type === 'document' ? [`  id ${hit.id}`] : []),
    ]),
    `${counted(hits.length + hitsNotListed, 'hit')}${hitsNotListed > 0 ? `; the first ${countText(hits.length)} are shown` : ''}`,
  ]
}

function placeOf({ found, version, page }: Hit): string {
  if (found !== 'text') return found
  return page === null ? `version ${version}` : `page ${page} of version ${version}`
}
