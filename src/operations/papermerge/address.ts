import { resolve } from 'node:path'

/** Where a living Papermerge keeps what it has. */
export interface PapermergePlace {
  /** Of its database, as `openForeignDatabase` takes it. May hold a password. */
  readonly database: string
  /** The folder that holds its `docs` and `sidecars`, absolute. */
  readonly media: string
}

/**
 * The address of a Papermerge's database as it was typed: `postgres://…`, `sqlite:PATH`, `sqlite:////PATH` as it stands in
 * Papermerge's own settings, or the path of the file.
 */
export function papermergeDatabase(typed: string, workingDirectory: string): string {
  const path = /^sqlite:(?:\/\/\/(?=\/))?(.+)$/s.exec(typed)?.[1]
  // "sqlite:///PATH" is what our own addresses may be, too, and means an absolute path there.
  if (path !== undefined) return path.startsWith('//') ? typed : `sqlite:${resolve(workingDirectory, path)}`
  return /^[a-z][a-z0-9+.-]*:/i.test(typed) ? typed : `sqlite:${resolve(workingDirectory, typed)}`
}
