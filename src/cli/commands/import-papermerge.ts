import type { Command } from 'commander'
import { StrongroomError } from '../../errors.ts'
import { papermergeDatabase } from '../../operations/papermerge/address.ts'
import type { Session } from '../session.ts'
import { example } from './example.ts'
import { runRestore } from './restore.ts'
import { assertUsable, withRestoreOptions, type RestoreOptions } from './restore-options.ts'

interface ImportPapermergeOptions extends RestoreOptions {
  readonly from?: string
  readonly media?: string
}

export function addImportPapermerge(program: Command, session: Session): void {
  const command = program
    .command('import-papermerge')
    .summary('bring a Papermerge 2.1 in as it lives, without a backup of it')
    .description(
      'Reads the database and the media folder of a Papermerge 2.1, for when its own backup fails or it has none, and brings in what a restore of its backup would. Nothing of it is written. A file that is missing is named and left out, and everything else comes: exit code 3. What the instance holds stays, as with "restore". All of it comes in, or nothing.',
    )
    .option(
      '--from <url>',
      'the database of Papermerge: postgres://… or the path of its SQLite file; without it, --database names that',
    )
    .option('--media <folder>', 'the folder that holds the "docs" and "sidecars" of Papermerge')
  withRestoreOptions(command, 'leave out files that are there and cannot be read, too, and go on where none is there')
    .addHelpText(
      'after',
      example(
        'strongroom import-papermerge --from /srv/papermerge/db.sqlite3 --media /srv/papermerge/media --dry-run',
        'strongroom import-papermerge --from postgres://papermerge@db/papermerge --media /srv/media --data /srv/new --migrate',
      ),
    )
    .action(async (options: ImportPapermergeOptions) => {
      assertUsable('import-papermerge', options)
      const place = placeOf(options, session)
      const assertThere = async (): Promise<void> => (await session.app()).assertPapermerge(place)
      await runRestore(session, 'import-papermerge', { archive: place }, options, assertThere)
    })
}

/**
 * Without --from, --database is that of Papermerge: who types it here can mean no other, as an instance alone is nothing to
 * import. Each side refuses the database of the other.
 */
function placeOf(options: ImportPapermergeOptions, session: Session): { database: string; media: string } {
  const { from = session.takeDatabase(), media } = options
  const missing =
    from === undefined || from === ''
      ? '--from (or --database, where the instance needs none) must name the database of Papermerge.'
      : media === undefined || media === ''
        ? '--media must name the media folder of Papermerge.'
        : undefined
  if (missing !== undefined) {
    throw new StrongroomError('usage.invalid', { command: 'import-papermerge', reason: missing })
  }
  return { database: papermergeDatabase(from!, session.path('.')), media: session.path(media!) }
}
