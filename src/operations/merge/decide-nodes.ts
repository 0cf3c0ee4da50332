import type { ConflictChoice, RestoreAction } from '../../contract/restore-plan.ts'
import type { Db } from '../../database/database.ts'
import { findNode } from '../../database/queries/nodes.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { homeTitle, inboxTitle } from '../../domain/roots.ts'
import { derivedId } from '../staging/identity.ts'
import { liveDigest, plannedDigest } from './content-digest.ts'
import { isLeftOut } from './decide-accounts.ts'
import { noteChange, resolve, restoredName } from './decisions.ts'
import { hasGivenWay, isGivingWay, makeRoom, trashCopy, trashNode } from './make-room.ts'

/** A planned node with what was decided of its user and its folder. */
interface Planned {
  readonly seq: number
  readonly u: number
  readonly id: string
  readonly isFolder: boolean
  readonly title: string
  readonly userId: string
  /** The folder that takes it; null at the top level, undefined where that folder is left out. */
  readonly parent: string | null | undefined
  readonly inTrash: boolean
  /** Whether it is a folder that is only on the way to what is wanted. */
  readonly passage: boolean
  /** The folder that it is wanted in instead of its own; null where it is wanted in its own. */
  readonly elsewhere: string | null
}

interface Deciding {
  readonly db: Db
  readonly scratch: Scratch
  readonly choice: ConflictChoice
  readonly versions: 'all' | 'last'
}

/**
 * Decides what becomes of the planned folders and documents: folders before what they hold, and those that are there
 * already before the new ones, which may lie where they go away from.
 */
export async function decideNodes(deciding: Deciding): Promise<void> {
  const { scratch } = deciding
  const rows = scratch.rows(
    `select n.seq, n.u, n.id, n.type, n.title, n.parent_seq, n.deleted_at, n.passage, n.elsewhere,
       d.action as user_action, d.target_id as user_id
     from plan_nodes n join user_decisions d on d.u = n.u
     order by n.depth, exists (select 1 from live_nodes l where l.id = n.id) desc, n.seq`,
  )
  for (const row of rows) {
    const leftOut = isLeftOut(scratch, Number(row.u))
    const parent = leftOut ? undefined : parentOf(scratch, row)
    const node: Planned = {
      seq: Number(row.seq),
      u: Number(row.u),
      id: String(row.id),
      isFolder: row.type === 'folder',
      title: String(row.title),
      userId: String(row.user_id),
      parent: parent?.target,
      inTrash: row.deleted_at !== null || parent?.inTrash === true,
      passage: row.passage === 1,
      elsewhere: row.elsewhere === null ? null : String(row.elsewhere),
    }
    if ((parent === undefined || node.inTrash) && isGivingWay(scratch, node.id)) trashNode(scratch, node.id)
    const decision =
      parent === undefined
        ? skip(node, leftOut ? 'its user is left out' : 'its folder is left out')
        : await decideNode(deciding, node, row)
    scratch.run(
      'insert into node_decisions values (?, ?, ?, ?, ?, ?, ?, ?)',
      node.seq,
      decision.action,
      Number(decision.inserts),
      decision.target,
      node.parent ?? null,
      decision.title,
      decision.reason,
      decision.seen,
    )
    if (node.inTrash) scratch.run('insert into in_trash values (?)', node.seq)
  }
}

/** The folder's id in the instance; undefined where the folder is left out. */
function parentOf(
  scratch: Scratch,
  row: ScratchRow,
): { readonly target: string | null; readonly inTrash: boolean } | undefined {
  if (row.parent_seq === null) return { target: null, inTrash: false }
  const parent = scratch.first(
    `select d.action, d.target_id, l.id as live, l.trashed as gone, t.seq as planned_gone
     from node_decisions d left join live_nodes l on l.id = d.target_id left join in_trash t on t.seq = d.seq where d.seq = ?`,
    row.parent_seq!,
  )!
  const leftOut = (parent.action === 'skip' || parent.action === 'conflict') && parent.live === null
  if (leftOut) return undefined
  // A folder that was brought back from the trash since is no trash, nor is what goes into it.
  const inTrash = parent.live === null ? parent.planned_gone !== null : parent.gone === 1
  return { target: String(parent.target_id), inTrash }
}

interface NodeDecision {
  readonly action: RestoreAction
  /** Whether the node is made; a folder that is overwritten is moved or renamed instead. */
  readonly inserts: boolean
  readonly target: string
  readonly title: string
  readonly reason: string
  readonly seen: string
}

const newAccounts: ReadonlySet<string> = new Set(['adopt', 'create', 'copy'])
const inserting: ReadonlySet<RestoreAction> = new Set(['create', 'overwrite', 'copy'])

