import type { NoticeCollector } from '../../contract/notices.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { timestampOf } from '../../std/clock.ts'
import { placeOf, usernameOf } from '../compare/places.ts'

type Fields = Readonly<Record<string, string | number | null>>

/** Clocks of two machines, and the moment that a backup takes to begin, may be so far apart. In milliseconds. */
const tolerance = 60_000

/**
 * Tells work since the backup from what no work explains, in the tables of a comparison of an archive (left) with the living
 * instance (right): a file of the instance that is not what its row says; a version, page or sidecar that is another one,
 * though none is ever changed; a user, folder or document that differs though it was last changed before the backup; and what
 * is older than the backup and not in it. `created` is when the archive was made, undefined where it does not say.
 */
export function examine(scratch: Scratch, created: string | undefined, findings: NoticeCollector): void {
  findDamage(scratch, findings)
  findRewritten(scratch, findings)
  if (created === undefined) return
  const before = timestampOf(new Date(Date.parse(created) - tolerance))
  findUnexplained(scratch, before, findings)
  findOlder(scratch, before, findings)
}

const about = (scratch: Scratch, key: unknown): string => {
  const { username, name } = placeOf(scratch, 'right', String(key))
  return `${username}: ${name}`
}

function findDamage(scratch: Scratch, findings: NoticeCollector): void {
  const damaged = scratch.rows(
    `select key, json_extract(change, '$.version') as version, json_extract(change, '$.sidecar') as sidecar from changes
     where change is not null and json_extract(change, '$.what') = 'bytes' and json_extract(change, '$.damaged') = 'right'`,
  )
  for (const { key, version, sidecar } of damaged) {
    const what = sidecar === null ? 'The file' : `The file ${String(sidecar)}`
    findings.add(
      'drill.instance_damaged',
      about(scratch, key),
      `${what} of version ${String(version)} in the instance is damaged or missing. The archive has it whole: bring it back from there.`,
    )
  }
}

function* pairs(scratch: Scratch, kind: string): Generator<{ row: ScratchRow; left: Fields; right: Fields }> {
  const rows = scratch.rows(
    `select r.key, r.document, r.version, r.page, r.name, l.fields as left_fields, r.fields as right_fields,
       l.up is not r.up or l.up_kind is not r.up_kind or l.owner is not r.owner as moved
     from things l join things r on r.side = 1 and r.kind = l.kind and r.key = l.id
     where l.side = 0 and l.kind = ? and (l.fields <> r.fields or l.up is not r.up or l.up_kind is not r.up_kind or l.owner is not r.owner)`,
    kind,
  )
  for (const row of rows) {
    yield {
      row,
      left: JSON.parse(String(row.left_fields)) as Fields,
      right: JSON.parse(String(row.right_fields)) as Fields,
    }
  }
}

/** What differs; `but` is left out, and so is what one side leaves open. */
const differing = (left: Fields, right: Fields, but: readonly string[]): string[] =>
  Object.keys(left).filter((column) => !but.includes(column) && column in right && left[column] !== right[column])

function findRewritten(scratch: Scratch, findings: NoticeCollector): void {
  for (const kind of ['version', 'page', 'sidecar'] as const) {
    for (const { row, left, right } of pairs(scratch, kind)) {
      const columns = differing(left, right, ['bytes'])
      if (columns.length === 0 && row.moved === 0) continue
      const page = row.page === null ? '' : `page ${String(row.page)} of `
      findings.add(
        'drill.rewritten',
        about(scratch, row.document),
        `${page}version ${String(row.version)} is another one in the archive than in the instance (${columns.join(', ')}), though a version never changes: one of the two was altered.`,
      )
    }
  }
}

const unexplained = (columns: readonly string[]): string =>
  `It differs (${columns.join(', ')}), though the instance last changed it before the backup: one of the two was altered, or it was restored since.`

function findUnexplained(scratch: Scratch, before: string, findings: NoticeCollector): void {
  for (const { row, left, right } of pairs(scratch, 'node')) {
    if (String(right.updated_at ?? '') > before) continue
    const columns = differing(left, right, [])
    if (row.moved === 1) columns.push('place')
    // What is moved to the trash and back to its place keeps its date.
    if (left.deleted_at !== right.deleted_at && (right.deleted_at === null || String(right.deleted_at) > before))
      continue
    if (columns.length > 0) findings.add('drill.unexplained', about(scratch, row.key), unexplained(columns))
  }
  for (const { row, left, right } of pairs(scratch, 'user')) {
    if (String(right.updated_at ?? '') > before) continue
    const columns = differing(left, right, ['last_login'])
    if (columns.length > 0)
      findings.add('drill.unexplained', usernameOf(scratch, 'right', String(row.key)), unexplained(columns))
  }
}

function findOlder(scratch: Scratch, before: string, findings: NoticeCollector): void {
  const rows = scratch.rows(
    `select r.kind, r.key, r.document, r.version, json_extract(r.fields, '$.created_at') as created_at,
       json_extract(r.fields, '$.updated_at') as updated_at
     from things r where r.side = 1 and r.kind in ('user', 'node', 'version')
       and not exists (select 1 from things l where l.side = 0 and l.kind = r.kind and l.id = r.key)
       and (r.kind <> 'version' or exists (select 1 from things d where d.side = 0 and d.kind = 'node' and d.id = r.document))`,
  )
  for (const { kind, key, document, version, created_at, updated_at } of rows) {
    if (created_at === null || String(created_at) > before || String(updated_at ?? '') > before) continue
    const [whose, what] =
      kind === 'user'
        ? [usernameOf(scratch, 'right', String(key)), 'The user']
        : kind === 'node'
          ? [about(scratch, key), 'It']
          : [about(scratch, document), `Version ${String(version)}`]
    findings.add(
      'drill.not_in_archive',
      whose,
      `${what} is older than the backup and not in it: something was taken out of the archive, or it was restored since.`,
    )
  }
}
