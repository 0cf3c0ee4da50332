import { access, constants } from 'node:fs/promises'
import type { Command } from 'commander'
import type { RestoreReport } from '../../contract/restore-report.ts'
import { onFile } from '../../std/files.ts'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText, counted } from '../units.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'

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
      const report = await session.withInstance('exclusive', 'restore', ({ restore }) =>
        session.withProgress((onProgress) => restore({ archive }, onProgress, session.signal)),
      )
      await session.report(report, () => restoreLines(report))
    })
}

function restoreLines(report: RestoreReport): string[] {
  const { users, adopted, folders, documents, versions, pages, tags, bytes } = report
  const back = [
    counted(folders, 'folder'),
    counted(documents, 'document'),
    counted(versions, 'version'),
    counted(pages, 'page'),
  ]
  return columns([
    ['Archive', display(report.archive)],
    ['Written by', display(report.writer)],
    ['Written at', report.created ?? 'unknown'],
    ['Brought back', `${back.join(', ')}, ${counted(tags, 'tag')}, ${bytesText(bytes)} of files`],
    ['Users', adopted === 0 ? counted(users, 'user') : `${counted(users, 'user')}, ${adopted} of them there already`],
    ['Proved', report.proved ? 'every file, by its SHA-256' : 'no: the archive carries no hashes'],
  ])
}
