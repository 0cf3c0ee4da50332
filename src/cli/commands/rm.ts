import type { Command } from 'commander'
import { display } from '../../std/text.ts'
import type { Session } from '../session.ts'
import { done } from './done.ts'
import { example } from './example.ts'

export function addRm(program: Command, session: Session): void {
  program
    .command('rm')
    .summary('move folders or documents to the trash')
    .description(
      'Moves documents, and folders with all that they hold, to the trash of their user. "strongroom trash restore" brings them back, "strongroom trash empty" removes them for ever.',
    )
    .argument('<path...>', 'what to move to the trash')
    .requiredOption('--user <name>', 'whose tree it is')
    .addHelpText('after', example('strongroom rm .inbox/scan.pdf --user ada'))
    .action(async (paths: string[], { user: username }: { user: string }) => {
      const nodes = await session.withInstance('write', 'rm', (instance) => instance.nodes.remove({ username, paths }))
      await session.report(done('rm', { username, paths, nodes }), () =>
        paths.map((path) => `Moved ${display(path)} to the trash.`),
      )
    })
}