const skip = (node: Planned, reason: string): NodeDecision => ({
  action: 'skip',
  inserts: false,
  target: node.id,
  title: node.title,
  reason,
  seen: '',
})

async function decideNode(deciding: Deciding, node: Planned, row: ScratchRow): Promise<NodeDecision> {
  const { scratch } = deciding
  const decide = (action: RestoreAction, target: string, reason = '', title = node.title, seen = ''): NodeDecision => ({
    action,
    inserts: inserting.has(action),
    target,
    title,
    reason,
    seen,
  })
  const id = ownId(scratch, node)
  // The account is made anew, and its home and inbox with it.
  if (newAccounts.has(String(row.user_action))) return createAs(node, id)
  const live = scratch.first('select * from live_nodes where id = ?', id)
  if (node.inTrash)
    return live === undefined ? decide('create', id) : decide('unchanged', id, '', node.title, String(live.seen))
  const atPlace = findAt(scratch, node)
  const isRoot = node.parent === null && node.isFolder && (node.title === homeTitle || node.title === inboxTitle)
  if (isRoot) return atPlace === undefined ? decide('create', id) : decide('unchanged', String(atPlace.id))
  if (node.passage && atPlace?.type === 'folder')
    return decide('unchanged', String(atPlace.id), '', node.title, String(atPlace.id))
  const isSameFolder = node.isFolder && atPlace?.type === 'folder' && !isPlannedItself(scratch, node, atPlace)
  if (live !== undefined && !(isSameFolder && live.trashed === 1))
    return decideKnown(deciding, { ...node, id }, live, atPlace)
  if (atPlace === undefined) return createAs(node, id)
  if (isSameFolder) return decide('unchanged', String(atPlace.id), '', node.title, String(atPlace.seen))
  const reason = 'something else of this title is in its place'
  const seen = await seenOf(deciding.db, atPlace)
  const action = resolve(deciding.choice)
  const makesCopy = action === 'copy' || (action === 'overwrite' && !makeRoom(scratch, node.u, atPlace))
  return makesCopy ? copyOf(deciding, node, reason, seen) : decide(action, id, reason, node.title, seen)
}

/** A node that is new in its place; where it lives in another one too, it is a copy. */
const createAs = (node: Planned, id: string): NodeDecision => {
  const isCopy = node.elsewhere !== null && id !== node.id
  const reason = isCopy ? 'it still lives in another place' : ''
  return { action: isCopy ? 'copy' : 'create', inserts: true, target: id, title: node.title, reason, seen: '' }
}

/** Whether a folder of the instance is another one of the archive, which knows it by its id. */
const isPlannedItself = (scratch: Scratch, node: Planned, live: ScratchRow): boolean =>
  scratch.first('select 1 as n from node_decisions where target_id = ?', live.id!) !== undefined ||
  scratch.first('select 1 as n from plan_nodes where id = ? and u = ? and seq <> ?', live.id!, node.u, node.seq) !==
    undefined

/** What a plan that would do something to a node has looked at. */
async function seenOf(db: Db, live: ScratchRow): Promise<string> {
  const row = live.type === 'document' ? await findNode(db, String(live.id)) : undefined
  return row === undefined ? String(live.seen) : `${String(live.seen)} ${await liveDigest(db, row)}`
}

/** Decides of a node whose id the instance has. */
async function decideKnown(
  deciding: Deciding,
  node: Planned,
  live: ScratchRow,
  atPlace: ScratchRow | undefined,
): Promise<NodeDecision> {
  const { scratch, db, choice } = deciding
  const hasLeft = hasGivenWay(scratch, node.id)
  const decide = (action: RestoreAction, target: string, reason = '', title = node.title): NodeDecision => ({
    action,
    inserts: inserting.has(action) && !(node.isFolder && action === 'overwrite'),
    target,
    title,
    reason,
    seen,
  })
  let seen = String(live.seen)
  const isOtherKind = (live.type === 'folder') !== node.isFolder
  if ((live.trashed === 1 && !hasLeft) || isOtherKind) {
    const reason = isOtherKind ? `its id is that of a ${String(live.type)}` : 'it is in the trash'
    const action = resolve(choice)
    // What is in the trash stays there, so that even overwriting makes a copy.
    return action === 'overwrite' || action === 'copy'
      ? copyOf(deciding, node, reason, seen)
      : decide(action, '', reason)
  }
  const row = await findNode(db, node.id)
  const digest = row === undefined ? '' : await liveDigest(db, row)
  seen = `${seen} ${digest}`
  const sameContent =
    digest === plannedDigest(scratch, node.seq, 'match_id') ||
    (deciding.versions === 'last' && digest === plannedDigest(scratch, node.seq, 'match_id', 'last'))
  const samePlace = live.parent_id === node.parent && live.title === node.title
  if (samePlace && sameContent) return decide('unchanged', node.id)
  const reason = sameContent ? 'it was moved or renamed since' : 'it was changed since'
  if (node.isFolder) {
    const action = resolve(choice, 'skip')
    if (action === 'overwrite') {
      const isBelowItself = node.parent !== null && node.parent !== undefined && isBelow(scratch, node.parent, node.id)
      const isBlocked = atPlace !== undefined && atPlace.id !== node.id && !makeRoom(scratch, node.u, atPlace)
      if (isBelowItself || isBlocked) {
        if (!isGivingWay(scratch, node.id)) return decide('skip', node.id, reason)
        trashNode(scratch, node.id)
        return copyOf(deciding, node, reason, seen)
      }
      noteChange(scratch, 'set-folder', node.id, String(node.seq))
      scratch.run(
        'update live_nodes set parent_id = ?, title = ? where id = ?',
        node.parent ?? null,
        node.title,
        node.id,
      )
    }
    return decide(action, node.id, reason)
  }
  const action = resolve(choice)
  if (action === 'copy') return copyOf(deciding, node, reason, seen)
  if (action === 'overwrite') {
    if (atPlace !== undefined && atPlace.id !== node.id && !makeRoom(scratch, node.u, atPlace)) {
      return copyOf(deciding, node, reason, seen)
    }
    if (!hasLeft) trashCopy(scratch, node.id)
  }
  return decide(action, node.id, reason)
}

