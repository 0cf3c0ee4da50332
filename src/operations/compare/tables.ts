import type { Side } from '../../contract/compare-report.ts'
import type { Scratch } from '../../database/scratch.ts'
import type { Contents } from '../contents/contents.ts'

/** What is compared, an owner before what it owns. */
export const kinds = ['group', 'user', 'tag', 'node', 'version', 'page', 'sidecar'] as const
export type Kind = (typeof kinds)[number]

/** Numbers for the column `side`. */
export const sideNumber: Readonly<Record<Side, 0 | 1>> = { left: 0, right: 1 }

/**
 * Both sides in one form. `id` is the one that the side gives, `key` the one that the same thing has on the left; what is on
 * the right alone keeps its own. `up` is what holds the thing (of the kind `up_kind`) and `name` what it is called in there.
 * References of the right (`up`, `owner`, `document`, `deleted_parent`, `refs`) are turned into keys as soon as what they
 * refer to is matched. `fields` is the JSON of what is compared; texts are there as hashes.
 */
const tables = `
  create table things (side integer not null, kind text not null, id text not null, key text, other_id integer not null default 0,
    up_kind text, up text, name text not null, owner text, document text, depth integer,
    trashed integer, version integer, page integer, refs text, deleted_parent text, fields text not null,
    primary key (side, kind, id)) without rowid;
  create unique index things_key on things (side, kind, key);
  create table unmatched (id text not null, depth integer);
  create table files (side integer not null, key text not null, size integer, sha256 text, reason text,
    primary key (side, key)) without rowid;
  create table changes (kind text not null, key text not null, is_date integer not null, change text);
  create index changes_thing on changes (kind, key);
  create table differences (username text, rank integer not null, place blob not null, kind text not null, difference text not null)`

export const createCompareTables = (scratch: Scratch): void => scratch.exec(tables)

/** One side while it is compared. */
export interface ComparedContents {
  readonly side: Side
  /** How messages name it. */
  readonly label: string
  readonly contents: Contents
  /** Whether its ids are those of an instance. Those of a foreign archive are made up in part, and its dates are not all told. */
  readonly own: boolean
}
