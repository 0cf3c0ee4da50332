import type { Report } from './reports.ts'

/**
 * What became of a thing between the left and the right: it is on the right alone (`added`), on the left alone (`removed`), in
 * another folder (`moved`), under another title (`renamed`), in the trash now (`trashed`) or no longer (`untrashed`), or
 * otherwise different (`changed`). `dates`: nothing but dates differs.
 */
export type DifferenceKind = 'added' | 'removed' | 'moved' | 'renamed' | 'trashed' | 'untrashed' | 'changed' | 'dates'

/** One thing that is not the same in a user, group, tag, folder or document. */
export interface Change {
  /** The column, as `email`; or `bytes`, `id`, `groups`, `tags`, `version`, `page`, `sidecar`. */
  readonly what: string
  readonly how: 'changed' | 'added' | 'removed'
  /** The number of the version that it is about; null where it is about the whole. The page likewise. */
  readonly version: number | null
  readonly page: number | null
  /** Which file of the page. */
  readonly sidecar: string | null
  /** The two values where they are short and no secret, else null. */
  readonly left: string | number | null
  readonly right: string | number | null
  /** On which side a file is not what its row says; null where the rows differ too. */
  readonly damaged: Side | null
}

export type Side = 'left' | 'right'

export interface Difference {
  readonly kind: DifferenceKind
  readonly thing: 'group' | 'user' | 'tag' | 'folder' | 'document'
  readonly id: string
  /** Whose it is; null for a group. */
  readonly username: string | null
  /** The name, or the path of a folder or document; where it is on both sides, the one on the right. */
  readonly name: string
  /** The name or path on the left, with another owner before it; null where it is the same. */
  readonly from: string | null
  readonly inTrash: boolean
  readonly changes: readonly Change[]
  readonly changesNotListed: number
}

/** What one side holds, its trash too. */
export interface ComparedSide {
  /** The archive, or the database of the instance. */
  readonly name: string
  readonly type: 'archive' | 'instance'
  /** When the archive was made, as it says itself; null where it does not, and for an instance. */
  readonly created: string | null
  readonly users: number
  readonly groups: number
  readonly tags: number
  /** With the homes and inboxes. */
  readonly folders: number
  readonly documents: number
  readonly versions: number
  readonly pages: number
  readonly sidecars: number
  /** Files and their bytes that were read and hashed; 0 with `quick`. */
  readonly files: number
  readonly bytes: number
  /** Files that are missing, unreadable, or not what their row says; each is in the warnings. Not looked for with `quick`. */
  readonly damaged: number
}

export interface CompareReport extends Report {
  readonly operation: 'compare'
  /** True where the recorded hashes were believed and no file was read. */
  readonly quick: boolean
  readonly equal: boolean
  readonly left: ComparedSide
  readonly right: ComparedSide
  readonly total: number
  readonly byKind: Readonly<Partial<Record<DifferenceKind, number>>>
  /** By user, then by path; the first 1,000. */
  readonly listed: readonly Difference[]
  /** Things that are the same under another id, where an archive gives none of its own. No differences. */
  readonly underOtherIds: number
}
