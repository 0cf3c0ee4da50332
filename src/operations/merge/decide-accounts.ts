import type { ConflictChoice, RestoreAction } from '../../contract/restore-plan.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import { derivedId } from '../staging/identity.ts'
import { noteChange, resolve, restoredName } from './decisions.ts'
import { hashOf, lookOf, userFields } from './live.ts'
import { trashNode } from './make-room.ts'

/** Decides what becomes of the planned users: by their ids, and where the instance does not have those, by their names. */
export function decideUsers(scratch: Scratch, choice: ConflictChoice): void {
  for (const planned of scratch.rows('select * from plan_users order by u')) {
    const { action, target, username, reason, seen } = decideUser(scratch, planned, choice)
    scratch.run(
      'insert into user_decisions values (?, ?, ?, ?, ?, ?)',
      planned.u!,
      action,
      target,
      username,
      reason,
      seen,
    )
  }
}

interface UserDecision {
  readonly action: RestoreAction
  readonly target: string
  readonly username: string
  readonly reason: string
  readonly seen: string
}

function decideUser(scratch: Scratch, planned: ScratchRow, choice: ConflictChoice): UserDecision {
  const id = String(planned.id)
  const username = String(planned.username)
  const byId = scratch.first('select * from live_users where id = ?', id)
  const byName = scratch.first('select * from live_users where username = ?', username)
  const seen = hashOf([byId ?? null, byName ?? null])
  const decided = (action: RestoreAction, target: string, reason = '', name = username): UserDecision => ({
    action,
    target,
    username: name,
    reason,
    seen,
  })
  const owner = scratch.first('select username from part_owners where u = ?', planned.u!)
  if (owner !== undefined) {
    const live = owner.username === null ? (byId ?? byName) : findLive(scratch, String(owner.username))
    if (live !== undefined)
      return { action: 'unchanged', target: String(live.id), username: String(live.username), reason: '', seen }
  }
  const nameIsAnothers = byName !== undefined && byName.id !== id
  if (byId === undefined && byName === undefined) return decided('create', id)
  if (byId === undefined || nameIsAnothers) {
    const other = byName!
    if (byId === undefined && other.owns === 0) return decided('adopt', id)
    const reason = 'another user of this name has things of his own'
    const action = resolve(choice)
    // An earlier restore with this choice made them so.
    if (action === 'overwrite' && byId === undefined && sameFields(planned, other))
      return decided('unchanged', String(other.id), reason)
    if (action === 'copy' && byId !== undefined && sameFields({ ...planned, username: byId.username! }, byId))
      return decided('unchanged', id, reason)
    if (action === 'overwrite')
      return decided(action, overwriteUser(scratch, planned, byId ?? other, byId !== undefined), reason)
    if (action !== 'copy' || byId !== undefined)
      return decided(action === 'copy' ? 'skip' : action, byId === undefined ? id : String(byId.id), reason)
    return decided(
      action,
      id,
      reason,
      restoredName(username, (name) => isUsername(scratch, name)),
    )
  }
  if (byId.owns === 0 && byId.username === username)
    return decided(sameFields(planned, byId) ? 'unchanged' : 'adopt', id)
  if (sameFields(planned, byId)) return decided('unchanged', id)
  const action = resolve(choice, 'skip')
  if (action === 'overwrite') noteChange(scratch, 'set-user', id, String(planned.u))
  return decided(action, id, 'the account was changed since')
}

/** Throws `user.not_found`. */
function findLive(scratch: Scratch, username: string): ScratchRow {
  const live = scratch.first('select * from live_users where username = ?', username)
  if (live === undefined) throw new StrongroomError('user.not_found', { username })
  return live
}

/** What the archive says of an account goes to the one that is there; what another user of that name had goes to the trash. */
function overwriteUser(scratch: Scratch, planned: ScratchRow, live: ScratchRow, isHimself: boolean): string {
  noteChange(scratch, 'set-user', String(live.id), String(planned.u))
  if (isHimself) return String(live.id)
  const nodes = scratch.all(
    `select n.id from live_nodes n left join live_nodes p on p.id = n.parent_id
     where n.user_id = ? and n.trashed = 0
       and (case when n.parent_id is null then not (n.type = 'folder' and n.title in ('.home', '.inbox'))
            else p.parent_id is null and p.type = 'folder' and p.title in ('.home', '.inbox') end)`,
    live.id!,
  )
  for (const { id } of nodes) trashNode(scratch, String(id))
  return String(live.id)
}

