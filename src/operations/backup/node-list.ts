import type { DirectoryNode, DirectoryUser } from '../../archive/directory-format.ts'
import type { DirectoryContents } from '../../archive/directory-writer.ts'
import type { Scratch } from '../../database/scratch.ts'
import { versionsWithMember, type ArchivedNode } from './archived-versions.ts'

type Range = readonly [from: number, to: number]

/** Notes where in backup.json each node stands while it is written, for the directory of the archive. */
export interface NodeList {
  /** `head` is how far backup.json has come when its first user would follow. */
  begin(head: number): void
  beginUser(user: { readonly id: string; readonly username: string }, head: Range): void
  /** A node of the user, in the order of the walk. What is not shown stands at `at` behind the end of the user's `own`. */
  add(archived: ArchivedNode, record: { readonly at: number; readonly bytes: number }, sidecars: number): void
  endUser(own: Range): void
  end(): void
  contents(): Omit<DirectoryContents, 'damage'>
}

/** What it notes lies in `scratch`; a row for each node. */
export function createNodeList(scratch: Scratch): NodeList {
  scratch.exec(`create table listed_nodes (number integer primary key, id text not null, type text not null, title text not null,
    parent integer, past integer, own integer not null, at integer not null, bytes integer not null, originals integer not null,
    sidecars integer not null)`)
  const users: DirectoryUser[] = []
  let metadataHead = 0
  let user: { readonly id: string; readonly username: string; readonly head: Range } | undefined
  let first = 0
  let trash = 0
  let next = 0
  const open: { readonly number: number; readonly depth: number }[] = []

  /** What comes next lies in none of the folders at that depth or below it. */
  function endFolders(depth: number): void {
    while ((open.at(-1)?.depth ?? -1) >= depth)
      scratch.run('update listed_nodes set past = ? where number = ?', next, open.pop()!.number)
  }

  function* nodes(): Generator<DirectoryNode> {
    let [originals, sidecars] = [0, 0]
    for (const row of scratch.rows('select * from listed_nodes order by number')) {
      yield {
        id: String(row.id),
        type: row.type === 'folder' ? 'folder' : 'document',
        title: String(row.title),
        parent: row.parent === null ? null : Number(row.parent),
        end: Number(row.past),
        own: row.own === 1 ? 1 : 0,
        record: [Number(row.at), Number(row.bytes)],
        originals: [originals, Number(row.originals)],
        sidecars: [sidecars, Number(row.sidecars)],
      }
      originals += Number(row.originals)
      sidecars += Number(row.sidecars)
    }
  }

  function* documents(): Generator<{ readonly id: string; readonly number: number }> {
    for (const { id, number } of scratch.rows(
      "select id, number from listed_nodes where type = 'document' order by id",
    )) {
      yield { id: String(id), number: Number(number) }
    }
  }

  return {
    begin(head) {
      metadataHead = head
      scratch.exec('begin')
    },
    beginUser({ id, username }, head) {
      user = { id, username, head }
      first = next
      trash = next
    },
    add(archived, { at, bytes }, sidecars) {
      const { node, part } = archived
      const { depth, id, type, title, parent_ordinal: parent } = node
      endFolders(depth)
      if (type === 'folder') open.push({ number: next, depth })
      scratch.run(
        'insert into listed_nodes values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        next,
        id,
        type,
        title,
        // Ordinals of the walk count from 1.
        parent === null ? null : parent - 1,
        next + 1,
        Number(part !== 'shown'),
        at,
        bytes,
        versionsWithMember(archived).length,
        sidecars,
      )
      next += 1
      if (part !== 'trash') trash = next
    },
    endUser(own) {
      endFolders(0)
      const { head, ...whose } = user!
      scratch.run('update listed_nodes set at = at + ? where number >= ? and own = 1', own[1], first)
      users.push({ ...whose, nodes: [first, trash, next], head: [...head], own: [...own] })
    },
    end: () => scratch.exec('commit'),
    contents() {
      const sums = scratch.first(
        'select coalesce(sum(originals), 0) as originals, coalesce(sum(sidecars), 0) as sidecars from listed_nodes',
      )
      return {
        metadataHead,
        users,
        nodes: nodes(),
        documents: documents(),
        originals: Number(sums?.originals),
        sidecars: Number(sums?.sidecars),
      }
    },
  }
}
