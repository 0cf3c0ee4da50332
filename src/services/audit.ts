import type { AuditEntry, AuditLine } from '../contract/audit.ts'
import type { Database, Tx } from '../database/database.ts'
import { insertAuditLines, listAuditLines, nthNewestAuditNumber } from '../database/queries/audit.ts'
import type { Timestamp } from '../std/clock.ts'
import { toStorableText } from '../std/text.ts'
import { assertName } from './laws.ts'

const linesAtOnce = 1000

/** Notes what a transaction does, in that transaction: what is undone was never noted. */
export async function noteInAudit(tx: Tx, at: Timestamp, entries: readonly AuditEntry[]): Promise<void> {
  await insertAuditLines(
    tx,
    entries.map(({ action, username, about, details }) => ({
      at,
      action,
      username,
      // The path of an archive may hold what no title can.
      about: toStorableText(about),
      details: JSON.stringify(details),
    })),
  )
}

export interface AuditInput {
  /** Only what is about this user or about the whole instance. The user need not exist any more. */
  readonly username?: string | undefined
  /** So many lines, the latest; 0 is all. */
  readonly last: number
}

/** What happened to the instance, as every verb that changes it has noted it. */
export function createAudit({ database }: { readonly database: Database }) {
  /**
   * The lines that there are now, the oldest first, in groups of up to 1,000; memory does not grow with them. Throws `text.…`
   * for what can be no user name.
   */
  return async function* audit({ username, last }: AuditInput): AsyncGenerator<readonly AuditLine[], void, undefined> {
    if (username !== undefined) assertName('user name', username)
    const { db } = database
    const choice = { username }
    const upTo = await nthNewestAuditNumber(db, choice, 1)
    if (upTo === undefined) return
    const first = last === 0 ? undefined : await nthNewestAuditNumber(db, choice, last)
    let after = (first ?? 1) - 1
    while (after < upTo) {
      const rows = await listAuditLines(db, choice, { after, upTo, limit: linesAtOnce })
      after = rows.at(-1)?.number ?? upTo
      yield rows.map((row) => ({ ...row, details: JSON.parse(row.details) as AuditLine['details'] }))
    }
  }
}
