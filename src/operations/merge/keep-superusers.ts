import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { sameFields } from './decide-accounts.ts'

type Warn = (code: string, about: string, message: string) => void

/**
 * Decides who stays an active superuser though the archive says otherwise: where the restore would leave an instance that
 * had any without one, all that it had. Their planned numbers lie in `kept_superusers`; who differs in nothing else is
 * unchanged. An instance that is replaced becomes what the archive is all the same, and that is told.
 */
export function keepSuperusers(scratch: Scratch, replace: boolean, warn: Warn): void {
  scratch.exec('create table kept_superusers (u integer primary key)')
  const live = new Map(superusersOf(scratch, replace ? 'replaced_live_users' : 'live_users'))
  if (live.size === 0) return
  const planned = scratch.all(
    `select p.*, d.action, l.id as live_id, l.fields from plan_users p join user_decisions d on d.u = p.u
     left join live_users l on (d.action in ('overwrite', 'conflict') and l.id = d.target_id)
       or (d.action = 'adopt' and l.username = p.username)
     where d.action in ('create', 'copy', 'adopt', 'overwrite', 'conflict')`,
  )
  if (planned.some(becomesOne)) return
  if (replace) {
    const message =
      'The archive has no active superuser, so the instance has none either: "strongroom user add NAME --superuser" makes one.'
    return warn('user.no_superuser', '', message)
  }
  const touched = planned.filter((row) => live.has(String(row.live_id)))
  if (touched.length < live.size) return
  for (const row of touched) {
    if (row.id === row.live_id && sameFields({ ...row, is_active: null, is_superuser: null }, row)) {
      scratch.run("update user_decisions set action = 'unchanged', reason = '' where u = ?", row.u!)
      scratch.run("delete from live_changes where kind = 'set-user' and id = ?", row.live_id!)
    } else {
      scratch.run('insert into kept_superusers values (?)', row.u!)
    }
    const message =
      'The archive would have left the instance without an active superuser; this one stays active and superuser.'
    warn('user.kept_superuser', live.get(String(row.live_id))!, message)
  }
}

/** Whether somebody stays an active superuser though the archive says otherwise. */
export const staysSuperuser = (scratch: Scratch, u: number): boolean =>
  scratch.first('select 1 as n from kept_superusers where u = ?', u) !== undefined

const superusersOf = (scratch: Scratch, table: string): (readonly [id: string, username: string])[] =>
  scratch
    .all(
      `select id, username from ${table}
       where json_extract(fields, '$.is_active') = 1 and json_extract(fields, '$.is_superuser') = 1`,
    )
    .map((row) => [String(row.id), String(row.username)])

/** Whether a planned user will be an active superuser; what the archive does not say stays as it is. */
function becomesOne(row: ScratchRow): boolean {
  const before = (row.fields === null ? {} : JSON.parse(String(row.fields))) as Record<string, unknown>
  return (['is_active', 'is_superuser'] as const).every((key) => (row[key] ?? before[key]) === 1)
}
