import { sql } from 'kysely'
import type { Db } from '../database.ts'
import { countTrash, type Held } from './trash.ts'

/** How much an instance holds: outside the trash, without the top-level folders `.home` and `.inbox`. */
export interface Counts extends Held {
  readonly users: number
  readonly groups: number
  readonly tags: number
  /** What is in the trash. */
  readonly trash: Held
}

/** Counts all that an instance holds, or all that one user owns; `groups` are then the user's own. */
export async function countAll(db: Db, userId?: string): Promise<Counts> {
  const owned = userId === undefined ? sql`true` : sql`user_id = ${userId}`
  const documents =
    userId === undefined ? sql`` : sql`join nodes on nodes.id = document_id and nodes.user_id = ${userId}`
  const { rows } = await sql<Omit<Counts, 'trash'>>`
    select
      (select count(*) from users ${userId === undefined ? sql`` : sql`where id = ${userId}`}) as users,
      ${userId === undefined ? sql`(select count(*) from groups)` : sql`(select count(*) from memberships where ${owned})`} as groups,
      (select count(*) from nodes where ${owned} and type = 'folder'
        and not (parent_id is null and deleted_at is null and title in ('.home', '.inbox'))) as folders,
      (select count(*) from nodes where ${owned} and type = 'document') as documents,
      (select count(*) from versions ${documents}) as versions,
      (select count(*) from pages join versions on versions.id = version_id ${documents}) as pages,
      (select count(*) from tags where ${owned}) as tags,
      (select count(*) from sidecars join pages on pages.id = page_id
        join versions on versions.id = version_id ${documents}) as sidecars,
      (select cast(coalesce(sum(versions.size), 0) as bigint) from versions ${documents}) as "originalBytes",
      (select cast(coalesce(sum(sidecars.size), 0) as bigint) from sidecars join pages on pages.id = page_id
        join versions on versions.id = version_id ${documents}) as "sidecarBytes"`.execute(db)
  const all = rows[0]!
  const { items: _items, ...trash } = await countTrash(db, { userId })
  return {
    ...all,
    folders: all.folders - trash.folders,
    documents: all.documents - trash.documents,
    versions: all.versions - trash.versions,
    pages: all.pages - trash.pages,
    sidecars: all.sidecars - trash.sidecars,
    originalBytes: all.originalBytes - trash.originalBytes,
    sidecarBytes: all.sidecarBytes - trash.sidecarBytes,
    trash,
  }
}
