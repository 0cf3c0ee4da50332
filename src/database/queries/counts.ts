import { sql } from 'kysely'
import type { Db } from '../database.ts'

/** How much an instance holds. */
export interface Counts {
  readonly users: number
  readonly groups: number
  /** Without the top-level folders `.home` and `.inbox`. */
  readonly folders: number
  readonly documents: number
  readonly versions: number
  readonly pages: number
  readonly tags: number
  readonly sidecars: number
  /** Of the files of all versions, as acknowledged. */
  readonly originalBytes: number
  /** Of all sidecars. */
  readonly sidecarBytes: number
}

/** Counts all that an instance holds, or all that one user owns; `groups` are then the user's own. */
export async function countAll(db: Db, userId?: string): Promise<Counts> {
  const owned = userId === undefined ? sql`true` : sql`user_id = ${userId}`
  const documents =
    userId === undefined ? sql`` : sql`join nodes on nodes.id = document_id and nodes.user_id = ${userId}`
  const { rows } = await sql<Counts>`
    select
      (select count(*) from users ${userId === undefined ? sql`` : sql`where id = ${userId}`}) as users,
      ${userId === undefined ? sql`(select count(*) from groups)` : sql`(select count(*) from memberships where ${owned})`} as groups,
      (select count(*) from nodes where ${owned} and type = 'folder'
        and not (parent_id is null and title in ('.home', '.inbox'))) as folders,
      (select count(*) from nodes where ${owned} and type = 'document') as documents,
      (select count(*) from versions ${documents}) as versions,
      (select count(*) from pages join versions on versions.id = version_id ${documents}) as pages,
      (select count(*) from tags where ${owned}) as tags,
      (select count(*) from sidecars join pages on pages.id = page_id
        join versions on versions.id = version_id ${documents}) as sidecars,
      (select cast(coalesce(sum(versions.size), 0) as bigint) from versions ${documents}) as "originalBytes",
      (select cast(coalesce(sum(sidecars.size), 0) as bigint) from sidecars join pages on pages.id = page_id
        join versions on versions.id = version_id ${documents}) as "sidecarBytes"`.execute(db)
  return rows[0]!
}
