import type { Command } from 'commander'
import type { CheckReport } from '../../contract/check-report.ts'
import { columns, right } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText, counted, countText } from '../units.ts'
import { example } from './example.ts'

export function addCheck(program: Command, session: Session): void {
  program
    .command('check')
    .summary('compare the database with the files')
    .description(
      'Compares the database with the files of the instance: missing, changed and orphaned files, unfinished work. Changes nothing.',
    )
    .option('--quick', 'compare sizes only, not the SHA-256 of each file')
    .addHelpText('after', example('strongroom check'))
    .action(async ({ quick = false }: { quick?: boolean }) => {
      const report = await session.withInstance('write', 'check', ({ check }) =>
        session.withProgress((onProgress) => check({ quick }, onProgress, session.signal)),
      )
      await session.report(report, () => checkLines(report))
    })
}

function checkLines(report: CheckReport): string[] {
  const compared = `${counted(report.files, 'file')}, ${bytesText(report.bytes)}, ${report.quick ? 'by size only' : 'by size and SHA-256'}`
  const wrong = report.leftOut.total
  return [
    `Compared ${compared}.`,
    ...columns([
      ['Missing', right(countText(report.missing))],
      ['Changed', right(countText(report.changed))],
      ['Unreadable', right(countText(report.unreadable))],
      ['Orphaned', right(countText(report.orphaned))],
      ['Unfinished', right(countText(report.unfinished))],
    ]),
    `Last drill: ${drillText(report)}`,
    wrong === 0 ? 'All is as it should be.' : `${counted(wrong, 'finding')}.`,
  ]
}

function drillText({ lastDrill }: CheckReport): string {
  if (lastDrill === null) return 'never: "strongroom drill" proves that a backup can be restored.'
  const { at, outcome, proved, daysAgo } = lastDrill
  const last =
    proved === null
      ? 'none proved its archive yet'
      : `proved on ${proved}, ${daysAgo === 0 ? 'today' : `${counted(daysAgo ?? 0, 'day')} ago`}`
  return outcome === 'proved' || outcome === 'proved_with_findings' ? `${last}.` : `failed on ${at}; ${last}.`
}
