import type { ChosenParts } from './restore-parts.ts'
import type { ActionCounts, ConflictChoice, RestorePlan } from './restore-plan.ts'

/** Everything that is noted of an instance, by what it changed. */
export const auditActions = [
  'user.added',
  'user.password_changed',
  'user.disabled',
  'user.enabled',
  'folder.made',
  'document.added',
  'version.added',
  'node.moved',
  'node.trashed',
  'tag.added',
  'tag.removed',
  'tag.deleted',
  'trash.restored',
  'trash.emptied',
  'schema.migrated',
  'restore.done',
  'restore_point.removed',
] as const

export type AuditAction = (typeof auditActions)[number]

/** The facts of a file that came in: its number of bytes, and their SHA-256. */
interface FileFacts {
  /** Of the document. */
  readonly id: string
  readonly size: number
  readonly sha256: string
}

/** How a tag was made to look, as far as it was said. */
interface TagLook {
  readonly bg_color?: string
  readonly fg_color?: string
  readonly description?: string | null
  readonly pinned?: 0 | 1
}

/** Everything stands in what the line is about. */
type NoDetails = Readonly<Record<string, never>>

/**
 * What a line says beside what it is about. Never a password nor its hash, never the text of a page. Of a node it is about
 * the path that it had before.
 */
interface AuditDetails {
  'user.added': { readonly id: string; readonly superuser: boolean; readonly groups: readonly string[] }
  'user.password_changed': NoDetails
  'user.disabled': NoDetails
  'user.enabled': NoDetails
  'folder.made': { readonly id: string }
  'document.added': FileFacts
  'version.added': FileFacts & { readonly version: number }
  'node.moved': { readonly id: string; readonly to: string }
  /** `nodes`: it and all below it. */
  'node.trashed': { readonly id: string; readonly nodes: number }
  /** `made`: the user had no tag of that name before. */
  'tag.added': { readonly tag: string; readonly made: boolean; readonly look: TagLook }
  'tag.removed': { readonly tag: string }
  'tag.deleted': { readonly id: string }
  'trash.restored': { readonly id: string; readonly to: string }
  /** One line for each user whose trash it was. */
  'trash.emptied': {
    readonly items: number
    readonly folders: number
    readonly documents: number
    readonly versions: number
    readonly bytes: number
    /** Null where all of it went. */
    readonly olderThanDays: number | null
  }
  'schema.migrated': { readonly from: number; readonly to: number }
  'restore.done': RestoreDetails
  'restore_point.removed': { readonly size: number }
}

/** A restore as it is noted: where everything counts as `unchanged`, it changed nothing. */
interface RestoreDetails {
  readonly writer: string
  readonly created: string | null
  readonly onConflict: ConflictChoice
  readonly replace: boolean
  readonly keepGoing: boolean
  /** What of the archive was meant; null for all of it. */
  readonly parts: ChosenParts | null
  readonly users: ActionCounts
  readonly tags: ActionCounts
  readonly folders: ActionCounts
  readonly documents: ActionCounts
  readonly replaced: RestorePlan['replaced']
  readonly trashed: number
  /** What of a damaged archive did not come back. */
  readonly leftOut: number
  readonly restorePoint: string | null
  /** The digest of the plan. */
  readonly plan: string
}

/** Something that happened, to be noted. */
export type AuditEntry = {
  readonly [A in AuditAction]: {
    readonly action: A
    /** Whose account or tree it is about; null where it is about the whole instance. */
    readonly username: string | null
    /** The path, name or archive; empty where there is none. */
    readonly about: string
    readonly details: AuditDetails[A]
  }
}[AuditAction]

/** What was noted. */
export interface AuditLine {
  /** Rises with each line; gaps mean nothing. */
  readonly number: number
  readonly at: string
  readonly action: string
  readonly username: string | null
  readonly about: string
  readonly details: Readonly<Record<string, unknown>>
}
