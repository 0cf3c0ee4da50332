import type { Schema } from './schema.ts'

/**
 * What becomes of a column in a backup: `archived` is written into it and comes back with a restore, `derived` is made
 * anew from what is archived, `transient` belongs to the running instance and is left behind.
 */
export type Fate = 'archived' | 'derived' | 'transient'

/** Every table and column; a column of the schema that is missing here does not compile. */
export const fates: { readonly [T in keyof Schema]: { readonly [C in keyof Schema[T]]: Fate } } = {
  users: {
    id: 'archived',
    username: 'archived',
    password: 'archived',
    email: 'archived',
    first_name: 'archived',
    last_name: 'archived',
    is_active: 'archived',
    is_superuser: 'archived',
    is_staff: 'archived',
    date_joined: 'archived',
    last_login: 'archived',
    created_at: 'archived',
    updated_at: 'archived',
  },
  groups: { id: 'archived', name: 'archived' },
  memberships: { user_id: 'archived', group_id: 'archived' },
  nodes: {
    id: 'archived',
    user_id: 'archived',
    parent_id: 'archived',
    type: 'archived',
    title: 'archived',
    created_at: 'archived',
    updated_at: 'archived',
    lang: 'archived',
    ocr: 'archived',
    ocr_status: 'archived',
    deleted_at: 'archived',
    deleted_parent: 'archived',
    deleted_from: 'archived',
  },
  tags: {
    id: 'archived',
    user_id: 'archived',
    name: 'archived',
    bg_color: 'archived',
    fg_color: 'archived',
    description: 'archived',
    pinned: 'archived',
  },
  node_tags: { node_id: 'archived', tag_id: 'archived' },
  versions: {
    id: 'archived',
    document_id: 'archived',
    number: 'archived',
    file_name: 'archived',
    size: 'archived',
    sha256: 'archived',
    media_type: 'archived',
    page_count: 'archived',
    lang: 'archived',
    short_description: 'archived',
    text: 'archived',
    created_at: 'archived',
    media_key: 'derived',
  },
  pages: { id: 'archived', version_id: 'archived', number: 'archived', lang: 'archived', text: 'archived' },
  sidecars: { page_id: 'archived', kind: 'archived', size: 'archived', sha256: 'archived', media_key: 'derived' },
  pending_files: { media_key: 'transient' },
  discarded_files: { media_key: 'transient' },
  audit: {
    number: 'transient',
    at: 'transient',
    action: 'transient',
    username: 'transient',
    about: 'transient',
    details: 'transient',
  },
  schema_migrations: { version: 'transient', name: 'transient', applied_at: 'transient' },
}
