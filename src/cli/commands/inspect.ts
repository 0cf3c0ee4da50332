import type { Command } from 'commander'
import type { Session } from '../session.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'
import { facts } from './facts.ts'

export function addInspect(program: Command, session: Session): void {
  program
    .command('inspect')
    .summary('say what an archive holds')
    .description(
      'Says who wrote an archive and when, and what is in it: users, counts, sizes, the tree. Needs no instance.',
    )
    .argument('<archive>', 'the archive, or - for standard input')
    .addHelpText('after', example('strongroom inspect strongroom-20261124T140352Z.tar.gz'))
    .action(async (typed: string) => {
      const app = await session.app()
      const archive = archiveOf(typed, session)
      const report = await inspectArchive()
      await session.report(report, () => facts(report))

      async function inspectArchive() {
        using progress = await session.progress()
        return await app.inspect({ archive }, progress.onProgress, session.signal)
      }
    })
}
