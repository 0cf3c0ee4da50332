import { join, resolve } from 'node:path'
import { StrongroomError } from '../errors.ts'

export type DatabaseAddress =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }

// What a message may show of the parameters of an address; every other one might be a secret.
const shownParameters: ReadonlySet<string> = new Set(['host', 'port', 'user', 'dbname', 'sslmode', 'application_name'])

/** The address as messages show it: without its password, wherever in it that may stand. */
export function redactUrl(url: string): string {
  if (url.startsWith('sqlite:')) return url
  const scheme = /^postgres(?:ql)?:\/\//.exec(url)?.[0]
  if (scheme === undefined || !URL.canParse(url)) return `${/^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? ''}…`
  const parsed = new URL(url)
  parsed.password = ''
  parsed.hash = ''
  for (const name of [...parsed.searchParams.keys()]) if (!shownParameters.has(name)) parsed.searchParams.delete(name)
  return parsed.href
}

/**
 * Reads the address of a database: undefined is `strongroom.db` in the data directory. Throws `database.invalid_url`.
 */
export function parseDatabaseUrl(url: string | undefined, dataDirectory: string): DatabaseAddress {
  if (url === undefined) return { kind: 'sqlite', path: resolve(join(dataDirectory, 'strongroom.db')) }
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(url)?.[1]
  if (path !== undefined && path !== ':memory:' && !path.startsWith('//'))
    return { kind: 'sqlite', path: resolve(path) }
  if (/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url)) return { kind: 'postgres', url }
  throw new StrongroomError('database.invalid_url', { database: redactUrl(url) })
}
