import { sql, type Kysely } from 'kysely'
import { columnTypes, textKey, type Dialect } from '../dialect.ts'

/** Users, groups, nodes, tags, versions with their pages, and the journal of files; see schema.ts for what they mean. */
export async function firstSchema(db: Kysely<unknown>, dialect: Dialect): Promise<void> {
  for (const statement of [...tables(dialect), ...indexes(dialect)]) await sql.raw(statement).execute(db)
}

function tables(dialect: Dialect): readonly string[] {
  const { text, whole, flag, tableOptions } = columnTypes(dialect)
  const isFlag = (column: string): string => `${column} ${flag} not null check (${column} in (0, 1))`
  return [
    `create table users (
      id ${text} primary key,
      username ${text} not null,
      password ${text} not null,
      email ${text} not null,
      first_name ${text} not null,
      last_name ${text} not null,
      ${isFlag('is_active')},
      ${isFlag('is_superuser')},
      ${isFlag('is_staff')},
      date_joined ${text},
      last_login ${text},
      created_at ${text},
      updated_at ${text}
    )${tableOptions}`,
    `create table groups (
      id ${text} primary key,
      name ${text} not null
    )${tableOptions}`,
    `create table memberships (
      user_id ${text} not null references users (id) on delete cascade,
      group_id ${text} not null references groups (id) on delete cascade,
      primary key (user_id, group_id)
    )${tableOptions}`,
    `create table nodes (
      id ${text} primary key,
      user_id ${text} not null references users (id) on delete cascade,
      parent_id ${text} references nodes (id),
      type ${text} not null check (type in ('folder', 'document')),
      title ${text} not null,
      created_at ${text},
      updated_at ${text},
      lang ${text},
      ocr ${flag} check (ocr in (0, 1)),
      ocr_status ${text} check (ocr_status in ('unknown', 'received', 'started', 'succeeded', 'failed')),
      check (type = 'document' or (lang is null and ocr is null and ocr_status is null))
    )${tableOptions}`,
    `create table tags (
      id ${text} primary key,
      user_id ${text} not null references users (id) on delete cascade,
      name ${text} not null,
      bg_color ${text} not null,
      fg_color ${text} not null,
      description ${text},
      ${isFlag('pinned')}
    )${tableOptions}`,
    `create table node_tags (
      node_id ${text} not null references nodes (id) on delete cascade,
      tag_id ${text} not null references tags (id) on delete cascade,
      primary key (node_id, tag_id)
    )${tableOptions}`,
    `create table versions (
      id ${text} primary key,
      document_id ${text} not null references nodes (id) on delete cascade,
      number ${whole} not null check (number >= 0),
      file_name ${text},
      size ${whole} check (size >= 0),
      sha256 ${text} check (length(sha256) = 64),
      media_type ${text},
      page_count ${whole} check (page_count >= 0),
      lang ${text} not null,
      short_description ${text} not null,
      text ${text} not null,
      created_at ${text},
      media_key ${text},
      check (media_key is null or (file_name is not null and size is not null and sha256 is not null))
    )${tableOptions}`,
    `create table pages (
      id ${text} primary key,
      version_id ${text} not null references versions (id) on delete cascade,
      number ${whole} not null check (number >= 0),
      lang ${text} not null,
      text ${text} not null
    )${tableOptions}`,
    `create table sidecars (
      page_id ${text} not null references pages (id) on delete cascade,
      kind ${text} not null,
      size ${whole} not null check (size >= 0),
      sha256 ${text} not null check (length(sha256) = 64),
      media_key ${text} not null,
      primary key (page_id, kind)
    )${tableOptions}`,
    `create table pending_files (
      media_key ${text} primary key
    )${tableOptions}`,
    `create table discarded_files (
      media_key ${text} primary key
    )${tableOptions}`,
  ]
}

function indexes(dialect: Dialect): readonly string[] {
  const key = (column: string): string => textKey(dialect, column)
  return [
    `create unique index users_by_name on users (${key('username')})`,
    `create unique index groups_by_name on groups (${key('name')})`,
    'create index memberships_by_group on memberships (group_id)',
    // A null would be unlike every other null, so two nodes of one name could stand at the top level.
    `create unique index nodes_by_title on nodes (user_id, coalesce(parent_id, ''), ${key('title')})`,
    'create index nodes_by_parent on nodes (parent_id)',
    `create unique index tags_by_name on tags (user_id, ${key('name')})`,
    'create index node_tags_by_tag on node_tags (tag_id)',
    'create unique index versions_by_number on versions (document_id, number)',
    'create unique index pages_by_number on pages (version_id, number)',
    'create unique index versions_by_media_key on versions (media_key)',
    'create unique index sidecars_by_media_key on sidecars (media_key)',
  ]
}
