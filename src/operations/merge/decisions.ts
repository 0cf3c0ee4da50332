import type { ConflictChoice, RestoreAction } from '../../contract/restore-plan.ts'
import type { Scratch } from '../../database/scratch.ts'

/**
 * What becomes of each planned thing. `seen` is what was looked at in the instance to decide it: where that is another by the
 * time a plan is carried out, the plan no longer holds. `match_id` is the tag of the instance that a planned one was held
 * against, even where a copy is made. `renewed_documents` get new ids for what they hold.
 */
export const decisionTables = `
  create table user_decisions (u integer primary key, action text not null, target_id text not null, username text not null,
    reason text not null, seen text not null);
  create table tag_decisions (id text primary key, u integer not null, action text not null, target_id text not null,
    match_id text not null, name text not null, reason text not null, seen text not null) without rowid;
  create table node_decisions (seq integer primary key, action text not null, inserts integer not null, target_id text not null, target_parent text,
    target_title text not null, reason text not null, seen text not null);
  create index node_decisions_target on node_decisions (target_id);
  create index node_decisions_place on node_decisions (coalesce(target_parent, ''), target_title);
  create table renewed_documents (id text primary key) without rowid;
  create table in_trash (seq integer primary key);
  create table live_changes (n integer primary key, kind text not null, id text not null, detail text not null default '');`

/** What is done to the instance beside inserting: each by its kind. */
export type LiveChange =
  /** Moves a node, with all below it, to the trash. */
  | 'trash-node'
  /** Moves a document to the trash under new ids, as its own are needed. */
  | 'trash-copy'
  /** Gives a folder the place, the title and the tags of the planned one with this `seq`. */
  | 'set-folder'
  /** Gives a user the fields of the planned one with this `u`. */
  | 'set-user'
  /** Gives a tag the look of the planned one. */
  | 'set-tag'

export const noteChange = (scratch: Scratch, kind: LiveChange, id: string, detail = ''): void =>
  scratch.run('insert into live_changes (kind, id, detail) values (?, ?, ?)', kind, id, detail)

/** What the choice makes of a conflict. `beside` is what keep-both does to things that cannot be there twice. */
export const resolve = (choice: ConflictChoice, beside: RestoreAction = 'copy'): RestoreAction =>
  choice === 'fail' ? 'conflict' : choice === 'keep-both' ? beside : choice

/** `scan (restored).pdf`, and `scan (restored 2).pdf` where that is taken. */
export function restoredName(name: string, isTaken: (name: string) => boolean): string {
  const extension = /\.[^.\s/]{1,16}$/u.exec(name)?.[0] ?? ''
  const stem = extension.length < name.length ? name.slice(0, name.length - extension.length) : name
  const end = extension.length < name.length ? extension : ''
  for (let number = 1; ; number += 1) {
    const candidate = `${stem} (restored${number === 1 ? '' : ` ${number}`})${end}`
    if (!isTaken(candidate)) return candidate
  }
}
