import type { Report } from './reports.ts'
import type { TrashContents } from './trash.ts'

export interface InspectedNode {
  readonly username: string
  readonly type: 'folder' | 'document'
  /** Titles from the top down. */
  readonly path: readonly string[]
  readonly versions: number
  /** Bytes of the last version; null for a folder. */
  readonly size: number | null
}

export interface InspectedUser {
  readonly id: string
  readonly username: string
  /** Without the home and the inbox. */
  readonly folders: number
  readonly documents: number
  readonly versions: number
  readonly bytes: number
}

/** What an archive holds; but for files and bytes, without what is in the trash. */
export interface InspectReport extends Report {
  readonly operation: 'inspect'
  readonly archive: string
  readonly archiveBytes: number
  readonly encrypted: boolean
  readonly writer: string
  readonly created: string | null
  readonly format: string
  /** Whether the archive was read through, or only what was needed of it. */
  readonly reading: 'whole' | 'part'
  readonly proved: boolean
  readonly users: readonly InspectedUser[]
  readonly groups: number
  readonly tags: number
  readonly folders: number
  readonly documents: number
  readonly versions: number
  readonly pages: number
  readonly sidecars: number
  readonly trash: TrashContents
  readonly files: number
  readonly bytes: number
  /** The tree: by user, then by path; the first 100,000. */
  readonly nodes: readonly InspectedNode[]
  readonly nodesNotListed: number
}
