import type { Command } from 'commander'
import type { VerifyReport } from '../../contract/verify-report.ts'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import { exitUnsound } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { bytesText, counted } from '../units.ts'
import { archiveKeys, withKeyFile, type KeyOptions } from './archive-key.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'

export function addVerify(program: Command, session: Session): void {
  const command = program
    .command('verify')
    .summary('prove that an archive is whole')
    .description(
      'Reads a whole archive, checks every hash in it and lists all that is wrong, not the first only. Needs no instance.',
    )
    .argument('<archive>', 'the archive, or - for standard input')
  withKeyFile(command)
    .addHelpText('after', example('strongroom verify strongroom-20261124T140352Z.tar.gz'))
    .action(async (typed: string, options: KeyOptions) => {
      const app = await session.app()
      const input = { archive: archiveOf(typed, session), keys: archiveKeys('verify', options, session) }
      const report = await session.withProgress((onProgress) => app.verify(input, onProgress, session.signal))
      await session.report(report, () => verifyLines(report))
      if (!report.sound) session.exitCode = exitUnsound
    })
}

function verifyLines(report: VerifyReport): string[] {
  const { total, listed } = report.findings
  const contents = [
    counted(report.users, 'user'),
    counted(report.documents, 'document'),
    counted(report.versions, 'version'),
  ]
  return [
    ...columns([
      ['Archive', display(report.archive)],
      ['Written by', display(report.writer)],
      ['Written at', report.created ?? 'unknown'],
      ['Holds', `${contents.join(', ')}, ${counted(report.files, 'file')}, ${bytesText(report.bytes)}`],
      ...(report.declaredDamage === 0
        ? []
        : [['Lost before', `${counted(report.declaredDamage, 'file')} that the archive itself declares`]]),
    ]),
    ...listed.map(
      ({ about, message }) => `wrong: ${about === report.archive ? '' : `${display(about)}: `}${display(message)}`,
    ),
    ...(total > listed.length ? [`wrong: … and ${total - listed.length} more`] : []),
    verdictOf(report),
  ]
}

function verdictOf({ sound, proved, findings }: VerifyReport): string {
  if (!sound) return `Not sound: ${counted(findings.total, 'thing')} wrong.`
  return proved
    ? 'Sound: every file is what was written, by its SHA-256.'
    : 'Sound as far as can be seen: this archive carries no hashes, so its files cannot be proved.'
}
