import type { AuditEntry } from '../contract/audit.ts'
import type { Database } from '../database/database.ts'
import { countSubtree, findChild, insertNodes, isWithin, updateNode } from '../database/queries/nodes.ts'
import { moveToTrash } from '../database/queries/trash.ts'
import type { NodeRow, UserRow } from '../database/schema.ts'
import { formatPath } from '../domain/paths.ts'
import { isRoot } from '../domain/roots.ts'
import { StrongroomError } from '../errors.ts'
import type { Clock } from '../std/clock.ts'
import type { Ids } from '../std/ids.ts'
import { noteInAudit } from './audit.ts'
import { requireUser } from './find-user.ts'
import { folderRow } from './folder-row.ts'
import { type Location, locate, nothingAt, requireNode } from './locate.ts'

/** Folders and documents in a user's tree. Every verb may throw `user.not_found`, `text.…` and `node.bad_path`. */
export function createNodes({ database, clock, ids }: { database: Database; clock: Clock; ids: Ids }) {
  /** The node at a path. Throws `node.not_found`, `node.not_folder`. */
  async function resolve({ username, path }: { username: string; path: string }): Promise<NodeRow> {
    return requireNode(database.db, await requireUser(database.db, username), path)
  }

  /**
   * Makes a folder and returns its id. With `parents` the folders above it are made too, and one that is there already is
   * no error. Throws `node.exists`, `node.not_found` for the folder above it, `node.not_folder`.
   */
  async function makeFolder(input: { username: string; path: string; parents: boolean }): Promise<string> {
    return database.write(async (tx) => {
      const user = await requireUser(tx, input.username)
      const { titles, nodes } = await locate(tx, user, input.path)
      const missing = titles.slice(nodes.length)
      const last = nodes.at(-1)
      if (missing.length === 0 && last !== undefined) {
        if (!input.parents) throw alreadyIn(titles)
        if (last.type !== 'folder') throw new StrongroomError('node.not_folder', { path: formatPath(titles) })
        return last.id
      }
      if (missing.length > 1 && !input.parents) throw nothingAt(user, titles.slice(0, -1))
      if (last?.type === 'document')
        throw new StrongroomError('node.not_folder', { path: formatPath(titles.slice(0, nodes.length)) })
      const now = clock.now()
      let parentId = last?.id ?? null
      for (const [index, title] of missing.entries()) {
        const row = folderRow({ id: ids.next(), userId: user.id, parentId, title, now })
        await insertNodes(tx, [row])
        const about = formatPath(titles.slice(0, nodes.length + index + 1))
        await noteInAudit(tx, now, [{ action: 'folder.made', username: user.username, about, details: { id: row.id } }])
        parentId = row.id
      }
      return parentId!
    })
  }

  /**
   * Moves or renames a node: into `to` where that is a folder, else to that path. Throws `node.not_found`, `node.is_root`,
   * `node.exists`, `node.not_folder`, `node.into_itself`.
   */
  async function move(input: { username: string; from: string; to: string }): Promise<void> {
    await database.write(async (tx) => {
      const user = await requireUser(tx, input.username)
      const from = requireMovable(await locate(tx, user, input.from), user)
      const target = await locate(tx, user, input.to)
      const { folder, folderTitles, title } = destination(target, from.node, user)
      if (await isWithin(tx, folder.id, from.node.id)) {
        const target = formatPath(folderTitles)
        throw new StrongroomError('node.into_itself', { path: formatPath(from.titles), target })
      }
      const there = await findChild(tx, user.id, folder.id, title)
      if (there !== undefined) throw alreadyIn([...folderTitles, title])
      const now = clock.now()
      const { id } = from.node
      await updateNode(tx, id, { parent_id: folder.id, title, updated_at: now })
      const details = { id, to: formatPath([...folderTitles, title]) }
      await noteInAudit(tx, now, [
        { action: 'node.moved', username: user.username, about: formatPath(from.titles), details },
      ])
    })
  }

  /**
   * Moves documents and folders, each with all below it, to the trash of their user: all of them, or none. Throws
   * `node.not_found`, `node.is_root`. Returns how many folders and documents that were.
   */
  async function remove(input: { username: string; paths: readonly string[] }): Promise<number> {
    return database.write(async (tx) => {
      const user = await requireUser(tx, input.username)
      const now = clock.now()
      const entries: AuditEntry[] = []
      let moved = 0
      for (const path of input.paths) {
        const { node, titles } = requireMovable(await locate(tx, user, path), user)
        const details = { id: node.id, nodes: await countSubtree(tx, node.id) }
        moved += details.nodes
        await moveToTrash(tx, node.id, now)
        entries.push({ action: 'node.trashed', username: user.username, about: formatPath(titles), details })
      }
      await noteInAudit(tx, now, entries)
      return moved
    })
  }

  return { resolve, makeFolder, move, remove }
}

const alreadyIn = (titles: readonly string[]): StrongroomError =>
  new StrongroomError('node.exists', { title: titles.at(-1) ?? '', folder: formatPath(titles.slice(0, -1)) })

function requireMovable(location: Location, user: UserRow): { node: NodeRow; titles: readonly string[] } {
  const { titles, nodes } = location
  const node = nodes[titles.length - 1]
  if (node === undefined) throw nothingAt(user, titles)
  if (isRoot(node)) throw new StrongroomError('node.is_root', { path: formatPath(titles), username: user.username })
  return { node, titles }
}

function destination(
  { titles, nodes }: Location,
  moved: NodeRow,
  user: UserRow,
): { folder: NodeRow; folderTitles: readonly string[]; title: string } {
  const there = nodes[titles.length - 1]
  if (there?.type === 'folder') return { folder: there, folderTitles: titles, title: moved.title }
  const folderTitles = titles.slice(0, -1)
  const folder = nodes[folderTitles.length - 1]
  if (folder === undefined) throw nothingAt(user, folderTitles)
  if (folder.type !== 'folder') throw new StrongroomError('node.not_folder', { path: formatPath(folderTitles) })
  return { folder, folderTitles, title: titles.at(-1)! }
}
