import type { TrashContents } from '../../contract/trash.ts'
import type { Scratch } from '../../database/scratch.ts'
import { planNodes } from './plan-nodes.ts'
import { planTags } from './plan-tags.ts'
import { planUsers } from './plan-users.ts'
import { planVersions } from './plan-versions.ts'
import type { Planning } from './planning.ts'
import type { Findings } from './findings.ts'
import type { Staged } from './staged.ts'

/** What a restore of the archive would make, counted; folders to sidecars are those outside the trash. */
export interface Plan {
  readonly users: number
  readonly groups: number
  /** Without the home and the inbox of each user. */
  readonly folders: number
  readonly documents: number
  readonly versions: number
  readonly pages: number
  readonly tags: number
  readonly sidecars: number
  readonly trash: TrashContents
  /** Bytes of the files that would be written, those of the trash too. */
  readonly bytes: number
}

/**
 * The rows that a restore inserts, one plan_ table for each of the database's, and plan_files: which member of the archive
 * becomes which file of the media store. Nothing in them is doubtful any more. Where only parts are wanted, `passage` marks
 * the folders that lead to them, `elsewhere` says into which folder they go, and part_owners has the users who are only
 * there because parts are theirs: the one of the instance who is called so, or, where that is null, the same one.
 */
const tables = `
  create table plan_groups (id text primary key, name text not null unique);
  create table plan_users (u integer primary key, id text not null unique, owner text not null, username text not null unique,
    carries_id integer not null, password text not null, email text, first_name text, last_name text, is_active integer,
    is_superuser integer, is_staff integer, date_joined text, last_login text, created_at text, updated_at text);
  create table part_owners (u integer primary key, username text);
  create table plan_memberships (user_id text not null, group_id text not null, primary key (user_id, group_id)) without rowid;
  create table plan_nodes (seq integer primary key, u integer not null, own integer, n integer, id text, user_id text not null,
    parent_seq integer, parent_id text, depth integer, type text not null, title text not null, path_key text, parent_key text,
    created_at text, updated_at text, lang text, ocr integer, ocr_status text, deleted_at text, deleted_parent text,
    deleted_from text, in_trash integer not null default 0, passage integer not null default 0, elsewhere text);
  create index plan_nodes_path on plan_nodes (u, path_key);
  create index plan_nodes_parent on plan_nodes (parent_seq, title);
  create table plan_tags (id text not null unique, u integer not null, user_id text not null, name text not null,
    bg_color text not null, fg_color text not null, description text, pinned integer not null, primary key (u, name)) without rowid;
  create table plan_node_tags (node_id text not null, tag_id text not null, primary key (node_id, tag_id)) without rowid;
  create table plan_versions (id text primary key, document_id text not null, number integer not null, file_name text,
    size integer, sha256 text, media_type text, page_count integer, lang text not null, short_description text not null,
    text text not null, created_at text, media_key text, unique (document_id, number));
  create table plan_pages (id text primary key, version_id text not null, number integer not null, lang text not null,
    text text not null, unique (version_id, number));
  create table plan_sidecars (page_id text not null, kind text not null, size integer not null, sha256 text not null,
    media_key text not null, primary key (page_id, kind));
  create table plan_files (path text not null, media_key text not null, size integer not null);
  create index plan_files_path on plan_files (path)`

export const createPlanTables = (scratch: Scratch): void => scratch.exec(tables)

/**
 * Relates what was staged: ids, parents, tags, files. `knownIds` are the ids of the users of the instance by their names; a
 * user whose id the archive does not carry keeps that one. Memory does not grow with the archive.
 */
export function planRestore(staged: Staged, findings: Findings, knownIds: ReadonlyMap<string, string>): Plan {
  const { scratch, dialect, header, survey } = staged
  const archive = staged.name
  const planning: Planning = {
    ...findings,
    scratch,
    archive,
    dialect,
    unread: staged.unread,
    format: header?.strongroom?.format ?? 0,
    invalid: (reason) => findings.problem(staged.invalid(reason)),
    missing: (member, about) => findings.problem(staged.missing(member, about)),
  }
  createPlanTables(scratch)
  scratch.exec('begin')
  if (header !== undefined) {
    planUsers(planning, header, knownIds)
    planNodes(planning)
    planTags(planning)
    planVersions(planning)
    reportLeftOvers(planning, header.version, survey.metadataBytes)
  }
  scratch.exec('commit')
  return countPlan(scratch)
}

/** Counts what is planned. */
export function countPlan(scratch: Scratch): Plan {
  const count = (sql: string): number => Number(scratch.first(`select count(*) as n from ${sql}`)?.n ?? 0)
  const trashed = 'plan_nodes t join plan_versions v on t.in_trash = 1 and v.document_id = t.id'
  const trashedPages = `${trashed} join plan_pages p on p.version_id = v.id`
  const trash = {
    folders: count("plan_nodes where type = 'folder' and in_trash = 1"),
    documents: count("plan_nodes where type = 'document' and in_trash = 1"),
    versions: count(trashed),
  }
  return {
    users: count('plan_users'),
    groups: count('plan_groups'),
    folders: count(
      "plan_nodes where type = 'folder' and in_trash = 0 and not (parent_seq is null and title in ('.home', '.inbox'))",
    ),
    documents: count("plan_nodes where type = 'document' and in_trash = 0"),
    versions: count('plan_versions') - trash.versions,
    pages: count('plan_pages') - count(trashedPages),
    tags: count('plan_tags'),
    sidecars: count('plan_sidecars') - count(`${trashedPages} join plan_sidecars s on s.page_id = p.id`),
    trash,
    bytes: Number(scratch.first('select coalesce(sum(size), 0) as n from plan_files')?.n ?? 0),
  }
}

function reportLeftOvers(
  { scratch, warning, archive, dialect }: Planning,
  version: string | undefined,
  metadataBytes: number,
): void {
  const orphans = Number(scratch.first("select count(*) as n from members where used = 0 and type = 'file'")?.n ?? 0)
  if (orphans > 0) {
    const example = String(scratch.first("select path from members where used = 0 and type = 'file'")?.path ?? '')
    warning(
      'archive.orphan_files',
      example,
      `${orphans} files belong to no document that backup.json knows; they were ignored.`,
    )
  }
  if (dialect !== 'strongroom' && version !== undefined && !/^[23]\./.test(version)) {
    warning(
      'archive.unknown_version',
      archive,
      `It says that Papermerge ${version.slice(0, 50)} wrote it, which this program does not know; it was read as 2.1.`,
    )
  }
  if (metadataBytes > 0 && scratch.first('select 1 as n from plan_users') === undefined) {
    warning('archive.no_users', archive, 'It holds no user, so that there is nothing to restore.')
  }
}
