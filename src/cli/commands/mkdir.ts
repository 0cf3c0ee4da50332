import type { Command } from 'commander'
import { display } from '../../std/text.ts'
import type { Session } from '../session.ts'
import { done } from './done.ts'
import { example } from './example.ts'

export function addMkdir(program: Command, session: Session): void {
  program
    .command('mkdir')
    .summary('make a folder')
    .description(
      'Makes a folder. A path that begins with neither .home nor .inbox starts at .home; \\/ is a slash in a title.',
    )
    .argument('<path>', 'the new folder, as Taxes/2026')
    .requiredOption('--user <name>', 'whose folder it becomes')
    .option('--parents', 'make the folders above it too, and accept that it exists')
    .addHelpText('after', example('strongroom mkdir Taxes/2026 --user ada --parents'))
    .action(async (path: string, { user, parents = false }: { user: string; parents?: boolean }) => {
      const id = await session.withInstance('write', 'mkdir', ({ nodes }) =>
        nodes.makeFolder({ username: user, path, parents }),
      )
      await session.report(done('mkdir', { username: user, path, id }), () => [`Made ${display(path)}.`])
    })
}
