import type { Db } from '../../database/database.ts'
import { readInPieces } from '../../database/insert-many.ts'
import type { Scratch } from '../../database/scratch.ts'
import { batchesOf } from '../../std/batches.ts'

const idsAtOnce = 1000

/**
 * Notes the documents that are to be made though a version or page of another document of the instance has one of their
 * versions' or pages' ids, as happens where an archive was put together by hand.
 */
export async function noteRenewed(db: Db, scratch: Scratch): Promise<void> {
  // Where there is no version, there is no page either.
  if ((await db.selectFrom('versions').select('id').limit(1).execute()).length === 0) return
  scratch.exec('create temporary table freed (id text primary key) without rowid')
  scratch.exec("insert into freed select id from live_changes where kind = 'trash-copy'")
  const inserted = "join node_decisions d on d.seq = n.seq where n.type = 'document' and d.inserts = 1"
  const versions = `select v.id, n.id as document from plan_versions v join plan_nodes n on n.id = v.document_id ${inserted}`
  for (const batch of batchesOf(scratch.rows(versions), idsAtOnce)) {
    const holders = await readInPieces(
      batch.map((row) => String(row.id)),
      (ids) => db.selectFrom('versions').select(['id', 'document_id']).where('id', 'in', ids).execute(),
    )
    note(batch, holders)
  }
  const pages = `select p.id, n.id as document from plan_pages p join plan_versions v on v.id = p.version_id
    join plan_nodes n on n.id = v.document_id ${inserted}`
  for (const batch of batchesOf(scratch.rows(pages), idsAtOnce)) {
    const holders = await readInPieces(
      batch.map((row) => String(row.id)),
      (ids) =>
        db
          .selectFrom('pages')
          .innerJoin('versions', 'versions.id', 'pages.version_id')
          .select(['pages.id', 'versions.document_id'])
          .where('pages.id', 'in', ids)
          .execute(),
    )
    note(batch, holders)
  }

  function note(
    planned: readonly Record<string, unknown>[],
    holders: readonly { readonly id: string; readonly document_id: string }[],
  ): void {
    const documents = new Map(planned.map((row) => [String(row['id']), String(row['document'])]))
    for (const { id, document_id } of holders) {
      // A document that goes to the trash for the planned one leaves its ids to that.
      if (scratch.first('select 1 as n from freed where id = ?', document_id) !== undefined) continue
      scratch.run('insert or ignore into renewed_documents values (?)', documents.get(id)!)
    }
  }
}
