import type { Report } from './reports.ts'

export interface PrunedArchive {
  readonly name: string
  /** When the backup was made, as the archive itself says. */
  readonly created: string
  readonly size: number
  /** The instance that it is of; null in archives that do not say so. */
  readonly instance: string | null
}

export interface KeptArchive extends PrunedArchive {
  /** The rules that keep it, and `without damage` for the newest that lacks nothing. */
  readonly reasons: readonly string[]
}

/** What became of the archives in a folder. */
export interface PruneReport extends Report {
  readonly operation: 'prune'
  readonly folder: string
  readonly dryRun: boolean
  /** The newest first, instance by instance. */
  readonly kept: readonly KeptArchive[]
  readonly removed: readonly PrunedArchive[]
  /** Bytes of what was removed. */
  readonly bytesFreed: number
  /** The names of those that were read through and proved before anything was removed. */
  readonly verified: readonly string[]
  /** Files and folders that are no archives of ours, and stay. */
  readonly ignored: number
}
