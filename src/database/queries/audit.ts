import type { Insertable, Selectable } from 'kysely'
import { batchesOf } from '../../std/batches.ts'
import type { Db, Tx } from '../database.ts'
import type { AuditRow } from '../schema.ts'

const rowsPerStatement = 100

/** Adds lines in their order. */
export async function insertAuditLines(tx: Tx, rows: readonly Insertable<AuditRow>[]): Promise<void> {
  for (const batch of batchesOf(rows, rowsPerStatement)) await tx.insertInto('audit').values(batch).execute()
}

/** Which lines are meant: all, or those about one user and those about the whole instance. */
export interface AuditChoice {
  readonly username?: string | undefined
}

const chosen = (db: Db, { username }: AuditChoice) =>
  db
    .selectFrom('audit')
    .$if(username !== undefined, (query) =>
      query.where((is) => is.or([is('username', 'is', null), is('username', '=', username ?? '')])),
    )

/** The number of the `nth` of the chosen lines, the newest being the first; undefined where there are fewer. */
export async function nthNewestAuditNumber(db: Db, choice: AuditChoice, nth: number): Promise<number | undefined> {
  const line = await chosen(db, choice)
    .select('number')
    .orderBy('number', 'desc')
    .limit(1)
    .offset(nth - 1)
    .executeTakeFirst()
  return line?.number
}

/** The chosen lines with numbers above `after` and up to `upTo`, at most `limit`, the oldest first. */
export const listAuditLines = (
  db: Db,
  choice: AuditChoice,
  bounds: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<Selectable<AuditRow>[]> =>
  chosen(db, choice)
    .selectAll()
    .where('number', '>', bounds.after)
    .where('number', '<=', bounds.upTo)
    .orderBy('number')
    .limit(bounds.limit)
    .execute()
