import type { TreeItem, TreeNode, TreeUser, TreeVersion } from '../contract/tree.ts'
import { display } from '../std/text.ts'
import { bytesText, counted } from './units.ts'

const indent = '  '

/**
 * The tree for people, a line at a time: a user, then each folder and document below what it lies in. A document's line
 * says how many versions it has, and the size and pages of the last. With `text` each version and page has a line instead.
 */
export async function* drawnTree(
  items: AsyncIterable<TreeItem> | Iterable<TreeItem>,
  text: boolean,
): AsyncGenerator<string> {
  let users = 0
  let node: TreeNode | undefined
  let versions: { count: number; last: TreeVersion } | undefined
  for await (const item of items) {
    // A line that says something of all versions can be written when the next thing begins.
    if (!text && node !== undefined && (item.kind === 'user' || item.kind === 'node')) yield nodeLine(node, versions)
    switch (item.kind) {
      case 'user':
        node = undefined
        if (users > 0) yield ''
        users += 1
        yield userLine(item.user)
        break
      case 'tag':
        break
      case 'node':
        node = item.node
        versions = undefined
        if (text) yield nodeLine(node)
        break
      case 'version':
        versions = { count: (versions?.count ?? 0) + 1, last: item.version }
        if (text && node !== undefined) yield versionLine(node, item.version)
        break
      case 'page':
        if (text && node !== undefined)
          yield `${indentOf(node)}${indent.repeat(2)}page ${item.page.number}: ${display(item.page.text ?? '')}`
        break
    }
  }
  if (!text && node !== undefined) yield nodeLine(node, versions)
}

function userLine({ username, email, is_active: active, is_superuser: superuser }: TreeUser): string {
  const facts = [email === '' ? '' : `<${display(email)}>`, superuser ? 'superuser' : '', active ? '' : 'disabled']
  return [display(username), ...facts.filter((fact) => fact !== '')].join('  ')
}

const indentOf = ({ path }: TreeNode): string => indent.repeat(path.length)

function nodeLine(node: TreeNode, versions?: { readonly count: number; readonly last: TreeVersion }): string {
  const parts = [`${indentOf(node)}${display(node.title)}${node.type === 'folder' ? '/' : ''}`]
  if (versions !== undefined) parts.push([counted(versions.count, 'version'), ...factsOf(versions.last)].join(', '))
  if (node.tags.length > 0) parts.push(`[${node.tags.map(display).join(', ')}]`)
  return parts.join('  ')
}

const factsOf = ({ size, page_count: pages }: TreeVersion): string[] => [
  size === null ? 'no file' : bytesText(size),
  ...(pages === null ? [] : [counted(pages, 'page')]),
]

function versionLine(node: TreeNode, version: TreeVersion): string {
  const { number, file_name: name, short_description: description } = version
  const named = [name ?? '', ...factsOf(version), description].filter((fact) => fact !== '')
  return `${indentOf(node)}${indent}version ${number}: ${named.map(display).join(', ')}`
}
