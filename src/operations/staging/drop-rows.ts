import type { Scratch } from '../../database/scratch.ts'

/** Takes versions out of a plan, with their pages and files. `ids` is the SQL that gives their ids. */
export function dropVersions(scratch: Scratch, ids: string): void {
  scratch.exec(`create table dropped_versions (id text primary key) without rowid; insert into dropped_versions ${ids}`)
  const isAny = scratch.first('select 1 as n from dropped_versions limit 1') !== undefined
  if (isAny) dropBelow(scratch)
  scratch.exec('drop table dropped_versions')
}

const dropBelow = (scratch: Scratch): void =>
  scratch.exec(`
    delete from plan_files where media_key in (
      select v.media_key from plan_versions v join dropped_versions o on o.id = v.id
      union select s.media_key from plan_sidecars s join plan_pages p on p.id = s.page_id
        join dropped_versions o on o.id = p.version_id);
    delete from plan_sidecars where page_id in (
      select p.id from plan_pages p join dropped_versions o on o.id = p.version_id);
    delete from plan_pages where version_id in (select id from dropped_versions);
    delete from plan_versions where id in (select id from dropped_versions)`)

/** Takes all but the last version of each document out of a plan. */
export const dropEarlierVersions = (scratch: Scratch): void =>
  dropVersions(
    scratch,
    `select v.id from plan_versions v where exists (
       select 1 from plan_versions l where l.document_id = v.document_id and l.number > v.number)`,
  )
