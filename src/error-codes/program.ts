import type { ErrorEntry } from './entry.ts'

/** What is wrong with how the program was called, or with the program itself. */
export const programCodes = {
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
  'usage.url': {
    kind: 'usage',
    message:
      'A URL stands where a file or a folder is needed: only "inspect" and "extract" read an archive from a URL.',
    hint: 'Download the archive first, as with "curl -O URL", and name the file.',
  },
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
} as const satisfies Record<string, ErrorEntry>
