import type { Part } from '../../archive/layout.ts'
import type { VersionRecord } from '../../archive/records.ts'

/** A document and where it stands in the staged archive. */
export interface DocumentPlace {
  readonly seq: number
  readonly u: number
  readonly own: number
  readonly n: number
  readonly id: string
  readonly userId: string
  /** Names the document in messages. */
  readonly about: string
  readonly lang: string
  /** In which part of the archive its files lie. */
  readonly part: Part
  /** Whether the archive gives the ids that the places of its files are made of. */
  readonly carriesIds: boolean
}

/** A version and where it stands in the staged archive. */
export interface VersionPlace {
  readonly v: number
  readonly number: number
  /** What Papermerge sees, and the files lie by. */
  readonly written: number
  readonly writtenName: string | null
  readonly record: VersionRecord
}
