import type { PlannedItem, RestoreAction } from '../../contract/restore-plan.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { pathOf } from '../contents/walk.ts'

const mostItems = 1000

/** What is worth telling: neither new nor there already; conflicts first. The first 1,000. */
export function listItems(scratch: Scratch): PlannedItem[] {
  const told = "action not in ('create', 'unchanged')"
  const accounts = scratch.all(
    `select * from (
       select 'user' as kind, username, username as name, action, reason from user_decisions where ${told}
       union all
       select 'tag', u.username, t.name, t.action, t.reason from tag_decisions t join user_decisions u on u.u = t.u where t.${told})
     order by action = 'conflict' desc limit ?`,
    mostItems,
  )
  const nodes = scratch.all(
    `select n.type as kind, u.username, n.title, n.parent_seq, d.action, d.reason from node_decisions d join plan_nodes n on n.seq = d.seq
     join user_decisions u on u.u = n.u where d.${told} order by d.action = 'conflict' desc, n.depth, n.seq limit ?`,
    mostItems,
  )
  const named: ScratchRow[] = nodes.map((row) => ({ ...row, name: pathOf(scratch, row).join('/') }))
  const all = [...accounts, ...named]
  const conflictsFirst = [true, false].flatMap((first) => all.filter((row) => (row.action === 'conflict') === first))
  return conflictsFirst.slice(0, mostItems).map(toItem)
}

const toItem = (row: ScratchRow): PlannedItem => ({
  kind: row.kind as PlannedItem['kind'],
  username: String(row.username),
  name: String(row.name),
  action: row.action as RestoreAction,
  reason: String(row.reason),
})

/** Keeps the tree of the plan for `allItems`, which may be asked for when the plan is no longer whole. */
export function keepTree(scratch: Scratch): void {
  scratch.exec(`
    create table planned_tree as select seq, u, parent_seq, type, title from plan_nodes;
    create index planned_tree_parent on planned_tree (u, parent_seq, title)`)
}

/**
 * Everything that was planned, what is new or there already too: user by user, the tags, then folders and documents as a
 * walk through the tree meets them. One by one, in memory that does not grow with their number.
 */
export function* allItems(scratch: Scratch): Generator<PlannedItem> {
  for (const user of scratch.rows('select * from user_decisions order by username')) {
    const username = String(user.username)
    yield toItem({ ...user, kind: 'user', name: username })
    const tags = scratch.rows(
      "select 'tag' as kind, name, action, reason from tag_decisions where u = ? order by name",
      user.u!,
    )
    for (const tag of tags) yield toItem({ ...tag, username })
    yield* nodesBelow(scratch, Number(user.u), username)
  }
}

function* nodesBelow(scratch: Scratch, u: number, username: string): Generator<PlannedItem> {
  const children = (parent: number | null): IterableIterator<ScratchRow> =>
    scratch.rows(
      `select n.seq, n.type as kind, n.title, d.action, d.reason from planned_tree n join node_decisions d on d.seq = n.seq
       where n.u = ? and n.parent_seq is ? order by n.title`,
      u,
      parent,
    )
  const line: { readonly title: string; readonly rest: IterableIterator<ScratchRow> }[] = []
  for (let rest = children(null); ;) {
    const { value, done } = rest.next()
    if (done !== true) {
      const title = String(value.title)
      yield toItem({ ...value, username, name: [...line.map((folder) => folder.title), title].join('/') })
      if (value.kind !== 'folder') continue
      line.push({ title, rest })
      rest = children(Number(value.seq))
      continue
    }
    const above = line.pop()
    if (above === undefined) return
    rest = above.rest
  }
}
