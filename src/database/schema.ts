import type { GeneratedAlways } from 'kysely'
import type { Timestamp } from '../std/clock.ts'

/**
 * The rows. Everything is text or a whole number on both databases, so that a value read from one is the value read from
 * the other: ids are lower-case UUIDs, moments are Timestamps, flags are 0 or 1. Text sorts by its UTF-8 bytes.
 */
export interface Schema {
  users: UserRow
  groups: GroupRow
  memberships: MembershipRow
  nodes: NodeRow
  tags: TagRow
  node_tags: NodeTagRow
  versions: VersionRow
  pages: PageRow
  sidecars: SidecarRow
  pending_files: PendingFileRow
  discarded_files: DiscardedFileRow
  audit: AuditRow
  schema_migrations: SchemaMigrationRow
}

export type Flag = 0 | 1

export interface UserRow {
  id: string
  /** Unique. */
  username: string
  /** A hash as Django writes them, `algorithm$…`; one that begins with `!` never matches a password. */
  password: string
  email: string
  first_name: string
  last_name: string
  is_active: Flag
  is_superuser: Flag
  is_staff: Flag
  date_joined: Timestamp | null
  last_login: Timestamp | null
  created_at: Timestamp | null
  updated_at: Timestamp | null
}

export interface GroupRow {
  id: string
  /** Unique. */
  name: string
}

export interface MembershipRow {
  user_id: string
  group_id: string
}

/** A folder or a document. The two roots of a user are the top-level folders titled `.home` and `.inbox`. */
export interface NodeRow {
  id: string
  user_id: string
  /** Null at the top level, and for what was moved to the trash. */
  parent_id: string | null
  type: 'folder' | 'document'
  /** Unique among the children of one parent of one user; what was moved to the trash is nobody's child. */
  title: string
  created_at: Timestamp | null
  updated_at: Timestamp | null
  /** The language of a document, ISO 639-3; null for a folder. */
  lang: string | null
  /** Whether a document is to be read by OCR; null for a folder. */
  ocr: Flag | null
  /** Null for a folder. */
  ocr_status: 'unknown' | 'received' | 'started' | 'succeeded' | 'failed' | null
  /**
   * When the node was moved to its user's trash; null where it was not. What lies below such a node is in the trash with it
   * and has no date of its own.
   */
  deleted_at: Timestamp | null
  /** The id of the folder that it was in, which may be gone since; null where it was at the top level. */
  deleted_parent: string | null
  /** Where it was then, as a path is written; null where it is not in the trash. */
  deleted_from: string | null
}

export interface TagRow {
  id: string
  user_id: string
  /** Unique among the tags of one user. */
  name: string
  bg_color: string
  fg_color: string
  description: string | null
  pinned: Flag
}

export interface NodeTagRow {
  node_id: string
  tag_id: string
}

/** One state of a document's file; never changed once written. */
export interface VersionRow {
  id: string
  document_id: string
  /** From 0 up; unique in its document. */
  number: number
  /** Null where nothing was ever uploaded. The four columns up to media_type are then null too, and so is media_key. */
  file_name: string | null
  /** The true number of bytes, as acknowledged when the file came in. */
  size: number | null
  /** SHA-256 of the bytes, 64 lower-case hex digits, as acknowledged when the file came in. */
  sha256: string | null
  media_type: string | null
  /** Null where it is not known. */
  page_count: number | null
  lang: string
  short_description: string
  text: string
  created_at: Timestamp | null
  /** Where the bytes lie in the media store; null without a file. */
  media_key: string | null
}

export interface PageRow {
  id: string
  version_id: string
  /** From 0 up; unique in its version. */
  number: number
  lang: string
  text: string
}

/** A file that was derived from a page: its text layer, its words with their places, its picture. */
export interface SidecarRow {
  page_id: string
  /** Which file, see domain/sidecars.ts; unique in its page. */
  kind: string
  size: number
  sha256: string
  media_key: string
}

/** A file that takes its final name before the transaction that refers to it. Left behind by a dead process only. */
export interface PendingFileRow {
  media_key: string
}

/** A file that no row refers to any more, to be removed as soon as nobody reads it. */
export interface DiscardedFileRow {
  media_key: string
}

/** A line of what happened to the instance; never changed, and never removed. */
export interface AuditRow {
  /** Rises in the order of the transactions; gaps mean nothing. */
  number: GeneratedAlways<number>
  at: Timestamp
  /** One of contract/audit.ts. */
  action: string
  /** The name that the user had whose account or tree it is about; null where it is about the whole instance. */
  username: string | null
  /** The path, name or archive; empty where there is none. */
  about: string
  /** A JSON object; contract/audit.ts says what is in it. */
  details: string
}

export interface SchemaMigrationRow {
  /** 1, 2, 3 … */
  version: number
  name: string
  applied_at: Timestamp
}
