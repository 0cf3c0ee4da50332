import type { Database, Db } from '../../database/database.ts'
import { listGroups, membershipsOf } from '../../database/queries/groups.ts'
import { orderNodes, readOrderedNodes } from '../../database/queries/ordered-nodes.ts'
import { sidecarsOf } from '../../database/queries/sidecars.ts'
import { listTags, tagIdsOf } from '../../database/queries/tags.ts'
import { listUsers } from '../../database/queries/users.ts'
import { versionFactsOf, type VersionFacts } from '../../database/queries/versions.ts'
import { openScratch, type Scratch } from '../../database/scratch.ts'
import type { MediaStore } from '../../media/media-store.ts'
import { pageBatches, pagesWithText, versionsWithText } from '../document-texts.ts'
import { createPlanTables } from '../staging/plan.ts'
import type { Contents, ContentsFile } from './contents.ts'

const nodesAtOnce = 200

/**
 * Notes what an instance holds at one moment, its trash too. The caller holds a lock, so that no file is removed meanwhile.
 * Memory does not grow with the instance. Throws `database.…`, `file.…`.
 */
export async function openInstanceContents(
  { database, media, scratchDirectory }: { database: Database; media: MediaStore; scratchDirectory: string },
  signal?: AbortSignal,
): Promise<Contents> {
  await using opened = new AsyncDisposableStack()
  const scratch = opened.use(openScratch(scratchDirectory))
  await database.snapshot((db) => noteInstance(db, scratch, signal))
  const owned = opened.move()
  return {
    name: database.name,
    scratch,
    files: (isWanted, ending) => instanceFiles(media, scratch, isWanted, ending),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Originals as the tree has them, then what was derived from them. */
const filesInOrder = `
  select media_key, size from (
    select 0 as part, n.seq, v.number, v.media_key, v.size from plan_nodes n join plan_versions v on v.document_id = n.id
      where v.media_key is not null
    union all select 1, 0, 0, media_key, size from plan_sidecars)
  order by part, seq, number, media_key`

async function* instanceFiles(
  media: MediaStore,
  scratch: Scratch,
  isWanted: (key: string) => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<ContentsFile, void, undefined> {
  for (const { media_key, size } of scratch.rows(filesInOrder)) {
    signal?.throwIfAborted()
    const key = String(media_key)
    if (isWanted(key)) yield { keys: [key], size: Number(size), chunks: () => chunksOf(media, key) }
  }
}

async function* chunksOf(media: MediaStore, key: string): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await media.open(key)
  yield* file.chunks()
}

async function noteInstance(db: Db, scratch: Scratch, signal: AbortSignal | undefined): Promise<void> {
  createPlanTables(scratch)
  scratch.exec('begin')
  await noteAccounts(db, scratch)
  await orderNodes(db, { trash: true })
  for (let after = 0; ;) {
    signal?.throwIfAborted()
    const nodes = await readOrderedNodes(db, after, nodesAtOnce)
    if (nodes.length === 0) break
    after = nodes.at(-1)!.ordinal
    for (const node of nodes) {
      scratch.run(
        `insert into plan_nodes (seq, u, id, user_id, parent_seq, parent_id, depth, type, title, created_at, updated_at, lang,
           ocr, ocr_status, deleted_at, deleted_parent, deleted_from, in_trash)
         values (?, (select u from plan_users where id = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        node.ordinal,
        node.user_id,
        node.id,
        node.user_id,
        node.parent_ordinal,
        node.parent_id,
        node.depth,
        node.type,
        node.title,
        node.created_at,
        node.updated_at,
        node.lang,
        node.ocr,
        node.ocr_status,
        node.deleted_at,
        node.deleted_parent,
        node.deleted_from,
        node.trashed,
      )
    }
    const ids = nodes.map(({ id }) => id)
    for (const { node_id, tag_id } of await tagIdsOf(db, ids))
      scratch.run('insert into plan_node_tags values (?, ?)', node_id, tag_id)
    await noteVersions(db, scratch, await versionFactsOf(db, ids))
  }
  scratch.exec('commit')
}

async function noteAccounts(db: Db, scratch: Scratch): Promise<void> {
  for (const { id, name } of await listGroups(db)) scratch.run('insert into plan_groups values (?, ?)', id, name)
  for (const [u, user] of (await listUsers(db)).entries()) {
    scratch.run(
      `insert into plan_users values (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      u,
      user.id,
      user.id,
      user.username,
      user.password,
      user.email,
      user.first_name,
      user.last_name,
      user.is_active,
      user.is_superuser,
      user.is_staff,
      user.date_joined,
      user.last_login,
      user.created_at,
      user.updated_at,
    )
    for (const { group_id } of await membershipsOf(db, [user.id]))
      scratch.run('insert into plan_memberships values (?, ?)', user.id, group_id)
    for (const tag of await listTags(db, user.id)) {
      const { id, name, bg_color, fg_color, description, pinned } = tag
      scratch.run(
        'insert into plan_tags values (?, ?, ?, ?, ?, ?, ?, ?)',
        id,
        u,
        user.id,
        name,
        bg_color,
        fg_color,
        description,
        pinned,
      )
    }
  }
}

async function noteVersions(db: Db, scratch: Scratch, versions: readonly VersionFacts[]): Promise<void> {
  for await (const { row, text } of versionsWithText(db, versions)) {
    scratch.run(
      'insert into plan_versions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      row.id,
      row.document_id,
      row.number,
      row.file_name,
      row.size,
      row.sha256,
      row.media_type,
      row.page_count,
      row.lang,
      row.short_description,
      text,
      row.created_at,
      row.media_key,
    )
    if (row.media_key !== null) noteFile(scratch, row.media_key, row.size ?? 0)
  }
  for await (const pages of pageBatches(db, versions)) {
    for await (const { row, text } of pagesWithText(db, pages))
      scratch.run('insert into plan_pages values (?, ?, ?, ?, ?)', row.id, row.version_id, row.number, row.lang, text)
  }
  const ids = versions.map(({ id }) => id)
  for (const { page_id, kind, size, sha256, media_key } of ids.length === 0 ? [] : await sidecarsOf(db, ids)) {
    scratch.run('insert into plan_sidecars values (?, ?, ?, ?, ?)', page_id, kind, size, sha256, media_key)
    noteFile(scratch, media_key, size)
  }
}

const noteFile = (scratch: Scratch, key: string, size: number): void =>
  scratch.run('insert into plan_files (path, media_key, size) values (?, ?, ?)', key, key, size)
