import type { Tx } from '../../database/database.ts'
import { noteInAudit } from '../../services/audit.ts'
import type { Timestamp } from '../../std/clock.ts'
import { originOf } from '../staging/writer-of.ts'
import type { PreparedRestore, RestoreInput } from './prepare.ts'

/** Notes a restore in its own transaction, also one that changes nothing. */
export async function noteRestore(
  tx: Tx,
  at: Timestamp,
  archive: string,
  { staged, plan, leftOut }: PreparedRestore,
  { replace = false, keepGoing = false }: RestoreInput,
  restorePoint: string | null,
): Promise<void> {
  const { onConflict, parts, users, tags, folders, documents, replaced, trashed, digest } = plan
  const details = {
    ...originOf(staged),
    onConflict,
    replace,
    keepGoing,
    parts,
    users,
    tags,
    folders,
    documents,
    replaced,
    trashed,
    leftOut: leftOut.count,
    restorePoint,
    plan: digest,
  }
  await noteInAudit(tx, at, [{ action: 'restore.done', username: null, about: archive, details }])
}
