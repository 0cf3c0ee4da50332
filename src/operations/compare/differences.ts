import type { Change, CompareReport, Difference, DifferenceKind, Side } from '../../contract/compare-report.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { placeOf, usernameOf } from './places.ts'
import { sideNumber, type Kind } from './tables.ts'

/** How many differences a report lists, and how many changes of each. */
const mostListed = 1000
const mostChanges = 20

const ranks: Readonly<Partial<Record<Kind, number>>> = { group: 0, user: 1, tag: 2, node: 3 }

/** Puts the changes together, one difference for each group, user, tag, folder and document, in the order of a report. */
export function listDifferences(scratch: Scratch): Pick<CompareReport, 'total' | 'byKind' | 'listed'> {
  for (const { kind, key } of scratch.rows('select distinct kind, key from changes order by kind, key')) {
    const { difference, place } = differenceOf(scratch, kind as Kind, String(key))
    scratch.run(
      'insert into differences values (?, ?, ?, ?, ?)',
      difference.username,
      ranks[kind as Kind] ?? 0,
      place,
      difference.kind,
      JSON.stringify(difference),
    )
  }
  const counts = scratch.all('select kind, count(*) as n from differences group by kind order by kind')
  const rows = scratch.all('select difference from differences order by username, rank, place limit ?', mostListed)
  return {
    total: counts.reduce((sum, { n }) => sum + Number(n), 0),
    byKind: Object.fromEntries(counts.map(({ kind, n }) => [String(kind), Number(n)])),
    listed: rows.map(({ difference }) => JSON.parse(String(difference)) as Difference),
  }
}

interface Seen {
  readonly row: ScratchRow
  readonly username: string | null
  readonly name: string
  /** Sorts as the names do from the top down. */
  readonly place: Buffer
}

function differenceOf(
  scratch: Scratch,
  kind: Kind,
  key: string,
): { readonly difference: Difference; readonly place: Buffer } {
  const left = see(scratch, 'left', kind, key)
  const right = see(scratch, 'right', kind, key)
  const now = (right ?? left)!
  const list = 'from changes where kind = ? and key = ? and change is not null'
  const counted = scratch.first(`select count(*) as n, coalesce(min(is_date), 0) as only_dates ${list}`, kind, key)
  const isBoth = left !== undefined && right !== undefined
  const total = isBoth ? Number(counted?.n) : 0
  const changes = isBoth ? scratch.all(`select change ${list} order by rowid limit ${mostChanges}`, kind, key) : []
  const how = isBoth ? howChanged(left, right, counted?.only_dates === 1) : right === undefined ? 'removed' : 'added'
  const isElsewhere = ['moved', 'renamed', 'trashed', 'untrashed'].includes(how)
  return {
    place: now.place,
    difference: {
      kind: how,
      thing: kind === 'node' ? (now.row.type === 'folder' ? 'folder' : 'document') : (kind as 'group'),
      id: String(now.row.id),
      username: now.username,
      name: now.name,
      from: isElsewhere && left !== undefined ? fromOf(left, now) : null,
      inTrash: now.row.trashed === 1,
      changes: changes.map(({ change }) => JSON.parse(String(change)) as Change),
      changesNotListed: total - changes.length,
    },
  }
}

const fromOf = (left: Seen, now: Seen): string =>
  left.username === now.username || left.row.kind === 'user' ? left.name : `${left.username ?? ''}: ${left.name}`

function see(scratch: Scratch, side: Side, kind: Kind, key: string): Seen | undefined {
  const row = scratch.first(
    `select kind, id, name, owner, up_kind, up, trashed, json_extract(fields, '$.type') as type,
       json_extract(fields, '$.title') as title, json_extract(fields, '$.deleted_at') as deleted_at
     from things where side = ? and kind = ? and ${side === 'left' ? 'id' : 'key'} = ?`,
    sideNumber[side],
    kind,
    key,
  )
  if (row === undefined) return undefined
  if (kind === 'node') {
    const { username, name, titles } = placeOf(scratch, side, key)
    return { row, username, name, place: Buffer.from(titles.join('\0')) }
  }
  const name = String(row.name)
  const username = kind === 'group' ? null : kind === 'user' ? name : usernameOf(scratch, side, String(row.owner))
  return { row, username, name, place: Buffer.from(name) }
}

function howChanged({ row: left }: Seen, { row: right }: Seen, isOnlyDates: boolean): DifferenceKind {
  if (left.kind !== 'node') return left.name === right.name ? (isOnlyDates ? 'dates' : 'changed') : 'renamed'
  const [wasDeleted, isDeleted] = [left.deleted_at !== null, right.deleted_at !== null]
  if (wasDeleted !== isDeleted) return isDeleted ? 'trashed' : 'untrashed'
  if (left.up !== right.up || left.up_kind !== right.up_kind) return 'moved'
  if (left.title !== right.title) return 'renamed'
  return isOnlyDates ? 'dates' : 'changed'
}
