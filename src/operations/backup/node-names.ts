import { numberedComponent, safeComponent, twinKey } from '../../archive/member-names.ts'
import { numberedTitle, safeTitle, safeTopTitle } from '../../archive/papermerge-forms.ts'
import type { Db } from '../../database/database.ts'
import { orderNodes, readOrderedNodes, type OrderedNode } from '../../database/queries/ordered-nodes.ts'
import type { Scratch } from '../../database/scratch.ts'
import { isRoot } from '../../domain/roots.ts'

/** A node with what it and the folders above it are called in an archive, outermost first. */
export interface NamedNode {
  readonly node: OrderedNode
  /** In backup.json, for Papermerge. */
  readonly titles: readonly string[]
  /** In the folders for people. */
  readonly links: readonly string[]
}

const nodesAtOnce = 500

/**
 * Orders the nodes of a snapshot and names each of them that is not in the trash. Names that need no change are given first, so that a changed one
 * never takes the name of another; twins get a number. The names lie in `scratch`, whatever their number.
 */
export async function nameNodes(db: Db, scratch: Scratch): Promise<void> {
  await orderNodes(db, { trash: true })
  scratch.exec(`
    create table node_names (ordinal integer primary key, parent text not null, owner text not null, is_top_folder integer not null,
      title text, link text, link_key text);
    create index node_names_owner on node_names (owner, title);
    create index node_names_title on node_names (parent, title);
    create index node_names_link on node_names (parent, link_key);
    create table to_name (ordinal integer primary key, wanted text not null);
    begin`)
  for await (const node of orderedNodes(db)) {
    if (node.trashed === 1) continue
    const top = node.parent_ordinal === null
    const wanted = top ? safeTopTitle(node.title) : safeTitle(node.title)
    const parent = top ? node.user_id : String(node.parent_ordinal)
    const kept = wanted === node.title
    const isTopFolder = top && node.type === 'folder' && !isRoot(node)
    scratch.run(
      'insert into node_names (ordinal, parent, owner, is_top_folder, title) values (?, ?, ?, ?, ?)',
      node.ordinal,
      parent,
      node.user_id,
      Number(isTopFolder),
      kept ? wanted : null,
    )
    if (!kept) scratch.run('insert into to_name values (?, ?)', node.ordinal, wanted)
  }
  giveTitles(scratch)
  partTopFolders(scratch)
  giveLinks(scratch)
  scratch.exec('commit')
}

function giveTitles(scratch: Scratch): void {
  giveEach(scratch, {
    form: (name) => name,
    numbered: numberedTitle,
    isTaken: 'select 1 as n from node_names where parent = ? and title = ?',
    give: (ordinal, title) => scratch.run('update node_names set title = ? where ordinal = ?', title, ordinal),
  })
}

/**
 * Papermerge looks for the first folder of a path among all nodes of its user. A folder beside the two roots therefore gets a
 * title that nothing else of that user has.
 */
function partTopFolders(scratch: Scratch): void {
  const others = 'select 1 as n from node_names where owner = ? and title = ? and ordinal <> ?'
  for (const { ordinal, owner, title } of scratch.all(
    'select ordinal, owner, title from node_names where is_top_folder = 1',
  )) {
    let name = String(title)
    for (let number = 2; scratch.first(others, owner!, name, ordinal!) !== undefined; number += 1) {
      name = numberedTitle(String(title), number)
    }
    if (name !== title) scratch.run('update node_names set title = ? where ordinal = ?', name, ordinal!)
  }
}

/** The names for people follow the titles; where they are the same they come first here too. */
function giveLinks(scratch: Scratch): void {
  const rule = {
    form: twinKey,
    numbered: numberedComponent,
    isTaken: 'select 1 as n from node_names where parent = ? and link_key = ?',
    give: (ordinal: number, link: string) =>
      scratch.run('update node_names set link = ?, link_key = ? where ordinal = ?', link, twinKey(link), ordinal),
  }
  for (const asTitled of [true, false]) {
    scratch.exec('delete from to_name')
    for (const { ordinal, title } of scratch.rows('select ordinal, title from node_names')) {
      const wanted = safeComponent(String(title))
      if ((wanted === title) === asTitled) scratch.run('insert into to_name values (?, ?)', Number(ordinal), wanted)
    }
    giveEach(scratch, rule)
  }
}

/** Gives each node in `to_name` the name that it wants, with a number where one beside it has that already. */
function giveEach(
  scratch: Scratch,
  rule: {
    readonly form: (name: string) => string
    readonly numbered: (name: string, number: number) => string
    readonly isTaken: string
    readonly give: (ordinal: number, name: string) => void
  },
): void {
  const rows = scratch.rows(
    'select t.ordinal, t.wanted, n.parent from to_name t cross join node_names n on n.ordinal = t.ordinal',
  )
  const last = { parent: '', wanted: '', number: 1 }
  for (const { ordinal, wanted, parent } of rows) {
    let name = String(wanted)
    // Where thousands of siblings want one name, each goes on where the one before it found its own.
    const again = last.parent === parent && last.wanted === wanted
    let number = again ? last.number : 1
    while (scratch.first(rule.isTaken, parent!, rule.form(name)) !== undefined) {
      number += 1
      name = rule.numbered(String(wanted), number)
    }
    rule.give(Number(ordinal), name)
    Object.assign(last, { parent, wanted, number })
  }
}

/** The nodes in order, with their names. */
export async function* namedNodes(db: Db, scratch: Scratch): AsyncGenerator<NamedNode> {
  const titles: string[] = []
  const links: string[] = []
  const names = scratch.rows('select title, link from node_names order by ordinal')
  for await (const node of orderedNodes(db)) {
    // Nobody but us reads what is in the trash, so there it is called as it is.
    const { title, link } =
      node.trashed === 1
        ? { title: node.title, link: node.title }
        : (names.next().value as { title: string; link: string })
    titles.length = links.length = node.depth
    titles.push(title)
    links.push(link)
    yield { node, titles: [...titles], links: [...links] }
  }
}

async function* orderedNodes(db: Db): AsyncGenerator<OrderedNode> {
  for (let after = 0; ;) {
    const nodes = await readOrderedNodes(db, after, nodesAtOnce)
    if (nodes.length === 0) return
    after = nodes.at(-1)!.ordinal
    yield* nodes
  }
}
