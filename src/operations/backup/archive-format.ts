import type { Db } from '../../database/database.ts'
import { hasTrash } from '../../database/queries/trash.ts'
import { hasSidecarsWithoutFile } from '../../database/queries/sidecars.ts'

/** The number of the format, see docs/archive-format.md. */
export type ArchiveFormat = 1 | 2

/**
 * 2 where the archive holds something that a reader of format 1 would get wrong: it would bring the trash back alive, and
 * look elsewhere for the sidecars of what is hidden from Papermerge. Every other archive is one of format 1.
 */
export async function archiveFormat(db: Db): Promise<ArchiveFormat> {
  return (await hasTrash(db)) || (await hasSidecarsWithoutFile(db)) ? 2 : 1
}