const isUsername = (scratch: Scratch, name: string): boolean =>
  scratch.first('select 1 as n from live_users where username = ?', name) !== undefined ||
  scratch.first('select 1 as n from plan_users where username = ?', name) !== undefined ||
  scratch.first('select 1 as n from user_decisions where username = ?', name) !== undefined

/** What the archive does not carry counts as the same. */
export function sameFields(planned: ScratchRow, live: ScratchRow): boolean {
  const fields = JSON.parse(String(live.fields)) as Record<string, unknown>
  return userFields.every((key) => planned[key] === null || planned[key] === fields[key])
}

/** Decides what becomes of the planned tags: by their ids, and where the user does not have those, by their names. */
export function decideTags(scratch: Scratch, choice: ConflictChoice): void {
  const tags = scratch.rows(
    `select t.id, t.u, t.name, t.bg_color, t.fg_color, t.description, t.pinned, d.action as user_action, d.target_id as user_id
     from plan_tags t join user_decisions d on d.u = t.u order by t.u, t.name`,
  )
  for (const tag of tags) decideTag(scratch, tag, choice)
}

function decideTag(scratch: Scratch, tag: ScratchRow, choice: ConflictChoice): void {
  const [id, name, userId] = [String(tag.id), String(tag.name), String(tag.user_id)]
  const elsewhere = scratch.first('select * from live_tags where id = ?', id)
  // A tag that has the name of another planned one is that one, whatever its id.
  const byId = elsewhere?.user_id === userId && !isPlannedName(scratch, tag, elsewhere) ? elsewhere : undefined
  const byName = scratch.first('select * from live_tags where user_id = ? and name = ?', userId, name)
  const seen = hashOf([byId ?? null, byName ?? null])
  const live = byName ?? byId
  const decide = (action: RestoreAction, target: string, reason = '', given = name): void =>
    scratch.run(
      'insert into tag_decisions values (?, ?, ?, ?, ?, ?, ?, ?)',
      id,
      tag.u!,
      action,
      target,
      String(live?.id ?? target),
      given,
      reason,
      seen,
    )
  if (isLeftOut(scratch, Number(tag.u))) return decide('skip', id, 'its user is left out')
  if (live === undefined) return decide('create', elsewhere === undefined ? id : derivedId('tag', userId, id))
  if (live.name === name && live.look === lookOf(tag)) return decide('unchanged', String(live.id))
  // Who wants a document back does not ask what its tags look like.
  if (scratch.first('select 1 as n from part_owners where u = ?', tag.u!) !== undefined)
    return decide('unchanged', String(live.id))
  const reason = live.name === name ? 'the tag looks different now' : `the tag is called ${String(live.name)} now`
  const action = resolve(choice)
  if (action === 'overwrite') noteChange(scratch, 'set-tag', String(live.id), id)
  if (action !== 'copy') return decide(action, String(live.id), reason)
  for (let number = 1; ; number += 1) {
    const copy = derivedId('tag', userId, id, 'restored', number)
    const earlier = scratch.first('select * from live_tags where id = ?', copy)
    if (earlier === undefined) {
      const title = restoredName(name, (candidate) => isTagName(scratch, userId, Number(tag.u), candidate))
      return decide('copy', copy, reason, title)
    }
    if (earlier.look === lookOf(tag)) return decide('unchanged', copy, reason)
  }
}

const isPlannedName = (scratch: Scratch, tag: ScratchRow, live: ScratchRow): boolean =>
  live.name !== tag.name &&
  scratch.first('select 1 as n from plan_tags where u = ? and name = ?', tag.u!, live.name!) !== undefined

const isTagName = (scratch: Scratch, userId: string, u: number, name: string): boolean =>
  scratch.first('select 1 as n from live_tags where user_id = ? and name = ?', userId, name) !== undefined ||
  scratch.first('select 1 as n from plan_tags where u = ? and name = ?', u, name) !== undefined ||
  scratch.first('select 1 as n from tag_decisions where u = ? and name = ?', u, name) !== undefined

/** True for a user who is not restored at all, with everything of his. */
export const isLeftOut = (scratch: Scratch, u: number): boolean => {
  const decision = scratch.first(
    'select d.action, l.id from user_decisions d left join live_users l on l.id = d.target_id where d.u = ?',
    u,
  )
  return decision?.id === null && (decision.action === 'skip' || decision.action === 'conflict')
}
