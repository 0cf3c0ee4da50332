import type { Command } from 'commander'
import { display } from '../../std/text.ts'
import type { Session } from '../session.ts'
import { done } from './done.ts'
import { example } from './example.ts'

export function addMv(program: Command, session: Session): void {
  program
    .command('mv')
    .summary('move or rename a folder or document')
    .description('Moves a folder or document: into TO where that is a folder, else to that path.')
    .argument('<from>', 'what to move')
    .argument('<to>', 'a folder, or the new path')
    .requiredOption('--user <name>', 'whose tree it is')
    .addHelpText('after', example('strongroom mv .inbox/scan.pdf "Taxes/2026/Tax notice.pdf" --user ada'))
    .action(async (from: string, to: string, { user }: { user: string }) => {
      await session.withInstance('write', 'mv', ({ nodes }) => nodes.move({ username: user, from, to }))
      await session.report(done('mv', { username: user, from, to }), () => [
        `Moved ${display(from)} to ${display(to)}.`,
      ])
    })
}
