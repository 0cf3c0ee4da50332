import type { AuditEntry } from '../contract/audit.ts'
import type { Tx } from '../database/database.ts'
import { pathOf } from '../database/queries/nodes.ts'
import { findUserById } from '../database/queries/users.ts'
import { formatPath } from '../domain/paths.ts'
import type { StoredFile } from '../media/media-store.ts'

/** A version that came in, and the document that it belongs to. */
export interface Taken {
  readonly id: string
  readonly userId: string
  readonly parentId: string | null
  readonly title: string
  /** Null where the document came in with it. */
  readonly version: number | null
  readonly file: StoredFile
}

/** Says for the audit what came in within a transaction; looks up each user and each folder once. */
export function createDocumentEntries(tx: Tx): (taken: Taken) => Promise<AuditEntry> {
  const usernames = new Map<string, string | null>()
  const folders = new Map<string, readonly string[]>()

  async function usernameOf(id: string): Promise<string | null> {
    const known = usernames.get(id)
    if (known !== undefined) return known
    const found = (await findUserById(tx, id))?.username ?? null
    usernames.set(id, found)
    return found
  }

  async function titlesOf(folderId: string): Promise<readonly string[]> {
    const known = folders.get(folderId)
    if (known !== undefined) return known
    const found = (await pathOf(tx, folderId)).map(({ title }) => title)
    folders.set(folderId, found)
    return found
  }

  return async ({ id, userId, parentId, title, version, file: { size, sha256 } }) => {
    const username = await usernameOf(userId)
    const about = formatPath([...(parentId === null ? [] : await titlesOf(parentId)), title])
    return version === null
      ? { action: 'document.added', username, about, details: { id, size, sha256 } }
      : { action: 'version.added', username, about, details: { id, version, size, sha256 } }
  }
}
