import type { NodeRow } from '../database/schema.ts'
import type { Timestamp } from '../std/clock.ts'

/** The columns of what is not in the trash. */
export const notInTrash = { deleted_at: null, deleted_parent: null, deleted_from: null } as const

/** The row of a new folder; `parentId` null is the top level. */
export const folderRow = (folder: {
  id: string
  userId: string
  parentId: string | null
  title: string
  now: Timestamp
}): NodeRow => ({
  id: folder.id,
  user_id: folder.userId,
  parent_id: folder.parentId,
  type: 'folder',
  title: folder.title,
  created_at: folder.now,
  updated_at: folder.now,
  lang: null,
  ocr: null,
  ocr_status: null,
  ...notInTrash,
})
