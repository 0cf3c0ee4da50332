import type { Command } from 'commander'
import { columns, right } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText, countText } from '../units.ts'
import { example } from './example.ts'

export function addImport(program: Command, session: Session): void {
  program
    .command('import')
    .summary('bring files and folder trees in')
    .description(
      'Files become documents and folders become folders, below the inbox or the folder that --into names. The same bytes at the same place are skipped, changed ones become a new version. Links are not followed.',
    )
    .argument('<path...>', 'files and folders')
    .requiredOption('--user <name>', 'whose documents they become')
    .option('--into <folder>', 'the folder that takes them (default: the inbox)')
    .addHelpText('after', example('strongroom import ~/Documents scan.pdf --user ada --into .home/Papers'))
    .action(async (typed: string[], { user, into }: { user: string; into?: string }) => {
      const input = { paths: typed.map(session.path), username: user, ...(into === undefined ? {} : { into }) }
      const report = await session.withInstance('write', 'import', ({ importFiles }) =>
        session.withProgress((onProgress) => importFiles(input, onProgress, session.signal)),
      )
      await session.report(report, () =>
        columns([
          ['Documents added', right(countText(report.added))],
          ['New versions', right(countText(report.newVersions))],
          ['Unchanged', right(countText(report.unchanged))],
          ['Folders made', right(countText(report.folders))],
          ['Bytes taken in', right(bytesText(report.bytes))],
          ['Left out', right(countText(report.leftOut.total))],
        ]),
      )
    })
}
