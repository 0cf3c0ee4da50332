import type { Command } from 'commander'
import type { Session } from '../session.ts'
import { example } from './example.ts'
import { facts } from './facts.ts'

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
      const report = await session.withInstance('write', 'check', async ({ check }) => {
        using progress = await session.progress()
        return await check({ quick }, progress.onProgress, session.signal)
      })
      await session.report(report, () => [
        ...facts(report),
        report.leftOut.total === 0
          ? 'All is as it should be.'
          : `${report.leftOut.total} things are wrong; each is named.`,
      ])
    })
}
