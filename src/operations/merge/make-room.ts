import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { noteChange } from './decisions.ts'

/**
 * Folders that will leave their places when they are decided, which others have been given, and documents that have left
 * theirs: each goes to the trash under other ids, and the archived one is made under its own.
 */
export const roomTables = `
  create table giving_way (id text primary key) without rowid;
  create table gave_way (id text primary key) without rowid;`

/**
 * Plans that a node of the instance leaves its place to an archived one of the user `u`. What the archive knows elsewhere,
 * and is still to be decided, goes there: so that two that swapped places get them back. The rest goes to the trash. False
 * for a node that the archive needs where it is.
 */
export function makeRoom(scratch: Scratch, u: number, live: ScratchRow): boolean {
  const id = String(live.id)
  if (scratch.first('select 1 as n from node_decisions where target_id = ?', id) !== undefined) return false
  const goesElsewhere = scratch.first(
    `select 1 as n from plan_nodes n where n.id = ? and n.u = ? and n.type = ? and n.in_trash = 0
       and not exists (select 1 from node_decisions d where d.seq = n.seq)`,
    id,
    u,
    live.type!,
  )
  if (goesElsewhere === undefined) {
    trashNode(scratch, id)
  } else if (live.type === 'folder') {
    scratch.run('insert or ignore into giving_way values (?)', id)
  } else {
    trashCopy(scratch, id)
    scratch.run('insert into gave_way values (?)', id)
  }
  return true
}

/** Whether the place of a folder has been given to another node. */
export const isGivingWay = (scratch: Scratch, id: string): boolean =>
  scratch.first('select 1 as n from giving_way where id = ?', id) !== undefined

/** Whether a document has left its place and its ids already. */
export const hasGivenWay = (scratch: Scratch, id: string): boolean =>
  scratch.first('select 1 as n from gave_way where id = ?', id) !== undefined

/** Plans to move a node, with all below it, to the trash. */
export function trashNode(scratch: Scratch, id: string): void {
  noteChange(scratch, 'trash-node', id)
  markTrashed(scratch, id)
}

/** Plans to move a document to the trash, and to free its ids. */
export function trashCopy(scratch: Scratch, id: string): void {
  noteChange(scratch, 'trash-copy', id)
  markTrashed(scratch, id)
}

/** From here on, nothing is decided by what will be in the trash. */
function markTrashed(scratch: Scratch, id: string): void {
  scratch.run(
    `update live_nodes set trashed = 1 where id in (
       with recursive gone (id) as (
         values (?) union all select n.id from live_nodes n join gone g on n.parent_id = g.id)
       select id from gone)`,
    id,
  )
}
