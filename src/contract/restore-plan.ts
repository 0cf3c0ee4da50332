import type { Notices, Report } from './reports.ts'

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
  /** What is not simply created or unchanged; the first 1,000. */
  readonly items: readonly PlannedItem[]
  readonly conflicts: number
  /** The same for the same archive, choices and state of what the plan looked at. */
  readonly digest: string
}

/** The report of a dry run. */
export interface DryRunReport extends Report {
  readonly operation: 'restore --dry-run'
  readonly archive: string
  readonly writer: string
  readonly created: string | null
  readonly plan: RestorePlan
  readonly bytesNeeded: number
  readonly bytesFree: number
  /** True where every file was held against a hash that the archive carries. */
  readonly proved: boolean
  /** What this version does not understand, and what the archive cannot prove. */
  readonly warnings: Notices
}
