import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import type { SidecarKind } from '../../domain/sidecars.ts'
import { sidecarKey, versionKey } from '../../media/keys.ts'
import { dropEarlierVersions, dropVersions } from '../staging/drop-rows.ts'
import { derivedId } from '../staging/identity.ts'

/**
 * Makes of the plan what is really inserted: takes out what stays as it is or is left out, and gives the rest the ids, places
 * and names that were decided. Only then are files written and rows inserted.
 */
export function keepDecided(scratch: Scratch, versions: 'all' | 'last'): void {
  scratch.exec('begin; create index plan_files_key on plan_files (media_key)')
  dropVersions(
    scratch,
    `select v.id from plan_versions v join plan_nodes n on n.id = v.document_id join node_decisions d on d.seq = n.seq
     where d.inserts = 0`,
  )
  if (versions === 'last') dropEarlierVersions(scratch)
  scratch.exec(`
    delete from plan_node_tags where node_id in (select n.id from plan_nodes n join node_decisions d on d.seq = n.seq
      where d.inserts = 0 and d.target_id not in (select id from live_changes where kind = 'set-folder'))`)
  placeTags(scratch)
  renewDocuments(scratch)
  scratch.exec(`
    update plan_node_tags set node_id = (select d.target_id from node_decisions d join plan_nodes n on n.seq = d.seq where n.id = node_id)
      where exists (select 1 from node_decisions d join plan_nodes n on n.seq = d.seq where n.id = node_id and d.target_id <> n.id);
    delete from plan_nodes where seq in (select seq from node_decisions where inserts = 0);
    update plan_nodes set
      id = (select target_id from node_decisions d where d.seq = plan_nodes.seq),
      parent_id = (select target_parent from node_decisions d where d.seq = plan_nodes.seq),
      title = (select target_title from node_decisions d where d.seq = plan_nodes.seq),
      user_id = (select target_id from user_decisions d where d.u = plan_nodes.u);
    delete from plan_memberships where user_id in (select p.id from plan_users p join user_decisions d on d.u = p.u
      where d.action not in ('create', 'adopt', 'copy'));
    update plan_memberships set user_id = (select d.target_id from user_decisions d join plan_users p on p.u = d.u where p.id = user_id);
    create table account_fields as select * from plan_users;
    delete from plan_users where u in (select u from user_decisions where action not in ('create', 'adopt', 'copy'));
    update plan_users set username = (select username from user_decisions d where d.u = plan_users.u);
    commit`)
}

/** Tags that are there already are used; the rest is made. */
function placeTags(scratch: Scratch): void {
  scratch.exec('create table tag_looks as select * from plan_tags')
  for (const { id, action, target_id, name, u } of scratch.all('select * from tag_decisions')) {
    if (target_id !== id) {
      scratch.run(
        'insert or ignore into plan_node_tags select node_id, ? from plan_node_tags where tag_id = ?',
        target_id!,
        id!,
      )
      scratch.run('delete from plan_node_tags where tag_id = ?', id!)
    }
    if (action === 'create' || action === 'copy') {
      scratch.run(
        'update plan_tags set id = ?, name = ?, user_id = (select target_id from user_decisions where u = ?) where id = ?',
        target_id!,
        name!,
        u!,
        id!,
      )
    } else {
      scratch.run('delete from plan_tags where id = ?', id!)
    }
  }
}

/**
 * A document under another id has other ids for its versions and pages too, and other places for its files; so has one
 * whose versions or pages have ids that are in use.
 */
function renewDocuments(scratch: Scratch): void {
  const renewed = scratch.all(
    `select n.id, d.target_id, u.target_id as user_id from node_decisions d join plan_nodes n on n.seq = d.seq
     join user_decisions u on u.u = n.u where n.type = 'document' and d.inserts = 1
       and (d.target_id <> n.id or n.id in (select id from renewed_documents))`,
  )
  for (const document of renewed) {
    for (const version of scratch.all(
      'select id, number, file_name, media_key from plan_versions where document_id = ?',
      document.id!,
    )) {
      renewVersion(scratch, document, version)
    }
  }
}

function renewVersion(scratch: Scratch, document: ScratchRow, version: ScratchRow): void {
  const place = {
    userId: String(document.user_id),
    documentId: String(document.target_id),
    number: Number(version.number),
  }
  const id = derivedId('version', place.documentId, place.number, 'restored')
  for (const page of scratch.all('select id, number from plan_pages where version_id = ?', version.id!)) {
    const pageId = derivedId('page', id, Number(page.number))
    for (const { kind, media_key } of scratch.all(
      'select kind, media_key from plan_sidecars where page_id = ?',
      page.id!,
    )) {
      const key = sidecarKey({ ...place, pageNumber: Number(page.number), kind: String(kind) as SidecarKind })
      scratch.run('update plan_files set media_key = ? where media_key = ?', key, media_key!)
      scratch.run(
        'update plan_sidecars set page_id = ?, media_key = ? where page_id = ? and kind = ?',
        pageId,
        key,
        page.id!,
        kind!,
      )
    }
    scratch.run('update plan_pages set id = ?, version_id = ? where id = ?', pageId, id, page.id!)
  }
  const key = version.media_key === null ? null : versionKey({ ...place, fileName: String(version.file_name) })
  if (key !== null) scratch.run('update plan_files set media_key = ? where media_key = ?', key, version.media_key!)
  scratch.run(
    'update plan_versions set id = ?, document_id = ?, media_key = ? where id = ?',
    id,
    place.documentId,
    key,
    version.id!,
  )
}
