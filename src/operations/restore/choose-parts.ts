import type { ChosenParts } from '../../contract/restore-parts.ts'
import type { Scratch } from '../../database/scratch.ts'
import { formatPath, parsePath } from '../../domain/paths.ts'
import { homeTitle, isRootTitle } from '../../domain/roots.ts'
import { StrongroomError } from '../../errors.ts'
import { choose, type Choice } from '../contents/choose.ts'
import { restoredName } from '../merge/decisions.ts'
import { dropVersions } from '../staging/drop-rows.ts'
import { derivedId } from '../staging/identity.ts'
import { measureDepths } from '../staging/plan-nodes.ts'

export const choiceOf = ({ user, paths, documents }: ChosenParts): Choice => ({
  ...(user === null ? {} : { username: user }),
  paths,
  documents,
})

/**
 * Leaves in the plan what is wanted, with the folders that lead to it, and moves it to where it is wanted. Who wants less
 * than all that a user has, or wants it elsewhere, does not ask for the account: that is then made only where it is missing.
 * Throws `contents.…`, `part.…`, `node.bad_path`.
 */
export function chooseParts(scratch: Scratch, archive: string, parts: ChosenParts): void {
  const { paths, documents, asUser, into } = parts
  const found = choose({ name: archive, scratch }, choiceOf(parts))
  scratch.exec('create table chosen (seq integer primary key); begin')
  for (const { user: owner, node } of found) {
    if (node === undefined) scratch.run('insert into chosen select seq from plan_nodes where u = ?', owner.u!)
    else scratch.run('insert or ignore into chosen values (?)', node.row.seq!)
    if (node?.row.in_trash === 1 && into === null)
      throw new StrongroomError('part.in_trash', { archive, id: String(node.row.id) })
  }
  chooseBelow(scratch)
  const isNarrow = paths.length + documents.length > 0
  const isMoved = asUser !== null || into !== null
  if (isMoved && !isNarrow)
    scratch.exec('delete from chosen where seq in (select seq from plan_nodes where in_trash = 1)')
  const owners = [...new Map(found.map((each) => [Number(each.user.u), String(each.user.username)]))]
  if (isNarrow || isMoved) noteOwners(scratch, asUser, owners)
  const place = into === null ? [] : titlesOf(into)
  if (into === null) markPassages(scratch)
  else for (const [u] of owners) moveInto(scratch, u, place)
  if (isMoved)
    scratch.run('update plan_nodes set elsewhere = ? where seq in (select seq from chosen)', formatPath(place))
  // A user has both of his roots, whatever comes into them.
  scratch.exec(`
    update plan_nodes set passage = 1 where seq not in (select seq from chosen)
      and parent_seq is null and type = 'folder' and title in ('.home', '.inbox') and deleted_at is null;
    delete from plan_nodes where seq not in (select seq from chosen) and passage = 0`)
  dropStrangers(
    scratch,
    owners.map(([u]) => u),
    isNarrow || isMoved,
  )
  measureDepths(scratch)
  scratch.exec('commit')
}

/** Where the folder lies that things go into. Throws `node.bad_path`. */
function titlesOf(path: string): readonly string[] {
  const parsed = parsePath(path)
  if ('problem' in parsed) throw new StrongroomError('node.bad_path', { path, reason: parsed.problem })
  const [first] = parsed.titles
  return first !== undefined && isRootTitle(first) ? parsed.titles : [homeTitle, ...parsed.titles]
}

const chooseBelow = (scratch: Scratch): void =>
  scratch.exec(`
    insert or ignore into chosen
      with recursive below (seq) as (
        select seq from chosen union select n.seq from plan_nodes n join below b on n.parent_seq = b.seq)
      select seq from below`)

/** Folders that lead to what is wanted, and are not wanted themselves. */
const markPassages = (scratch: Scratch): void =>
  scratch.exec(`
    update plan_nodes set passage = 1 where seq not in (select seq from chosen) and seq in (
      with recursive above (seq) as (
        select n.parent_seq from plan_nodes n join chosen c on c.seq = n.seq where n.parent_seq is not null
        union select n.parent_seq from plan_nodes n join above a on a.seq = n.seq where n.parent_seq is not null)
      select seq from above)`)

