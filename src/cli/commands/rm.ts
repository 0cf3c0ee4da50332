import type { Command } from 'commander'
import { display } from '../../std/text.ts'
import type { Session } from '../session.ts'
import { done } from './done.ts'
import { example } from './example.ts'

export function addRm(program: Command, session: Session): void {
  program
    .command('rm')
    .summary('remove folders or documents')
    .description('Removes documents and folders with all their versions. There is no way back but a backup.')
    .argument('<path...>', 'what to remove')
    .requiredOption('--user <name>', 'whose tree it is')
    .option('--recursive', 'a folder with all that it holds')
    .addHelpText('after', example('strongroom rm .inbox/scan.pdf --user ada'))
    .action(async (paths: string[], { user, recursive = false }: { user: string; recursive?: boolean }) => {
      await session.withInstance('write', 'rm', async ({ nodes }) => {
        // A path that is written wrongly is to be found before anything is gone.
        for (const path of paths) await nodes.resolve({ username: user, path })
        for (const path of paths) await nodes.remove({ username: user, path, recursive })
      })
      await session.report(done('rm', { username: user, paths }), () =>
        paths.map((path) => `Removed ${display(path)}.`),
      )
    })
}
