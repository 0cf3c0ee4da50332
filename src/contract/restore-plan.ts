import type { Report } from './reports.ts'
import type { ChosenParts } from './restore-parts.ts'

/** What to do with what is in the archive and, differently, in the instance. */
export type ConflictChoice = 'fail' | 'skip' | 'overwrite' | 'keep-both'

/**
 * What becomes of one thing of the archive. `create`: it is new. `adopt`: a user who has nothing takes it on. `unchanged`: the
 * instance has it already. `conflict`: it is there, and different. `skip`, `overwrite`, `copy`: the same, and decided.
 */
export type RestoreAction = 'create' | 'adopt' | 'unchanged' | 'conflict' | 'skip' | 'overwrite' | 'copy'

export interface PlannedItem {
  readonly kind: 'user' | 'tag' | 'folder' | 'document'
  readonly username: string
  /** The path of a node, the name of a tag or user. */
  readonly name: string
  readonly action: RestoreAction
  /** Why it is not simply created; empty where it is. */
  readonly reason: string
}

export type ActionCounts = Readonly<Partial<Record<RestoreAction, number>>>

/** What a restore would do, or did. */
export interface RestorePlan {
  /** What of the archive is meant; null for all of it. */
  readonly parts: ChosenParts | null
  readonly onConflict: ConflictChoice
  readonly users: ActionCounts
  readonly tags: ActionCounts
  readonly folders: ActionCounts
  readonly documents: ActionCounts
  /** The same by user. */
  readonly byUser: readonly {
    readonly username: string
    readonly folders: ActionCounts
    readonly documents: ActionCounts
  }[]
  /** What the instance holds and will no longer; null where nothing is replaced. */
  readonly replaced: {
    readonly users: number
    readonly tags: number
    readonly folders: number
    readonly documents: number
  } | null
  /** Documents and folders of the instance that go to its trash. */
  readonly trashed: number
  /** What is not simply created or unchanged, conflicts first; the first 1,000. With --list --json everything. */
  readonly items: readonly PlannedItem[]
  readonly conflicts: number
  /** The same for the same archive, choices and state of what the plan looked at. */
  readonly digest: string
}

/** The report of a dry run. */
export interface DryRunReport extends Report {
  readonly operation: 'restore --dry-run' | 'import-papermerge --dry-run'
  readonly archive: string
  readonly writer: string
  readonly created: string | null
  readonly plan: RestorePlan
  readonly bytesNeeded: number
  readonly bytesFree: number
  /** True where every file was held against a hash that the archive carries. */
  readonly proved: boolean
  /** Members of the archive that no hash covers. None ever covers folders and links; nothing is restored from those. */
  readonly notProved: { readonly files: number; readonly folders: number; readonly links: number }
  /** Keys and files that this version does not know and ignores, a version that it does not know; the warnings name them. */
  readonly notUnderstood: number
}
