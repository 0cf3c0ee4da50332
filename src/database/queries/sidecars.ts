import type { Db, Tx } from '../database.ts'
import { insertMany, readInPieces } from '../insert-many.ts'
import type { SidecarRow } from '../schema.ts'

/** A sidecar with the page that it was made from. */
export type PlacedSidecar = SidecarRow & { version_id: string; page_number: number }

/** The sidecars of these versions, by version, page number and kind. */
export const sidecarsOf = (db: Db, versionIds: readonly string[]): Promise<PlacedSidecar[]> =>
  readInPieces(versionIds, (piece) =>
    db
      .selectFrom('sidecars')
      .innerJoin('pages', 'pages.id', 'sidecars.page_id')
      .selectAll('sidecars')
      .select(['pages.version_id', 'pages.number as page_number'])
      .where('pages.version_id', 'in', piece)
      .orderBy('pages.version_id')
      .orderBy('pages.number')
      .orderBy('sidecars.kind')
      .execute(),
  )

export const insertSidecars = (tx: Tx, rows: readonly SidecarRow[]): Promise<void> => insertMany(tx, 'sidecars', rows)

/**
 * Sidecars of the whole instance by page and kind, after the one named (two empty texts for the first), at most `limit`:
 * one batch of a walk over all.
 */
export const listSidecars = (db: Db, after: { page_id: string; kind: string }, limit: number): Promise<SidecarRow[]> =>
  db
    .selectFrom('sidecars')
    .selectAll()
    .where(({ eb, refTuple, tuple }) => eb(refTuple('page_id', 'kind'), '>', tuple(after.page_id, after.kind)))
    .orderBy('page_id')
    .orderBy('kind')
    .limit(limit)
    .execute()

/** Whether something was derived from a document of which no version ever had a file. */
export async function hasSidecarsWithoutFile(db: Db): Promise<boolean> {
  const rows = await db
    .selectFrom('nodes')
    .select('nodes.id')
    .where('nodes.type', '=', 'document')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('versions')
            .select('versions.id')
            .whereRef('versions.document_id', '=', 'nodes.id')
            .where('versions.sha256', 'is not', null),
        ),
      ),
    )
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('versions')
          .innerJoin('pages', 'pages.version_id', 'versions.id')
          .innerJoin('sidecars', 'sidecars.page_id', 'pages.id')
          .select('sidecars.kind')
          .whereRef('versions.document_id', '=', 'nodes.id'),
      ),
    )
    .limit(1)
    .execute()
  return rows.length > 0
}
