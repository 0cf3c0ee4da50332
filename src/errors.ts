/**
 * The one error class and the one registry of its codes. Imports nothing; every room may import it.
 *
 * A message says what happened and to what; a hint says what to do about it. `{name}` in either stands for the detail
 * of that name. docs/errors.md lists every code, and a test holds the two together.
 */

/** What sort of failure a code is; the command line turns it into an exit code, HTTP into a status. */
export type ErrorKind =
  | 'fault' // the program itself is wrong
  | 'usage' // the command was written wrongly
  | 'corrupt' // the input is damaged or hostile
  | 'invalid' // the input is well formed and not acceptable
  | 'conflict' // something is there already
  | 'not_found' // what was named does not exist
  | 'busy' // somebody else is at work
  | 'denied' // permission
  | 'unavailable' // no space, input/output error, unreachable database
  | 'interrupted' // ended by a signal

interface ErrorEntry {
  readonly kind: ErrorKind
  readonly message: string
  readonly hint: string
}

const registry = {
  'program.fault': {
    kind: 'fault',
    message: 'Strongroom failed in a way it should not: {reason}',
    hint: 'Run the command again with --debug and report what it prints.',
  },
  'program.interrupted': {
    kind: 'interrupted',
    message: 'Ended by {signal}.',
    hint: 'Nothing was left half done. Run the command again if it is still wanted.',
  },
  'usage.invalid': {
    kind: 'usage',
    message: '{reason}',
    hint: 'Run "strongroom {command} --help" to see how it is used.',
  },
  'usage.unknown_command': { kind: 'usage', message: '{reason}', hint: 'Run "strongroom --help" to see the commands.' },
  'config.invalid': {
    kind: 'usage',
    message: '{name} is not usable: {reason}',
    hint: 'Correct the option or the environment variable {name}.',
  },

  'text.nul': {
    kind: 'invalid',
    message: 'The {what} {text} contains a NUL character.',
    hint: 'Remove the NUL character; no database and no file system can hold it.',
  },
  'text.surrogate': {
    kind: 'invalid',
    message: 'The {what} {text} contains half of a surrogate pair, which is no character.',
    hint: 'Correct the text; it is not valid Unicode.',
  },
  'text.empty': { kind: 'invalid', message: 'The {what} is empty.', hint: 'Give a {what} of at least one character.' },
  'text.too_long': {
    kind: 'invalid',
    message: 'The {what} {text} has {length} characters; at most {limit} are possible.',
    hint: 'Shorten the {what}.',
  },

  'data.missing': {
    kind: 'not_found',
    message: 'There is no Strongroom instance in {path}.',
    hint: 'Name the right folder with --data or STRONGROOM_DATA, or create an instance there with "strongroom migrate".',
  },
  'data.not_mounted': {
    kind: 'not_found',
    message: '{path} holds no Strongroom instance: a new container starts with an empty {path}.',
    hint: 'Mount the folder or volume that holds yours: docker run -v strongroom-data:{path} IMAGE … To start a new instance there, run "migrate" first.',
  },
  'data.foreign': {
    kind: 'conflict',
    message: '{path} holds the files of another program ({found}).',
    hint: 'Choose an empty folder with --data or STRONGROOM_DATA; nothing was changed here.',
  },
  'data.not_folder': {
    kind: 'conflict',
    message: '{path} is not a folder.',
    hint: 'Name a folder with --data or STRONGROOM_DATA; nothing was changed here.',
  },
  'data.newer_layout': {
    kind: 'not_found',
    message: 'The data directory {path} has layout {layout}, which is newer than this program knows ({known}).',
    hint: 'Use the Strongroom version that wrote it, or a later one.',
  },
  'data.not_writable': {
    kind: 'denied',
    message: 'The folder {path} may not be written by user {uid}.',
    hint: 'Give it to that user: chown -R {uid}:{gid} {path}',
  },

  'database.unreachable': {
    kind: 'unavailable',
    message: 'The database {database} cannot be reached: {reason}',
    hint: 'Check that the database server runs and that its address is right.',
  },
  'database.denied': {
    kind: 'denied',
    message: 'The database {database} refused access: {reason}',
    hint: 'Check the user name, the password and the rights of that user.',
  },
  'database.failed': {
    kind: 'unavailable',
    message: 'The database {database} failed: {reason}',
    hint: 'Look at the disk and at the log of the database; nothing was half done.',
  },
  'database.no_space': {
    kind: 'unavailable',
    message: 'The database {database} ran out of space: {reason}',
    hint: 'Make room on its disk and run the command again.',
  },
  'database.damaged': {
    kind: 'corrupt',
    message: 'The database {database} is damaged or is not a Strongroom database: {reason}',
    hint: 'Restore a backup into a new data directory; keep the damaged file for inspection.',
  },
  'database.foreign': {
    kind: 'conflict',
    message: 'The database {database} already holds tables of another program ({found}).',
    hint: 'Give Strongroom a database of its own; nothing was changed in this one.',
  },
  'database.wrong_encoding': {
    kind: 'conflict',
    message: 'The database {database} keeps text as {found}; Strongroom needs UTF8.',
    hint: "Make a new one: CREATE DATABASE strongroom ENCODING 'UTF8' TEMPLATE template0. Nothing was changed in this one.",
  },
  'database.busy': {
    kind: 'busy',
    message: 'The database {database} is in use and did not become free in {seconds} seconds.',
    hint: 'Wait until the other command has finished and try again.',
  },
  'database.invalid_url': {
    kind: 'usage',
    message: 'The database address {database} is not understood.',
    hint: 'Use postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:PATH.',
  },

  'schema.missing': {
    kind: 'not_found',
    message: 'The database {database} has no Strongroom schema yet.',
    hint: 'Create it with "strongroom migrate".',
  },
  'schema.older': {
    kind: 'not_found',
    message: 'The schema of {database} is version {found}; this program needs {needed}.',
    hint: 'Upgrade it with "strongroom migrate".',
  },
  'schema.newer': {
    kind: 'not_found',
    message: 'The schema of {database} is version {found}, newer than this program knows ({known}).',
    hint: 'Use the Strongroom version that wrote it, or a later one.',
  },

  'instance.busy': {
    kind: 'busy',
    message: 'Another command is at work on this instance, and "{command}" needs it alone.',
    hint: 'Wait until it has finished and try again; nothing was changed.',
  },
  'instance.closed_to_writers': {
    kind: 'busy',
    message: 'A restore or a migration is at work on this instance.',
    hint: 'Wait until it has finished and try again; nothing was changed.',
  },

  'user.not_found': {
    kind: 'not_found',
    message: 'There is no user called {username}.',
    hint: '"strongroom user list" shows the users; "strongroom user add" makes one.',
  },
  'user.exists': {
    kind: 'conflict',
    message: 'A user called {username} exists already.',
    hint: 'Choose another name.',
  },
  'user.last_superuser': {
    kind: 'conflict',
    message: '{username} is the last active superuser.',
    hint: 'Make another user a superuser first.',
  },
  'user.empty_password': {
    kind: 'invalid',
    message: 'The password is empty.',
    hint: 'Type one at the prompt, or give it as one line on standard input.',
  },

  'node.not_found': {
    kind: 'not_found',
    message: 'There is nothing at {path} of user {username}.',
    hint: '"strongroom tree --user {username}" shows what there is.',
  },
  'node.exists': {
    kind: 'conflict',
    message: 'There is something called {title} in {folder} already.',
    hint: 'Choose another name or another folder.',
  },
  'node.not_folder': { kind: 'conflict', message: '{path} is a document, not a folder.', hint: 'Name a folder.' },
  'node.is_root': {
    kind: 'conflict',
    message: '{path} is the home or the inbox of {username}, which can be neither moved nor removed.',
    hint: 'Name something inside it.',
  },
  'node.into_itself': {
    kind: 'conflict',
    message: '{path} cannot be moved into {target}, which lies inside it.',
    hint: 'Choose another folder.',
  },
  'node.bad_path': {
    kind: 'invalid',
    message: '{path} is not a path: {reason}',
    hint: 'Write .home/Folder/Title; a slash in a title is \\/ and a backslash \\\\.',
  },

  'trash.not_found': {
    kind: 'not_found',
    message: 'There is nothing called {item} in the trash of user {username}.',
    hint: 'Name an id or a path as "strongroom trash list --user {username}" shows them.',
  },
  'trash.ambiguous': {
    kind: 'conflict',
    message: '{count} things in the trash of user {username} were at {item}.',
    hint: 'Name one by its id: "strongroom trash list --user {username}" shows them.',
  },
  'trash.place_gone': {
    kind: 'conflict',
    message: 'The folder that held {item} is gone, or in the trash too.',
    hint: 'Name another folder with --into.',
  },
  'trash.place_taken': {
    kind: 'conflict',
    message: 'Where {item} was, in {folder}, something else is called {title} now.',
    hint: 'Name another folder with --into or another title with --title.',
  },
  'trash.not_confirmed': {
    kind: 'usage',
    message: 'Emptying the trash cannot be undone, and nobody confirmed it.',
    hint: 'Answer the question at a terminal, or give --yes.',
  },

  'tag.not_found': {
    kind: 'not_found',
    message: 'User {username} has no tag called {name}.',
    hint: '"strongroom tag list --user {username}" shows the tags.',
  },

  'file.not_found': { kind: 'not_found', message: '{path} does not exist.', hint: 'Check the name and the folder.' },
  'file.exists': {
    kind: 'conflict',
    message: '{path} exists already.',
    hint: 'Choose another name, or replace it with --overwrite.',
  },
  'file.denied': {
    kind: 'denied',
    message: '{path} may not be {action}: {reason}',
    hint: 'Check the rights of the file and of the folder it is in.',
  },
  'file.no_space': {
    kind: 'unavailable',
    message: 'No space left while writing {path}.',
    hint: 'Make room on that disk and run the command again; what was written so far was removed.',
  },
  'file.too_little_space': {
    kind: 'unavailable',
    message: '{path} needs {needed} bytes, and its disk has {free} free.',
    hint: 'Make room on that disk or choose another place; nothing was changed.',
  },
  'file.io': {
    kind: 'unavailable',
    message: '{path} could not be {action}: {reason}',
    hint: 'Check the disk; nothing was half done.',
  },
  'file.not_regular': { kind: 'invalid', message: '{path} is not a regular file.', hint: 'Name a regular file.' },

  'media.missing': {
    kind: 'corrupt',
    message: 'The file {key} of a document is missing from the media folder.',
    hint: 'Run "strongroom check" to see what else is missing, and restore it from a backup.',
  },

  'archive.not_an_archive': {
    kind: 'corrupt',
    message: '{archive} is not a backup: {reason}',
    hint: 'Name a .tar.gz that Strongroom or Papermerge 2.1 to 3.2 wrote.',
  },
  'archive.truncated': {
    kind: 'corrupt',
    message: '{archive} ends too early: {reason}',
    hint: 'The file was cut, by a failed copy or a failed backup. Copy it again from where it was made, or use another backup.',
  },
  'archive.damaged': {
    kind: 'corrupt',
    message: '{archive} is damaged: {reason}',
    hint: 'Copy it again from where it was made, or use another backup. "strongroom verify" lists all that is wrong.',
  },
  'archive.hostile': {
    kind: 'corrupt',
    message: '{archive} holds the entry {member}, which no backup has: {reason}',
    hint: 'Do not trust this file; somebody may have made it to do harm.',
  },
  'archive.no_metadata': {
    kind: 'corrupt',
    message: '{archive} has no backup.json: this backup never completed.',
    hint: 'Papermerge leaves such a file when its backup fails. Use another backup.',
  },
  'archive.bad_metadata': {
    kind: 'corrupt',
    message: 'backup.json in {archive} cannot be read: {reason}',
    hint: 'Use another backup; this one was damaged or altered.',
  },
  'archive.invalid_metadata': {
    kind: 'corrupt',
    message: 'backup.json in {archive} says something impossible: {reason}',
    hint: 'Use another backup; this one was damaged or altered.',
  },
  'archive.missing_file': {
    kind: 'corrupt',
    message: '{archive} lacks the file {member}, which its backup.json names, and does not say why.',
    hint: 'Use another backup; "strongroom verify" lists all that is missing.',
  },
  'archive.checksum_mismatch': {
    kind: 'corrupt',
    message: '{member} in {archive} is not what was written: SHA-256 {actual} instead of {expected}.',
    hint: 'Copy the archive again from where it was made, or use another backup.',
  },
  'archive.newer_format': {
    kind: 'corrupt',
    message: '{archive} has format {format}; this program reads up to format {known}.',
    hint: 'Use the Strongroom version that wrote it ({writer}), or a later one.',
  },
  'archive.changed': {
    kind: 'corrupt',
    message: '{archive} changed while it was being read.',
    hint: 'Wait until nobody writes it, and try again; nothing was changed.',
  },

  'contents.user_not_found': {
    kind: 'not_found',
    message: 'There is no user called {username} in {archive}.',
    hint: 'It has {known}.',
  },
  'contents.nothing_there': {
    kind: 'not_found',
    message: 'There is nothing at {path} in {archive}.{near}',
    hint: '"strongroom inspect ARCHIVE --tree" shows what there is, and --find TEXT looks for it.',
  },
  'contents.ambiguous_path': {
    kind: 'conflict',
    message: '{count} users have something at {path}: {users}.',
    hint: 'Say whose with --user NAME.',
  },
  'contents.document_not_found': {
    kind: 'not_found',
    message: 'There is no document with the id {id} in {archive}.',
    hint: '"strongroom inspect ARCHIVE --find TEXT" shows ids.',
  },
  'contents.file_lost': {
    kind: 'corrupt',
    message: 'The file of {document} is not whole in {archive}: {reason}',
    hint: 'Use another backup, or take an earlier version with --versions all.',
  },

  'part.in_trash': {
    kind: 'conflict',
    message: 'The document {id} was in the trash when {archive} was made, so that it has no place to come back to.',
    hint: 'Name a folder for it with --into.',
  },
  'part.several_users': {
    kind: 'conflict',
    message: 'What was named belongs to several users of the archive: {users}.',
    hint: 'Say whose is meant with --user NAME; --as-user takes the things of one.',
  },

  'extract.in_the_way': {
    kind: 'conflict',
    message: '{path} is in the way: it is {what}, and nothing is written through or over it.',
    hint: 'Remove it, or choose another folder with --to; nothing was written.',
  },
  'extract.no_space': {
    kind: 'unavailable',
    message: 'No space left in {folder}; {written} files were written.',
    hint: 'Make room and run the command again: the files that were written are whole and are not written twice.',
  },

  'papermerge.not_papermerge': {
    kind: 'invalid',
    message: '{database} cannot be read as the database of a Papermerge 2.1: {reason}.',
    hint: 'Name with --from the database that Papermerge itself uses: postgres://… or the path of its SQLite file.',
  },
  'papermerge.other_version': {
    kind: 'invalid',
    message: '{database} belongs to Papermerge {version}, which keeps its documents in another way than 2.1.',
    hint: 'From Papermerge 3.0 to 3.2, make a backup and restore it with "strongroom restore". From others, take the files: "strongroom import" reads folders.',
  },
  'papermerge.own_database': {
    kind: 'conflict',
    message: '{database} is the database of a Strongroom, not of a Papermerge.',
    hint: 'Name the database of Papermerge with --from; that of Strongroom is given by --data and --database.',
  },
  'papermerge.wrong_media': {
    kind: 'invalid',
    message: 'None of the files that {database} names is in {media}: {tried} were looked for.',
    hint: 'Name with --media the folder that holds the "docs" and "sidecars" of this Papermerge; links below it are not followed. If all of them are lost, --keep-going brings in the rest.',
  },
  'papermerge.invalid': {
    kind: 'corrupt',
    message: '{database} says something impossible: {reason}',
    hint: 'Correct it in Papermerge and try again; nothing was changed.',
  },
  'papermerge.missing_file': {
    kind: 'corrupt',
    message: 'Its file {member} is not in {media}, or a link, a pipe or a folder stands in its place.',
    hint: 'Look for it in older copies of the media folder.',
  },
  'papermerge.changed': {
    kind: 'busy',
    message: 'Papermerge removed or changed a file in {media} while it was being read.',
    hint: 'Stop Papermerge, or wait until nobody works with it, and try again; nothing was changed.',
  },

  'backup.damaged_while_read': {
    kind: 'unavailable',
    message: 'The archive {archive} could not be read back as it was written: {reason}',
    hint: 'The disk may be failing. No archive was left under that name; write it to another disk.',
  },

  'drill.no_archive': {
    kind: 'not_found',
    message: 'There is no archive in {folder}.',
    hint: 'Name the folder that the backups are written to, or an archive.',
  },

  'restore.conflicts': {
    kind: 'conflict',
    message:
      'Nothing was restored: what {archive} holds is in the instance already, and different. Conflicts: {conflicts}. These are {examples}.',
    hint: '--dry-run lists them all. Choose with --on-conflict: skip leaves what is there, overwrite moves it to the trash, keep-both restores beside it.',
  },
  'restore.plan_outdated': {
    kind: 'conflict',
    message: 'The plan no longer holds: {archive}, or what the plan looked at in the instance, is not what it was.',
    hint: 'Make a new plan with --dry-run --save-plan; nothing was changed.',
  },
  'prune.newest_unsound': {
    kind: 'corrupt',
    message: '{archive}, the newest backup in its folder, does not hold: {reason} Nothing was removed.',
    hint: 'Make a new backup first; then remove or move this file, once "strongroom verify" has said what is wrong with it.',
  },
  'restore_point.not_found': {
    kind: 'not_found',
    message: 'There is no restore point {name} in {folder}.',
    hint: '"strongroom restore-points list" shows them.',
  },
  'restore.bad_plan': {
    kind: 'invalid',
    message: '{path} is not the plan of a restore.',
    hint: 'Make one with "strongroom restore ARCHIVE --dry-run --save-plan FILE".',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof registry
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>

const entries: Readonly<Record<ErrorCode, ErrorEntry>> = registry

/** Every code with its kind and its two templates, for the documentation's test. */
export const errorRegistry: Readonly<Record<string, ErrorEntry>> = registry

const fill = (template: string, details: ErrorDetails): string =>
  template.replace(/\{(\w+)\}/g, (whole, name: string) => (name in details ? String(details[name]) : whole))

/** The only error that Strongroom throws on purpose. `cause` is what happened below, shown with --debug. */
export class StrongroomError extends Error {
  readonly code: ErrorCode
  readonly kind: ErrorKind
  readonly hint: string
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(fill(entries[code].message, details), options)
    this.name = 'StrongroomError'
    this.code = code
    this.kind = entries[code].kind
    this.hint = fill(entries[code].hint, details)
    this.details = details
  }
}
