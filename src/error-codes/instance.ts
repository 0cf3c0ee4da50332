import type { ErrorEntry } from './entry.ts'

/** What is wrong with an instance, what is in it, or a file. */
export const instanceCodes = {
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

  'media.missing': {
    kind: 'corrupt',
    message: 'The file {key} of a document is missing from the media folder.',
    hint: 'Run "strongroom check" to see what else is missing, and restore it from a backup.',
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
} as const satisfies Record<string, ErrorEntry>
