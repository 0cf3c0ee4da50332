import { access, constants } from 'node:fs/promises'
import type { Command } from 'commander'
import { onFile } from '../../std/files.ts'
import type { Session } from '../session.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'
import { facts } from './facts.ts'

export function addRestore(program: Command, session: Session): void {
  program
    .command('restore')
    .summary('bring an archive back into an empty instance')
    .description(
      'Brings back what an archive of Strongroom, or of Papermerge 2.1 to 3.2, holds. The instance must have no documents, no tags and no folders below the roots. All of it comes back, or nothing.',
    )
    .argument('<archive>', 'the archive, or - for standard input')
    .option('--migrate', 'create the instance, or upgrade its schema, first')
    .addHelpText('after', example('strongroom restore strongroom-20261124T140352Z.tar.gz --data /srv/new --migrate'))
    .action(async (typed: string, { migrate = false }: { migrate?: boolean }) => {
      const archive = archiveOf(typed, session)
      if (migrate) {
        // An archive that is not there is no reason to make an instance.
        if (typeof archive === 'string') await onFile(archive, 'read', () => access(archive, constants.R_OK))
        await (await session.app()).migrate()
      }
      const report = await session.withInstance('exclusive', 'restore', async ({ restore }) => {
        using progress = await session.progress()
        return await restore({ archive }, progress.onProgress, session.signal)
      })
      await session.report(report, () => facts(report))
    })
}
