import type { Command } from 'commander'
import { drawnTree } from '../drawn-tree.ts'
import type { Session } from '../session.ts'
import { example } from './example.ts'

export function addTree(program: Command, session: Session): void {
  program
    .command('tree')
    .summary('show all folders and documents')
    .description(
      'Shows the instance as a person would look at it: users, folders, documents with their versions, pages and tags.',
    )
    .option('--user <name>', 'only this user')
    .option('--text', 'with the texts of versions and pages')
    .addHelpText('after', example('strongroom tree --user ada', 'strongroom tree --json --text > tree.json'))
    .action(async ({ user, text = false }: { user?: string; text?: boolean }) => {
      const input = { text, ...(user === undefined ? {} : { username: user }) }
      await session.withInstance('read', 'tree', async ({ tree, treeItems }) => {
        if (session.json) for await (const piece of tree(input)) await session.write(piece)
        else for await (const line of drawnTree(treeItems(input), text)) await session.write(`${line}\n`)
      })
    })
}