function noteOwners(scratch: Scratch, asUser: string | null, owners: readonly (readonly [number, string])[]): void {
  if (asUser !== null && owners.length > 1) {
    throw new StrongroomError('part.several_users', { users: owners.map(([, username]) => username).join(', ') })
  }
  for (const [u] of owners) scratch.run('insert into part_owners values (?, ?)', u, asUser)
}

/** Puts what is wanted of a user into a folder, which becomes part of the plan. */
function moveInto(scratch: Scratch, u: number, titles: readonly string[]): void {
  const tops = scratch.all(
    `select seq, title, parent_seq is null and deleted_at is null and type = 'folder' and title in ('.home', '.inbox') as is_root
     from plan_nodes where u = ? and seq in (select seq from chosen)
       and (parent_seq is null or parent_seq not in (select seq from chosen)) order by seq`,
    u,
  )
  const target = makeFolder(scratch, u, titles)
  const held = new Map(
    tops.filter((top) => top.is_root === 1).map(({ seq }) => [seq, childrenOf(scratch, Number(seq))]),
  )
  // Both roots may hold something of the same title.
  const apart = [...held.values()].filter((children) => children.length > 0).length > 1
  for (const { seq, title } of tops) {
    const children = held.get(seq)
    if (children === undefined) {
      place(scratch, Number(seq), String(title), target)
      continue
    }
    const folder = apart ? makeFolder(scratch, u, [...titles, String(title).slice(1)]) : target
    for (const child of children) place(scratch, Number(child.seq), String(child.title), folder)
    scratch.run('delete from chosen where seq = ?', seq!)
  }
}

const childrenOf = (scratch: Scratch, seq: number) =>
  scratch.all('select seq, title from plan_nodes where parent_seq = ? and seq in (select seq from chosen)', seq)

function place(scratch: Scratch, seq: number, title: string, folder: number): void {
  const isTaken = (name: string): boolean =>
    scratch.first(
      'select 1 as n from plan_nodes where parent_seq = ? and title = ? and seq <> ? and (passage = 1 or seq in (select seq from chosen))',
      folder,
      name,
      seq,
    ) !== undefined
  const free = isTaken(title) ? restoredName(title, isTaken) : title
  scratch.run(
    'update plan_nodes set parent_seq = ?, title = ?, deleted_at = null, deleted_parent = null, deleted_from = null where seq = ?',
    folder,
    free,
    seq,
  )
}

/** The folder at a path, made with all that lead to it; what the archive has there counts only as far as it is wanted. */
function makeFolder(scratch: Scratch, u: number, titles: readonly string[]): number {
  const user = scratch.first('select id from plan_users where u = ?', u)!
  let seq: number | null = null
  for (const [level, title] of titles.entries()) {
    const known = scratch.first(
      `select seq from plan_nodes where u = ? and parent_seq is ? and title = ? and type = 'folder' and deleted_at is null
         and (passage = 1 or parent_seq is null)`,
      u,
      seq,
      title,
    )
    if (known === undefined) {
      const id = derivedId('folder', String(user.id), 'into', formatPath(titles.slice(0, level + 1)))
      scratch.run(
        "insert into plan_nodes (u, id, user_id, parent_seq, type, title) values (?, ?, ?, ?, 'folder', ?)",
        u,
        id,
        user.id!,
        seq,
        title,
      )
      seq = Number(scratch.first('select max(seq) as n from plan_nodes')?.n)
    } else {
      seq = Number(known.seq)
    }
    scratch.run('update plan_nodes set passage = 1 where seq = ?', seq)
  }
  return seq!
}

/** Takes out what belongs to nothing that is left. */
function dropStrangers(scratch: Scratch, owners: readonly number[], isPart: boolean): void {
  dropVersions(scratch, 'select id from plan_versions where document_id not in (select id from plan_nodes)')
  const others = `u not in (${owners.join(', ')})`
  scratch.exec(`
    delete from plan_node_tags where node_id not in (select id from plan_nodes where ${isPart ? 'passage = 0' : 'true'});
    delete from plan_nodes where ${others};
    delete from plan_tags where ${others} ${isPart ? 'or id not in (select tag_id from plan_node_tags)' : ''};
    delete from plan_users where ${others};
    delete from plan_memberships where ${isPart ? 'true' : 'user_id not in (select id from plan_users)'};
    delete from plan_groups where id not in (select group_id from plan_memberships)`)
}
