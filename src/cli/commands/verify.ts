import type { Command } from 'commander'
import type { Session } from '../session.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'
import { facts } from './facts.ts'

// The archive is damaged, hostile or invalid, and the report says how.
const exitUnsound = 4

export function addVerify(program: Command, session: Session): void {
  program
    .command('verify')
    .summary('prove that an archive is whole')
    .description(
      'Reads a whole archive, checks every hash in it and lists all that is wrong, not the first only. Needs no instance.',
    )
    .argument('<archive>', 'the archive, or - for standard input')
    .addHelpText('after', example('strongroom verify strongroom-20261124T140352Z.tar.gz'))
    .action(async (typed: string) => {
      const app = await session.app()
      const archive = archiveOf(typed, session)
      const report = await verifyArchive()
      await session.report(report, () => facts(report))
      if (!report.sound) session.exitCode = exitUnsound

      async function verifyArchive() {
        using progress = await session.progress()
        return await app.verify({ archive }, progress.onProgress, session.signal)
      }
    })
}
