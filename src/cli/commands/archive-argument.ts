import type { Readable } from 'node:stream'
import { StrongroomError } from '../../errors.ts'
import { isHttpUrl } from '../../std/http/address.ts'
import type { Session } from '../session.ts'

/** The archive that was named: a path, or standard input for `-`. */
export const archiveOf = (typed: string, session: Session): string | Readable =>
  typed === '-' ? session.terminal.stdin : session.path(typed)

/** The same, or a URL of http or https. Throws `archive.invalid_url`, which does not repeat it: it may hold a password. */
export function archiveOrUrlOf(typed: string, session: Session): string | URL | Readable {
  if (!isHttpUrl(typed)) return archiveOf(typed, session)
  if (!URL.canParse(typed)) throw new StrongroomError('archive.invalid_url')
  return new URL(typed)
}
