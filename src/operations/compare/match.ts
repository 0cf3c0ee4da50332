import type { Scratch } from '../../database/scratch.ts'
import type { Kind } from './tables.ts'

/** The key of a thing on the right; its id where it is not there. */
export const keyOf = (scratch: Scratch, kind: Kind, id: string): string =>
  String(scratch.first('select key from things where side = 1 and kind = ? and id = ?', kind, id)?.key ?? id)

/**
 * Finds out which thing on the right is which on the left, for those that the left does not have by their ids: by the place;
 * what has one name in the same folder (document, version …) is the same. Each is matched once at most. `haveOthers`: whether
 * anything was matched so before, of another kind; returns that for the next one.
 */
export function matchKind(scratch: Scratch, kind: Kind, haveOthers: boolean): boolean {
  let others = haveOthers
  scratch.run('delete from unmatched')
  scratch.run('insert into unmatched select id, depth from things where side = 1 and kind = ? and key is null', kind)
  if (scratch.first('select 1 as n from unmatched limit 1') !== undefined) {
    // As few need it, and often none, it is made where it is needed.
    scratch.exec(`create index things_place on things (up, name) where side = 0 and kind = '${kind}'`)
    others = matchPlaces(scratch, kind) || others
    scratch.exec('drop index things_place')
  }
  if (others) toKeys(scratch, kind)
  return others
}

function matchPlaces(scratch: Scratch, kind: Kind): boolean {
  let some = false
  // Owners first: what lies in a folder is found by what that folder is.
  for (const { id } of scratch.rows('select id from unmatched order by depth, id')) {
    const { up_kind, up, name } = scratch.first(
      'select up_kind, up, name from things where side = 1 and kind = ? and id = ?',
      kind,
      id!,
    )!
    const within = up === null ? null : keyOf(scratch, up_kind as Kind, String(up))
    const found = scratch.first(
      `select id from things l where side = 0 and kind = '${kind}' and up is ? and name = ? and up_kind is ?
         and not exists (select 1 from things r where r.side = 1 and r.kind = l.kind and r.key = l.id)
       order by id limit 1`,
      within,
      name!,
      up_kind!,
    )
    if (found !== undefined) some = true
    scratch.run(
      'update things set key = ?, other_id = ? where side = 1 and kind = ? and id = ?',
      found?.id ?? id!,
      Number(found !== undefined),
      kind,
      id!,
    )
  }
  return some
}

/** Turns what the things of the right refer to into keys, so that both sides speak of the same. */
function toKeys(scratch: Scratch, kind: Kind): void {
  for (const [column, of] of [
    ['up', 'things.up_kind'],
    ['owner', "'user'"],
    ['document', "'node'"],
    ['deleted_parent', "'node'"],
  ] as const) {
    scratch.run(
      `update things set ${column} = coalesce(
         (select t.key from things t where t.side = 1 and t.kind = ${of} and t.id = things.${column}), ${column})
       where side = 1 and kind = ? and ${column} is not null`,
      kind,
    )
  }
}
