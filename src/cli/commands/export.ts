import { Option } from 'commander'
import type { Command } from 'commander'
import type { ExportReport } from '../../contract/export-report.ts'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText, counted, countText } from '../units.ts'
import { example } from './example.ts'

interface ExportOptions {
  readonly user: string
  readonly to: string
  readonly versions: 'last' | 'all'
  readonly metadata: 'csv' | 'json' | 'none'
  readonly text?: boolean
  readonly overwrite?: boolean
}

export function addExport(program: Command, session: Session): void {
  program
    .command('export')
    .summary("write a user's documents as plain folders and files")
    .description(
      'Writes the documents of a user into a folder or a zip file, under their titles, with a table of what is known of them. It needs no Strongroom to be read; it is no backup. The trash is not in it.',
    )
    .requiredOption('--user <name>', 'whose documents')
    .requiredOption('--to <folder or file.zip>', 'where to write them; a folder is made if it is not there')
    .addOption(
      new Option('--versions <which>', 'all: earlier ones beside the last, as "scan (version 1).pdf"')
        .choices(['last', 'all'])
        .default('last'),
    )
    .addOption(
      new Option('--metadata <form>', 'one table documents.csv, a .json beside each document, or nothing')
        .choices(['csv', 'json', 'none'])
        .default('csv'),
    )
    .option('--text', 'the texts of the pages as .txt beside each document')
    .option('--overwrite', 'replace files that are there and different')
    .addHelpText(
      'after',
      example('strongroom export --user ada --to ada.zip', 'strongroom export --user ada --to /media/stick/ada --text'),
    )
    .action(async ({ user: username, to, versions, metadata, text = false, overwrite = false }: ExportOptions) => {
      const input = { username, to: session.path(to), versions, metadata, text, overwrite }
      const report = await session.withInstance('write', 'export', ({ exportUser }) =>
        session.withProgress((onProgress) => exportUser(input, onProgress, session.signal)),
      )
      await session.report(report, () => exportLines(report))
    })
}

function exportLines(report: ExportReport): string[] {
  const { username, to, documents, folders, files, bytes, unchanged, replaced } = report
  return columns([
    ['User', display(username)],
    ['Written to', display(to)],
    ['Documents', `${counted(documents, 'file')} in ${counted(folders, 'folder')}`],
    ['Written', `${counted(files, 'file')}, ${bytesText(bytes)}`],
    ...(unchanged === 0 ? [] : [['There already', `${countText(unchanged)}, the same`]]),
    ...(replaced === 0 ? [] : [['Replaced', countText(replaced)]]),
  ])
}
