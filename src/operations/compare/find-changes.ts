import type { Change, Side } from '../../contract/compare-report.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { kinds, type Kind } from './tables.ts'

type Value = string | number | null
type Fields = Readonly<Record<string, Value>>

/** Kinds that a difference is reported of; a change of another kind is one of the document that it belongs to. */
const reported: ReadonlySet<Kind> = new Set(['group', 'user', 'tag', 'node'])
const dates = new Set(['date_joined', 'last_login', 'created_at', 'updated_at'])
/** Hashes and secrets mean nothing to a reader. */
const neverShown = new Set(['password', 'text', 'bytes', 'sha256'])
const longestShown = 100

/**
 * Notes in `changes` what is not the same, by the group, user, tag, folder or document that it belongs to; a row without a
 * change names one that is on one side alone, or in another place. `ownIds`: whether both sides give all ids themselves, so
 * that another id is a difference.
 */
export function findChanges(scratch: Scratch, ownIds: boolean): void {
  for (const kind of kinds) {
    for (const row of scratch.rows(pairs, kind)) changesOfPair(scratch, kind, row, ownIds)
    for (const row of scratch.rows(onLeftAlone, kind)) noteAlone(scratch, kind, row, 'removed')
    for (const row of scratch.rows(onRightAlone, kind)) noteAlone(scratch, kind, row, 'added')
  }
}

const pairs = `
  select l.id as key, l.fields as left_fields, r.fields as right_fields, r.document, r.version, r.page, r.name, r.other_id, r.trashed,
    l.up is not r.up or l.up_kind is not r.up_kind as up_differs, l.owner is not r.owner as owner_differs,
    l.refs is not r.refs as refs_differ, l.deleted_parent is not r.deleted_parent as deleted_parent_differs,
    coalesce((select u.other_id from things u where r.other_id = 1 and u.side = 1 and u.kind = r.up_kind and u.key = r.up), 0) as up_other_id
  from things r join things l on l.side = 0 and l.kind = r.kind and l.id = r.key
  where r.side = 1 and r.kind = ? and (l.fields <> r.fields or l.refs is not r.refs or l.up is not r.up or l.up_kind is not r.up_kind
    or l.owner is not r.owner or l.deleted_parent is not r.deleted_parent or r.other_id = 1)`

// What holds the thing is on both sides, or is reported as a whole.
const onLeftAlone = `
  select l.id as key, l.document, l.version, l.page, l.name, l.up from things l
  where l.side = 0 and l.kind = ?
    and not exists (select 1 from things r where r.side = 1 and r.kind = l.kind and r.key = l.id)
    and (l.kind in ('group', 'user', 'tag', 'node')
    or exists (select 1 from things u where u.side = 1 and u.kind = l.up_kind and u.key = l.up))`
const onRightAlone = `
  select r.key, r.document, r.version, r.page, r.name, r.up from things r
  where r.side = 1 and r.kind = ? and not exists (select 1 from things l where l.side = 0 and l.kind = r.kind and l.id = r.key)
    and (r.kind in ('group', 'user', 'tag', 'node')
      or exists (select 1 from things u where u.side = 0 and u.kind = r.up_kind and u.id = r.up))`

type NewChange = Pick<Change, 'what'> & Partial<Change>

function note(scratch: Scratch, kind: Kind, row: ScratchRow, change: NewChange | null): void {
  const [of, key] = reported.has(kind) ? [kind, row.key!] : ['node', row.document!]
  const place = { version: row.version ?? null, page: row.page ?? null, sidecar: kind === 'sidecar' ? row.name! : null }
  const whole = { how: 'changed', left: null, right: null, damaged: null, ...place, ...change }
  const isDate = change !== null && dates.has(change.what)
  const text = change === null ? null : JSON.stringify(whole)
  scratch.run('insert into changes values (?, ?, ?, ?)', of, key, Number(isDate), text)
}

const noteAlone = (scratch: Scratch, kind: Kind, row: ScratchRow, how: Change['how']): void =>
  note(scratch, kind, row, reported.has(kind) ? null : { what: kind, how })

/** Fields that tell the place or name of a thing; they are reported as such. */
const placeFields: Readonly<Partial<Record<Kind, string>>> = {
  group: 'name',
  user: 'username',
  tag: 'name',
  node: 'title',
}

function changesOfPair(scratch: Scratch, kind: Kind, row: ScratchRow, ownIds: boolean): void {
  const left = JSON.parse(String(row.left_fields)) as Fields
  const right = JSON.parse(String(row.right_fields)) as Fields
  const trashed = kind === 'node' && (left.deleted_at === null) !== (right.deleted_at === null)
  const placeField = placeFields[kind]
  const renamed = placeField !== undefined && left[placeField] !== right[placeField]
  if (renamed || trashed || (kind === 'node' && row.up_differs === 1)) note(scratch, kind, row, null)
  if (row.other_id === 1 && row.up_other_id === 0 && ownIds && kind !== 'sidecar')
    note(scratch, kind, row, { what: 'id' })
  if (row.up_differs === 1 && kind !== 'node') note(scratch, kind, row, { what: upNames[kind] ?? 'place' })
  if (row.owner_differs === 1 && kind === 'node') note(scratch, kind, row, { what: 'owner' })
  if (row.refs_differ === 1) note(scratch, kind, row, { what: kind === 'user' ? 'groups' : 'tags' })
  if (row.deleted_parent_differs === 1 && !trashed) note(scratch, kind, row, { what: 'deleted_parent' })
  const hidden = new Set<string>(placeField === undefined ? [] : [placeField])
  if (trashed) for (const column of ['deleted_at', 'deleted_from']) hidden.add(column)
  // Other bytes have another hash, and most often another size.
  if ('bytes' in left && left.bytes !== right.bytes) for (const column of ['sha256', 'size']) hidden.add(column)
  for (const column of Object.keys(left)) {
    const values = { left: left[column] ?? null, right: right[column] ?? null }
    if (!(column in right) || values.left === values.right || hidden.has(column)) continue
    note(scratch, kind, row, {
      what: column,
      left: shown(column, values.left),
      right: shown(column, values.right),
      damaged: column === 'bytes' ? damagedSide(left, right) : null,
    })
  }
}

const upNames: Readonly<Partial<Record<Kind, string>>> = {
  tag: 'owner',
  version: 'document',
  page: 'version',
  sidecar: 'page',
}

const shown = (column: string, value: Value): Value =>
  neverShown.has(column) || (typeof value === 'string' && value.length > longestShown) ? null : value

/** Rows that say the same cannot both be right about files that differ. */
function damagedSide(left: Fields, right: Fields): Side | null {
  if (left.sha256 !== right.sha256) return null
  return left.bytes === left.sha256 ? 'right' : 'left'
}
