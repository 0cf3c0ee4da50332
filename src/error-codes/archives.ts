import type { ErrorEntry } from './entry.ts'

/** What is wrong with an archive, or with what is done with one. */
export const archiveCodes = {
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
  'archive.key_missing': {
    kind: 'denied',
    message: '{archive} is encrypted with {how}, and no key was given.',
    hint: 'Name the file that holds it with --key-file FILE or STRONGROOM_KEY_FILE; a passphrase is asked for at a terminal, unless standard input carries the archive.',
  },
  'archive.wrong_key': {
    kind: 'denied',
    message: '{archive} is encrypted with {how}, and what was given does not open it.',
    hint: 'Give the key that it was made for. If it surely is that one, the first bytes of the file were damaged: use another copy.',
  },
  'archive.changed': {
    kind: 'corrupt',
    message: '{archive} changed while it was being read.',
    hint: 'Wait until nobody writes it, and try again; nothing was changed.',
  },
  'archive.invalid_url': {
    kind: 'usage',
    message: 'The address of the archive is not understood.',
    hint: 'Write https://HOST/PATH, with what stands in it of blanks and other marks as %20 and so on.',
  },
  'archive.unreachable': {
    kind: 'unavailable',
    message: '{archive} could not be read: {reason}.',
    hint: 'Check the address and the network, and try again. Behind a proxy, set HTTPS_PROXY and NODE_USE_ENV_PROXY=1.',
  },
  'archive.untrusted_server': {
    kind: 'unavailable',
    message: '{archive} was not read: nobody that is trusted vouches for its server ({reason}).',
    hint: 'Check the address. If the server has a certificate of your own authority, name the file of that with NODE_EXTRA_CA_CERTS.',
  },
  'archive.url_not_found': {
    kind: 'not_found',
    message: '{archive} is not there: its server answers with status {status}.',
    hint: 'Check the address.',
  },
  'archive.url_denied': {
    kind: 'denied',
    message: '{archive} may not be read: its server answers with status {status}.',
    hint: 'Give a name and a password as https://NAME:PASSWORD@HOST/…, or a new address where a signed one has run out.',
  },
  'archive.http_status': {
    kind: 'unavailable',
    message: '{archive} could not be read: its server answers with status {status}.',
    hint: 'Try again later, or look at the log of that server.',
  },
  'archive.bad_answer': {
    kind: 'unavailable',
    message: '{archive} could not be read: {reason}.',
    hint: 'Download it with another program, and name the file.',
  },

  'key.unusable': {
    kind: 'invalid',
    message: '{path} cannot be used as a key: {reason}',
    hint: 'A key file holds what age-keygen wrote, or a passphrase in one line; a file of recipients one age1… a line.',
  },

  'scratch.memory_full': {
    kind: 'unavailable',
    message:
      'What must be kept of an encrypted archive while it is being read does not fit into {limit} MiB of memory.',
    hint: 'Name a folder on an encrypted disk with STRONGROOM_SCRATCH: there it is kept in the clear while the command runs, in files without a name.',
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
