import type { NodeRecord, TagRecord } from '../../archive/records.ts'
import { defaultTagColors } from '../../domain/defaults.ts'
import { derivedId } from './identity.ts'
import { readText } from './kept-values.ts'
import type { Planning } from './planning.ts'

/** Tags, and what they are on. */
export function planTags(planning: Planning): void {
  const { scratch, dialect, invalid } = planning
  const tags = scratch.rows(
    'select t.u, t.record, u.username from raw_tags t join plan_users u on u.u = t.u order by t.u, t.t',
  )
  for (const { u, record, username } of tags) {
    const tag = JSON.parse(String(record)) as TagRecord
    if (findTag(planning, Number(u), tag.name) !== undefined)
      invalid(`${String(username)}: the tag ${tag.name} stands twice`)
    else planTag(planning, Number(u), String(username), tag)
  }
  if (dialect === 'strongroom') placeOwnTags(planning)
  else placeForeignTags(planning)
}

const findTag = ({ scratch }: Planning, u: number, name: string): string | undefined => {
  const row = scratch.first('select id from plan_tags where u = ? and name = ?', u, name)
  return row === undefined ? undefined : String(row.id)
}

function planTag(planning: Planning, u: number, username: string, tag: TagRecord): string {
  const { scratch, dialect, invalid } = planning
  const user = scratch.first('select id, owner from plan_users where u = ?', u)!
  const id = tag.id ?? derivedId('tag', String(user.owner), tag.name)
  if (tag.id === undefined && dialect === 'strongroom') invalid(`${username}: the tag ${tag.name} has no id`)
  if (scratch.first('select 1 as n from plan_tags where id = ?', id) !== undefined) {
    invalid(`two tags have the id ${id}`)
    return id
  }
  const about = `${username}: ${tag.name}`
  scratch.run(
    'insert into plan_tags values (?, ?, ?, ?, ?, ?, ?, ?)',
    id,
    u,
    user.id!,
    tag.name,
    readText(planning, about, 'background colour', tag.bg_color) ?? defaultTagColors.background,
    readText(planning, about, 'text colour', tag.fg_color) ?? defaultTagColors.foreground,
    readText(planning, about, 'description', tag.description),
    Number(tag.pinned ?? false),
  )
  return id
}

/** Our nodes refer to tags by their ids. */
function placeOwnTags({ scratch, invalid }: Planning): void {
  const nodes = scratch.rows(
    'select n.id, n.u, n.title, r.record from plan_nodes n join raw_nodes r on r.u = n.u and r.own = n.own and r.n = n.n order by n.seq',
  )
  for (const { id, u, title, record } of nodes) {
    for (const tag of (JSON.parse(String(record)) as NodeRecord).tags) {
      const known =
        typeof tag === 'string' &&
        scratch.first('select 1 as n from plan_tags where id = ? and u = ?', tag, u!) !== undefined
      if (known) scratch.run('insert or ignore into plan_node_tags values (?, ?)', id!, tag)
      else invalid(`${String(title)} has a tag that its user has not`)
    }
  }
}

/** Papermerge's nodes repeat their tags; only the names count, and a tag that its user's list lacks is made. */
function placeForeignTags(planning: Planning): void {
  const { scratch, warning } = planning
  const tags = scratch.rows(
    `select n.id, n.u, n.title, r.record, u.username from plan_nodes n join raw_node_tags r on r.u = n.u and r.own = n.own and r.n = n.n
     join plan_users u on u.u = n.u order by n.seq, r.t`,
  )
  for (const { id, u, title, record, username } of tags) {
    const tag = JSON.parse(String(record)) as TagRecord
    const known = findTag(planning, Number(u), tag.name)
    if (known === undefined) {
      warning(
        'tag.undeclared',
        `${String(username)}: ${String(title)}`,
        `Its tag ${tag.name} is not among the tags of its user; it was made.`,
      )
    }
    const tagId = known ?? planTag(planning, Number(u), String(username), tag)
    scratch.run('insert or ignore into plan_node_tags values (?, ?)', id!, tagId)
  }
}