/** A copy beside what is there, with ids of its own: the same each time, so that a second restore finds the first one's. */
async function copyOf(deciding: Deciding, node: Planned, reason: string, seen: string): Promise<NodeDecision> {
  const { db, scratch } = deciding
  for (let number = 1; ; number += 1) {
    const target = derivedId(node.isFolder ? 'folder' : 'document', node.userId, node.id, 'restored', number)
    const earlier = scratch.first('select * from live_nodes where id = ?', target)
    if (earlier === undefined) {
      const taken = (name: string): boolean => isTaken(scratch, node, name)
      const title = taken(node.title) ? restoredName(node.title, taken) : node.title
      return { action: 'copy', inserts: true, target, title, reason, seen }
    }
    if (earlier.trashed === 1) continue
    const row = node.isFolder ? undefined : await findNode(db, target)
    const same =
      node.isFolder ||
      (row !== undefined &&
        (await liveDigest(db, row)) === plannedDigest(scratch, node.seq, 'target_id', deciding.versions))
    if (same) return { action: 'unchanged', inserts: false, target, title: String(earlier.title), reason, seen }
  }
}

const findAt = (scratch: Scratch, node: Planned, title = node.title): ScratchRow | undefined =>
  scratch.first(
    "select * from live_nodes where user_id = ? and coalesce(parent_id, '') = ? and title = ? and trashed = 0",
    node.userId,
    node.parent ?? '',
    title,
  )

/** Whether a title is in use beside the node, now or when the plan is carried out. */
const isTaken = (scratch: Scratch, node: Planned, title: string): boolean =>
  findAt(scratch, node, title) !== undefined ||
  scratch.first(
    `select 1 as n from node_decisions d join plan_nodes n on n.seq = d.seq
     where coalesce(d.target_parent, '') = ? and d.target_title = ? and d.action <> 'skip' and n.u = ?`,
    node.parent ?? '',
    title,
    node.u,
  ) !== undefined ||
  scratch.first(
    `select 1 as n from plan_nodes
     where u = ? and title = ? and seq <> ? and parent_seq is (select parent_seq from plan_nodes where seq = ?)`,
    node.u,
    title,
    node.seq,
    node.seq,
  ) !== undefined

/** Whether a folder of the instance lies within another, as far as was decided. */
const isBelow = (scratch: Scratch, id: string, ancestor: string): boolean =>
  scratch.first(
    `with recursive line (id) as (
       values (?) union select n.parent_id from live_nodes n join line l on n.id = l.id where n.parent_id is not null)
     select 1 as n from line where id = ?`,
    id,
    ancestor,
  ) !== undefined

/**
 * The id that a planned node gets: its own, unless that is in use: by another user of the instance, or, where the node is
 * wanted elsewhere, or only leads there, in another place. The same each time.
 */
function ownId(scratch: Scratch, node: Planned): string {
  const live = scratch.first('select * from live_nodes where id = ?', node.id)
  if (live === undefined) return node.id
  const kind = node.isFolder ? 'folder' : 'document'
  const place = node.elsewhere === null ? [] : [node.elsewhere]
  if (live.user_id !== node.userId) return derivedId(kind, node.userId, node.id, ...place)
  if (node.elsewhere === null && !node.passage) return node.id
  const isThere = live.parent_id === (node.parent ?? null) && live.title === node.title && live.trashed === 0
  return isThere ? node.id : derivedId(kind, node.userId, node.id, 'elsewhere', ...place)
}
