import type { Command } from 'commander'
import type { DrilledRestore, DrillReport } from '../../contract/drill-report.ts'
import { StrongroomError } from '../../errors.ts'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import { exitFault, exitUnsound } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { bytesText, counted, countText } from '../units.ts'
import { archiveKeys, withKeyFile, type KeyOptions } from './archive-key.ts'
import { example } from './example.ts'

interface DrillOptions extends KeyOptions {
  readonly from?: string
  readonly report?: string
}

export function addDrill(program: Command, session: Session): void {
  const command = program
    .command('drill')
    .summary('prove that a backup can be restored')
    .description(
      'Restores an archive into a scratch instance in the folder for temporary files (TMPDIR), checks it, holds it against the archive and the living instance, and removes it; an encrypted one lies there in the clear meanwhile. Writes a report and drill.json in the data directory. The living instance is only read. Without an archive and --from, a backup is made for the drill.',
    )
    .argument('[archive]', 'the archive')
    .option('--from <folder>', 'drill the newest archive of that folder')
    .option('--report <file>', 'write the report there too, as JSON where the name ends in .json')
  withKeyFile(command)
    .addHelpText(
      'after',
      example(
        'strongroom drill --from /mnt/backups/',
        'strongroom drill strongroom-20261124T140352Z.tar.gz --report drill.txt',
      ),
    )
    .action(async (typed: string | undefined, options: DrillOptions) => {
      if (typed !== undefined && options.from !== undefined) throw misused('Name an archive or --from, not both.')
      if (typed === '-') throw misused('An archive on standard input cannot be drilled: it is read more than once.')
      const app = await session.app()
      const input = {
        ...(typed === undefined ? {} : { archive: session.path(typed) }),
        ...(options.from === undefined ? {} : { from: session.path(options.from) }),
        ...(options.report === undefined ? {} : { reportFile: session.path(options.report) }),
        keys: archiveKeys('drill', options, session),
        render: drillText,
      }
      const report = await session.withProgress((onProgress) => app.drill(input, onProgress, session.signal))
      await session.report(report, () => drillLines(report))
      if (report.outcome === 'archive_damaged') session.exitCode = exitUnsound
      if (report.outcome === 'not_restored') session.exitCode = exitFault
    })
}

const misused = (reason: string): StrongroomError => new StrongroomError('usage.invalid', { command: 'drill', reason })

/** The report as the text of a file: all that the terminal shows, with what it shows on standard error. */
const drillText = (report: DrillReport): string =>
  [
    ...drillLines(report),
    ...report.warnings.listed.map(({ about, message }) => `warning: ${noticeText(about, message)}`),
    ...report.leftOut.listed.map(({ about, message }) => `found: ${noticeText(about, message)}`),
    '',
  ].join('\n')

const noticeText = (about: string, message: string): string =>
  `${about === '' ? '' : `${display(about)}: `}${display(message)}`

function drillLines(report: DrillReport): string[] {
  const { archive, restore, since, error } = report
  return [
    ...columns([
      ['Drill', report.at],
      ['Archive', archive === null ? 'none was read' : `${display(archive.path)}, ${bytesText(archive.bytes)}`],
      ...(archive === null || archive.writer === null
        ? []
        : [
            ['Made', `${archive.created ?? 'at an unknown time'}, by ${display(archive.writer)}`],
            ['SHA-256', archive.sha256 ?? 'unknown'],
          ]),
      ...(restore === null ? [] : [['Restored', restoreText(restore)]]),
      ...(since === null ? [] : [['Since then', sinceText(since)]]),
      ...report.files.map((file) => ['Report', display(file)]),
    ]),
    '',
    ...report.proved.map(({ message }) => `proved: ${display(message)}`),
    ...report.notProved.map(({ message }) => `not proved: ${display(message)}`),
    ...(error === null ? [] : [`wrong: ${display(error.message)}`]),
    '',
    verdicts[report.outcome](report),
  ]
}

const restoreText = ({ seconds, bytes, bytesPerSecond, database, documents, versions }: DrilledRestore): string =>
  `${counted(documents, 'document')}, ${counted(versions, 'version')}, ${bytesText(bytes)} to ${database} in ${seconds.toFixed(1)} s (${bytesText(bytesPerSecond)}/s)`

function sinceText({ total, byKind, newDocuments }: NonNullable<DrillReport['since']>): string {
  if (total === 0) return 'nothing has changed in the instance'
  const kinds = Object.entries(byKind).map(([kind, count]) => `${countText(count)} ${kind}`)
  return `${counted(total, 'difference')} in the instance (${kinds.join(', ')}; ${counted(newDocuments, 'new document')})`
}

const verdicts: Readonly<Record<DrillReport['outcome'], (report: DrillReport) => string>> = {
  proved: () => 'Proved: this archive can be restored.',
  proved_with_findings: ({ leftOut }) =>
    `Proved: this archive can be restored as it is, but ${counted(leftOut.total, 'thing')} should be looked at.`,
  archive_damaged: () => 'Not proved: this archive cannot be restored. Use another one, and make a new backup.',
  not_restored: () => 'Not proved: what came back is not what the archive holds.',
  failed: () => 'Not proved: the drill could not be done.',
}
