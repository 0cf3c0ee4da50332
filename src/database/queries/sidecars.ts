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
