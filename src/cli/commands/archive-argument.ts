import type { Readable } from 'node:stream'
import type { Session } from '../session.ts'

/** The archive that was named: a path, or standard input for `-`. */
export const archiveOf = (typed: string, session: Session): string | Readable =>
  typed === '-' ? session.terminal.stdin : session.path(typed)
