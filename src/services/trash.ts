import type { AuditEntry } from '../contract/audit.ts'
import type { Database, Db } from '../database/database.ts'
import { findChild, findNode, pathOf, updateNode } from '../database/queries/nodes.ts'
import {
  countTrash,
  deleteTrash,
  discardFilesOfTrash,
  findTrashed,
  type Held,
  isInTrash,
  listTrash,
  ownersOfTrash,
  type TrashedNode,
} from '../database/queries/trash.ts'
import type { NodeRow, UserRow } from '../database/schema.ts'
import { formatPath } from '../domain/paths.ts'
import { StrongroomError } from '../errors.ts'
import { type Clock, daysBefore } from '../std/clock.ts'
import { noteInAudit } from './audit.ts'
import { requireUser } from './find-user.ts'
import { notInTrash } from './folder-row.ts'
import { assertName, assertText } from './laws.ts'
import { requireNode } from './locate.ts'

/** Which part of the trash is meant: all of it where nothing is said. */
export interface TrashFilter {
  /** Only what this user moved there. */
  readonly username?: string | undefined
  /** Only what has been there for so many days at least; a day is 24 hours. */
  readonly olderThanDays?: number | undefined
}

export type TrashCounts = Held & { readonly items: number }

export interface RestoreFromTrash {
  readonly username: string
  /** An id or a path as `list` shows them. */
  readonly item: string
  /** A folder instead of the one that it was in. */
  readonly into?: string | undefined
  readonly title?: string | undefined
}

/**
 * The trash of each user: what `remove` of the nodes moved there, each thing with all that lies below it. Every verb may
 * throw `user.not_found` and `text.…`.
 */
export function createTrash({ database, clock }: { database: Database; clock: Clock }) {
  /** What was moved to the trash: by user, the latest first. */
  async function list(filter: TrashFilter = {}): Promise<TrashedNode[]> {
    return listTrash(database.db, await choiceOf(database.db, filter))
  }

  /**
   * Brings one thing back, with all below it, to its folder or into another one, and returns the path that it has now. As
   * it was where it goes back to its place. Throws `trash.not_found`, `trash.ambiguous`, `trash.place_gone`,
   * `trash.place_taken`, and for `into` `node.not_found`, `node.not_folder`, `node.bad_path`.
   */
  async function restore(input: RestoreFromTrash): Promise<string> {
    assertText('item', input.item)
    if (input.title !== undefined) assertName('title', input.title)
    return database.write(async (tx) => {
      const user = await requireUser(tx, input.username)
      const node = await requireTrashed(tx, user, input.item)
      const item = node.deleted_from ?? node.title
      const parentId = input.into === undefined ? await placeOf(tx, node, item) : await folderAt(tx, user, input.into)
      const title = input.title ?? node.title
      const titles = parentId === null ? [] : (await pathOf(tx, parentId)).map((each) => each.title)
      if ((await findChild(tx, user.id, parentId, title)) !== undefined)
        throw new StrongroomError('trash.place_taken', { item, title, folder: placeText(titles, user) })
      const isAsItWas = parentId === node.deleted_parent && title === node.title
      const changes = { ...notInTrash, parent_id: parentId, title }
      const now = clock.now()
      await updateNode(tx, node.id, isAsItWas ? changes : { ...changes, updated_at: now })
      const to = formatPath([...titles, title])
      const details = { id: node.id, to }
      await noteInAudit(tx, now, [{ action: 'trash.restored', username: user.username, about: item, details }])
      return to
    })
  }

  /** How much is in the trash; `items` is how many things were moved there. */
  async function count(filter: TrashFilter = {}): Promise<TrashCounts> {
    return countTrash(database.db, await choiceOf(database.db, filter))
  }

  /**
   * Removes what is in the trash for ever, all that was chosen or nothing; its files are removed as soon as nobody reads
   * them. Returns what that was.
   */
  async function empty(filter: TrashFilter = {}): Promise<TrashCounts> {
    return database.write(async (tx) => {
      const choice = await choiceOf(tx, filter)
      const counts = await countTrash(tx, choice)
      const entries: AuditEntry[] = []
      for (const { id, username } of await ownersOfTrash(tx, choice)) {
        const { items, folders, documents, versions, originalBytes } = await countTrash(tx, { ...choice, userId: id })
        const olderThanDays = filter.olderThanDays ?? null
        const details = { items, folders, documents, versions, bytes: originalBytes, olderThanDays }
        entries.push({ action: 'trash.emptied', username, about: '', details })
      }
      await noteInAudit(tx, clock.now(), entries)
      await discardFilesOfTrash(tx, choice)
      await deleteTrash(tx, choice)
      return counts
    })
  }

  async function choiceOf(db: Db, { username, olderThanDays }: TrashFilter) {
    return {
      userId: username === undefined ? undefined : (await requireUser(db, username)).id,
      until: olderThanDays === undefined ? undefined : daysBefore(clock.now(), olderThanDays),
    }
  }

  return { list, count, restore, empty }
}

async function requireTrashed(db: Db, user: UserRow, item: string): Promise<NodeRow> {
  const byId = await findNode(db, item.toLowerCase())
  if (byId?.user_id === user.id && byId.deleted_at !== null) return byId
  const found = await findTrashed(db, user.id, item)
  const [first] = found
  const { username } = user
  if (first === undefined) throw new StrongroomError('trash.not_found', { item, username })
  if (found.length > 1) throw new StrongroomError('trash.ambiguous', { item, username, count: found.length })
  return first
}

/** The folder that it was in, if that is still there; null for the top level. */
async function placeOf(db: Db, node: NodeRow, item: string): Promise<string | null> {
  if (node.deleted_parent === null) return null
  const folder = await findNode(db, node.deleted_parent)
  const isThere = folder?.type === 'folder' && folder.user_id === node.user_id && !(await isInTrash(db, folder.id))
  if (!isThere) throw new StrongroomError('trash.place_gone', { item })
  return folder.id
}

async function folderAt(db: Db, user: UserRow, path: string): Promise<string> {
  const folder = await requireNode(db, user, path)
  if (folder.type !== 'folder') throw new StrongroomError('node.not_folder', { path })
  return folder.id
}

const placeText = (titles: readonly string[], { username }: UserRow): string =>
  titles.length === 0 ? `the top level of ${username}` : formatPath(titles)
