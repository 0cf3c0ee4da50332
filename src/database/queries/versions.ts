import { sql } from 'kysely'
import type { Db, Tx } from '../database.ts'
import { insertMany, readInPieces } from '../insert-many.ts'
import type { VersionRow } from '../schema.ts'

/** A version without its text, with the number of characters that it has. */
export type VersionFacts = Omit<VersionRow, 'text'> & { text_length: number }

const factColumns = [
  'id',
  'document_id',
  'number',
  'file_name',
  'size',
  'sha256',
  'media_type',
  'page_count',
  'lang',
  'short_description',
  'created_at',
  'media_key',
] as const

/** The versions of these documents with their texts, by document and then by number. */
export const versionsOf = (db: Db, documentIds: readonly string[]): Promise<VersionRow[]> =>
  readInPieces(documentIds, (piece) =>
    db
      .selectFrom('versions')
      .selectAll()
      .where('document_id', 'in', piece)
      .orderBy('document_id')
      .orderBy('number')
      .execute(),
  )

/** The same without the texts, which may be long. */
export const versionFactsOf = (db: Db, documentIds: readonly string[]): Promise<VersionFacts[]> =>
  readInPieces(documentIds, (piece) =>
    db
      .selectFrom('versions')
      .select(factColumns)
      .select(sql<number>`length(text)`.as('text_length'))
      .where('document_id', 'in', piece)
      .orderBy('document_id')
      .orderBy('number')
      .execute(),
  )

export const findVersion = (db: Db, id: string): Promise<VersionRow | undefined> =>
  db.selectFrom('versions').selectAll().where('id', '=', id).executeTakeFirst()

/** The version with the highest number, undefined for a document without any. */
export const lastVersionOf = (db: Db, documentId: string): Promise<VersionRow | undefined> =>
  db
    .selectFrom('versions')
    .selectAll()
    .where('document_id', '=', documentId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()

/** The texts of these versions. */
export const versionTexts = (db: Db, ids: readonly string[]): Promise<{ id: string; text: string }[]> =>
  readInPieces(ids, (piece) =>
    db.selectFrom('versions').select(['id', 'text']).where('id', 'in', piece).orderBy('id').execute(),
  )

export const insertVersions = (tx: Tx, rows: readonly VersionRow[]): Promise<void> => insertMany(tx, 'versions', rows)

/** Versions of the whole instance by id, after the id `after`, without their texts: one batch of a walk over all. */
export const listVersionFacts = (db: Db, after: string, limit: number): Promise<VersionFacts[]> =>
  db
    .selectFrom('versions')
    .select(factColumns)
    .select(sql<number>`length(text)`.as('text_length'))
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
