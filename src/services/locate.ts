import type { Db } from '../database/database.ts'
import { findChild } from '../database/queries/nodes.ts'
import type { NodeRow, UserRow } from '../database/schema.ts'
import { formatPath, parsePath } from '../domain/paths.ts'
import { homeTitle, isRootTitle } from '../domain/roots.ts'
import { StrongroomError } from '../errors.ts'
import { assertName, assertText } from './laws.ts'

/** Where a path leads: its titles from the top level down, and the nodes that exist of them, as far as they do. */
export interface Location {
  readonly titles: readonly string[]
  readonly nodes: readonly NodeRow[]
}

/**
 * Follows a path of a user. One that begins with neither a root nor another top-level node starts at the home. Throws
 * `node.bad_path`, `text.…`, and `node.not_folder` where it leads through a document.
 */
export async function locate(db: Db, user: UserRow, path: string): Promise<Location> {
  assertText('path', path)
  const parsed = parsePath(path)
  if ('problem' in parsed) throw new StrongroomError('node.bad_path', { path, reason: parsed.problem })
  for (const title of parsed.titles) assertName('title', title)
  const [first] = parsed.titles
  const atTop = first !== undefined && (isRootTitle(first) || (await findChild(db, user.id, null, first)) !== undefined)
  const titles = atTop ? parsed.titles : [homeTitle, ...parsed.titles]
  const nodes: NodeRow[] = []
  for (const title of titles) {
    const parent = nodes.at(-1)
    if (parent?.type === 'document')
      throw new StrongroomError('node.not_folder', { path: formatPath(titles.slice(0, nodes.length)) })
    const node = await findChild(db, user.id, parent?.id ?? null, title)
    if (node === undefined) break
    nodes.push(node)
  }
  return { titles, nodes }
}

/** The node at a path. Throws `node.not_found` and what `locate` throws. */
export async function requireNode(db: Db, user: UserRow, path: string): Promise<NodeRow> {
  const { titles, nodes } = await locate(db, user, path)
  const node = nodes[titles.length - 1]
  if (node === undefined) throw nothingAt(user, titles)
  return node
}

export const nothingAt = (user: UserRow, titles: readonly string[]): StrongroomError =>
  new StrongroomError('node.not_found', { path: formatPath(titles), username: user.username })
