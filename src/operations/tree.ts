import type { TreeItem } from '../contract/tree.ts'
import type { Database } from '../database/database.ts'
import { createTreeWalk, type TreeInput } from './tree-walk.ts'

const pieceCharacters = 65_536

/**
 * The JSON of `tree --json`, in pieces of text, of the instance as it is at one moment. Memory does not grow with the
 * instance. Throws `user.not_found`.
 */
export function createTree({ database }: { database: Database }) {
  const walkTree = createTreeWalk({ database })
  return (input: TreeInput) => treeJson(walkTree(input))
}

/** The JSON of `tree --json` in pieces of text. */
export async function* treeJson(
  items: AsyncIterable<TreeItem> | Iterable<TreeItem>,
): AsyncGenerator<string, void, undefined> {
  let piece = ''
  for await (const text of jsonOf(items)) {
    piece += text
    if (piece.length < pieceCharacters) continue
    yield piece
    piece = ''
  }
  yield piece
}

async function* jsonOf(items: AsyncIterable<TreeItem> | Iterable<TreeItem>): AsyncGenerator<string, void, undefined> {
  let counts = { users: 0, tags: 0, nodes: 0, versions: 0, pages: 0 }
  const closeVersion = (): string => (counts.versions > 0 ? ']}' : '')
  const closeNode = (): string => (counts.nodes > 0 ? `${closeVersion()}]}` : '')
  const beginNodes = (): string => (counts.nodes > 0 ? '' : '],"nodes":[')
  const closeUser = (): string => (counts.users > 0 ? `${closeNode()}${beginNodes()}]}` : '')
  const comma = (before: number): string => (before > 0 ? ',\n' : '\n')

  yield '{"users":['
  for await (const item of items) {
    switch (item.kind) {
      case 'user':
        yield closeUser() + comma(counts.users) + opened(item.user, 'tags')
        counts = { users: counts.users + 1, tags: 0, nodes: 0, versions: 0, pages: 0 }
        break
      case 'tag':
        yield comma(counts.tags) + JSON.stringify(item.tag)
        counts.tags += 1
        break
      case 'node':
        yield closeNode() + beginNodes() + comma(counts.nodes) + opened(item.node, 'versions')
        counts = { ...counts, nodes: counts.nodes + 1, versions: 0, pages: 0 }
        break
      case 'version':
        yield closeVersion() + comma(counts.versions) + opened(item.version, 'pages')
        counts = { ...counts, versions: counts.versions + 1, pages: 0 }
        break
      case 'page':
        yield comma(counts.pages) + JSON.stringify(item.page)
        counts.pages += 1
    }
  }
  yield `${closeUser()}]}\n`
}

/** An object that is left open after the beginning of its last member, a list. */
const opened = (fields: object, list: string): string => `${JSON.stringify(fields).slice(0, -1)},"${list}":[`
