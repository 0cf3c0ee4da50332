import type { Db, Tx } from '../database/database.ts'
import { findChild, findNode, insertNodes, pathOf, updateNode } from '../database/queries/nodes.ts'
import { insertPages } from '../database/queries/pages.ts'
import { insertSidecars } from '../database/queries/sidecars.ts'
import { isInTrash } from '../database/queries/trash.ts'
import { insertVersions, versionFactsOf } from '../database/queries/versions.ts'
import type { NodeRow, PageRow } from '../database/schema.ts'
import { defaultLanguage } from '../domain/defaults.ts'
import { formatPath } from '../domain/paths.ts'
import { StrongroomError } from '../errors.ts'
import type { StoredFile } from '../media/media-store.ts'
import type { Timestamp } from '../std/clock.ts'
import type { Ids } from '../std/ids.ts'
import type { NewDocument, NewVersion, VersionInput } from './document-input.ts'
import { notInTrash } from './folder-row.ts'

const pagesAtOnce = 1000

/** The document of that id. Throws `node.not_found`, also for a folder and for what is in the trash. */
export async function requireDocument(db: Db, id: string): Promise<NodeRow> {
  const node = await findNode(db, id)
  if (node?.type !== 'document' || (await isInTrash(db, id)))
    throw new StrongroomError('node.not_found', { path: id, username: '(any)' })
  return node
}

/** The number of the next version: 1, or one more than the last. */
export async function nextNumber(db: Db, documentId: string): Promise<number> {
  const versions = await versionFactsOf(db, [documentId])
  return (versions.at(-1)?.number ?? 0) + 1
}

/**
 * The folder of that id, as something is about to be put into it. Throws `node.not_found`, also for what is in the trash or
 * another user's, and `node.not_folder`.
 */
export async function requireFolder(db: Db, userId: string, id: string): Promise<NodeRow> {
  const folder = await findNode(db, id)
  if (folder?.user_id !== userId || (await isInTrash(db, id)))
    throw new StrongroomError('node.not_found', { path: id, username: userId })
  if (folder.type !== 'folder') throw new StrongroomError('node.not_folder', { path: await pathText(db, id) })
  return folder
}

const pathText = async (db: Db, id: string): Promise<string> =>
  formatPath((await pathOf(db, id)).map(({ title }) => title))

/** Throws `node.not_found` and `node.not_folder` for the folder, and `node.exists`. */
export async function insertDocument(tx: Tx, input: NewDocument & { id: string; now: Timestamp }): Promise<void> {
  const { userId, parentId, title, createdAt = input.now } = input
  await requireFolder(tx, userId, parentId)
  if ((await findChild(tx, userId, parentId, title)) !== undefined)
    throw new StrongroomError('node.exists', { title, folder: await pathText(tx, parentId) })
  const row: NodeRow = {
    id: input.id,
    user_id: userId,
    parent_id: parentId,
    type: 'document',
    title,
    created_at: createdAt,
    updated_at: createdAt,
    lang: input.lang ?? defaultLanguage,
    ocr: 1,
    ocr_status: 'unknown',
    ...notInTrash,
  }
  await insertNodes(tx, [row])
}

/** Inserts a version with its pages and sidecars; a document that had versions before is thereby updated. */
export async function insertVersion(
  tx: Tx,
  version: {
    readonly input: NewDocument | NewVersion
    readonly documentId: string
    readonly versionId: string
    readonly number: number
    readonly file: StoredFile
    readonly sidecarFiles: readonly StoredFile[]
    readonly now: Timestamp
    readonly ids: Ids
  },
): Promise<void> {
  const { input, documentId, versionId, number, file, sidecarFiles, now, ids } = version
  await insertVersions(tx, [
    {
      id: versionId,
      document_id: documentId,
      number,
      file_name: input.fileName,
      size: file.size,
      sha256: file.sha256,
      media_type: input.mediaType,
      page_count: input.pageCount,
      lang: input.lang ?? defaultLanguage,
      short_description: input.shortDescription ?? '',
      text: input.text ?? '',
      created_at: input.createdAt ?? now,
      media_key: file.key,
    },
  ])
  const wanted = new Set(input.sidecars?.map(({ pageNumber }) => pageNumber))
  const pageIds = new Map<number, string>()
  for (const rows of pageRows(versionId, input, ids)) {
    await insertPages(tx, rows)
    for (const row of rows) if (wanted.has(row.number)) pageIds.set(row.number, row.id)
  }
  await insertSidecars(
    tx,
    sidecarFiles.map(({ key, size, sha256 }, index) => {
      const { pageNumber, kind } = input.sidecars![index]!
      const pageId = pageIds.get(pageNumber)
      if (pageId === undefined) throw new StrongroomError('program.fault', { reason: `there is no page ${pageNumber}` })
      return { page_id: pageId, kind, size, sha256, media_key: key }
    }),
  )
  if ('documentId' in input) await updateNode(tx, documentId, { updated_at: now })
}

function* pageRows(versionId: string, input: VersionInput, ids: Ids): Generator<readonly PageRow[]> {
  const lang = input.lang ?? defaultLanguage
  const count = input.pages?.length ?? input.pageCount ?? 0
  for (let start = 0; start < count; start += pagesAtOnce) {
    const rows: PageRow[] = []
    for (let index = start; index < Math.min(count, start + pagesAtOnce); index += 1) {
      const page = input.pages?.[index]
      const text = page?.text ?? ''
      rows.push({ id: ids.next(), version_id: versionId, number: index + 1, lang: page?.lang ?? lang, text })
    }
    yield rows
  }
}
