import type { DifferenceKind } from './compare-report.ts'
import type { Notice, Report } from './reports.ts'

/**
 * `proved`: the archive was restored whole, and nothing speaks against it. `proved_with_findings`: restored as it is, and
 * something was declared lost, or does not fit what the instance says. `archive_damaged`: no restore takes it.
 * `not_restored`: what came back is not what the archive holds. `failed`: the drill itself could not be done.
 */
export type DrillOutcome = 'proved' | 'proved_with_findings' | 'archive_damaged' | 'not_restored' | 'failed'

export interface DrilledArchive {
  readonly path: string
  readonly name: string
  readonly bytes: number
  /** Of the file. This and the next two are null where the archive could not be read to its end. */
  readonly sha256: string | null
  readonly writer: string | null
  /** When it was made, as it says itself. */
  readonly created: string | null
}

/** How long the restore took, from the first byte of the archive read to the last row written. */
export interface DrilledRestore {
  readonly seconds: number
  /** Of the files that came back. */
  readonly bytes: number
  readonly bytesPerSecond: number
  readonly database: 'SQLite' | 'PostgreSQL'
  readonly users: number
  readonly folders: number
  readonly documents: number
  readonly versions: number
}

export interface DrillReport extends Report {
  readonly operation: 'drill'
  readonly at: string
  readonly outcome: DrillOutcome
  /** How the archive was chosen: by name, as the newest of a folder, or made for the drill. */
  readonly source: 'named' | 'newest' | 'fresh'
  readonly archive: DrilledArchive | null
  /** The id of the living instance; null where there is none. */
  readonly instance: string | null
  readonly restore: DrilledRestore | null
  /** What the living instance has that the archive has not, or otherwise: work since, unless it is in `leftOut`. */
  readonly since: {
    readonly total: number
    readonly byKind: Readonly<Partial<Record<DifferenceKind, number>>>
    readonly newDocuments: number
  } | null
  /** Sentences with a code for each. */
  readonly proved: readonly Notice[]
  readonly notProved: readonly Notice[]
  readonly error: { readonly code: string; readonly message: string } | null
  /** Where the report was written. */
  readonly files: readonly string[]
}

/** `drill.json` in the data directory: what the last drill found, for `check` and for whatever watches the instance. */
export interface DrillState {
  readonly strongroom: 'drill'
  readonly format: 1
  readonly at: string
  readonly outcome: DrillOutcome
  readonly error: { readonly code: string; readonly message: string } | null
  /** How often each thing was found that a person should see, by its code. */
  readonly findings: Readonly<Record<string, number>>
  readonly archive: DrilledArchive | null
  readonly instance: string
  readonly restoreSeconds: number | null
  readonly restoredBytes: number | null
  /** The last drill that proved its archive, with findings or without; null where none did. */
  readonly lastProved: { readonly at: string; readonly archive: DrilledArchive } | null
}
