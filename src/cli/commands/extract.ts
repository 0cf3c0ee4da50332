import { Option } from 'commander'
import type { Command } from 'commander'
import type { ExtractReport } from '../../contract/extract-report.ts'
import { StrongroomError } from '../../errors.ts'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText, counted, countText } from '../units.ts'
import { archiveKeys, withKeyFile, type KeyOptions } from './archive-key.ts'
import { archiveOrUrlOf } from './archive-argument.ts'
import { eachOf } from './each-of.ts'
import { example } from './example.ts'

interface ExtractOptions extends KeyOptions {
  readonly to: string
  readonly user?: string
  readonly document?: readonly string[]
  readonly versions: 'last' | 'all'
  readonly overwrite?: boolean
  readonly keepGoing?: boolean
}

export function addExtract(program: Command, session: Session): void {
  const command = program
    .command('extract')
    .summary('take files out of an archive')
    .description(
      'Writes documents of an archive into a folder, under their titles; without a path all of them, a folder for each user. Needs no instance. Every file is held against its hash, and what is there already is not replaced.',
    )
    .argument('<archive>', 'the archive: a file, its URL (https://…), or - for standard input')
    .argument('[path...]', 'what to take out, as .home/Taxes or .home/Taxes/2023.pdf; a folder with all below it')
    .requiredOption(
      '--to <folder>',
      'where to write it (made if it is not there); - writes one document to standard output',
    )
    .option('--user <name>', 'whose; needed where several users have such a path')
    .option('--document <id>', 'a document by its id, one in the trash too; may be given several times', eachOf)
    .addOption(
      new Option('--versions <which>', 'all: earlier ones beside the last, as "scan (version 1).pdf"')
        .choices(['last', 'all'])
        .default('last'),
    )
    .option('--overwrite', 'replace files that are there and different')
    .option('--keep-going', 'leave out what is damaged, and write the rest')
  withKeyFile(command)
    .addHelpText(
      'after',
      example(
        'strongroom extract strongroom-20261124T140352Z.tar.gz --to rescued',
        'strongroom extract backup.tar.gz .home/Taxes --user ada --to ~/taxes',
        'strongroom extract backup.tar.gz .home/lease.pdf --to - > lease.pdf',
      ),
    )
    .action(async (typed: string, paths: readonly string[], options: ExtractOptions) => {
      const { user, document: documents = [], versions, overwrite = false, keepGoing = false } = options
      const toOutput = options.to === '-'
      if (toOutput) assertOneFile(session, versions)
      const app = await session.app()
      const input = {
        archive: archiveOrUrlOf(typed, session),
        keys: archiveKeys('extract', options, session),
        choice: { paths, documents, ...(user === undefined ? {} : { username: user }) },
        to: toOutput ? session.terminal.stdout : session.path(options.to),
        versions,
        overwrite,
        keepGoing,
      }
      const report = await session.withProgress((onProgress) => app.extract(input, onProgress, session.signal))
      await session.report(report, () => (toOutput ? [] : extractLines(report)))
    })
}

function assertOneFile(session: Session, versions: 'last' | 'all'): void {
  const reason = session.json
    ? 'Standard output cannot carry the file and the JSON report.'
    : versions === 'all'
      ? 'Standard output can take one version alone.'
      : undefined
  if (reason !== undefined) throw new StrongroomError('usage.invalid', { command: 'extract', reason })
}

function extractLines(report: ExtractReport): string[] {
  const { folders, files, bytes, unchanged, replaced } = report
  return columns([
    ['Archive', display(report.archive)],
    ['Written to', display(report.to)],
    [
      'Files',
      `${counted(files, 'file')}${folders === 0 ? '' : ` in ${counted(folders, 'folder')}`}, ${bytesText(bytes)}`,
    ],
    ...(unchanged === 0 ? [] : [['There already', `${countText(unchanged)}, the same`]]),
    ...(replaced === 0 ? [] : [['Replaced', countText(replaced)]]),
    ['Proved', report.proved ? 'every file, by its SHA-256' : 'no: the archive carries no hashes'],
  ])
}
