import type { Command } from 'commander'
import { StrongroomError } from '../../errors.ts'
import { display } from '../../std/text.ts'
import { right, table } from '../columns.ts'
import type { Session } from '../session.ts'
import { countText } from '../units.ts'
import { done } from './done.ts'
import { example } from './example.ts'

interface AddOptions {
  readonly user: string
  readonly bgColor?: string
  readonly fgColor?: string
  readonly description?: string
  readonly pinned?: boolean
}

export function addTag(program: Command, session: Session): void {
  const tag = program
    .command('tag')
    .summary('labels: add, remove, list')
    .helpCommand(false)
    .description('Labels of a user, on folders and documents.')
    .addHelpText(
      'after',
      example('strongroom tag add Taxes/2026 important --user ada', 'strongroom tag list --user ada'),
    )

  tag
    .command('add')
    .summary('put a tag on a folder or document')
    .description('Puts a tag on a folder or document; makes the tag if the user has none of that name.')
    .argument('<path>', 'the folder or document')
    .argument('<name>', 'the tag')
    .requiredOption('--user <name>', 'whose tree it is')
    .option('--bg-color <color>', 'the colour behind the name, as #c41fff')
    .option('--fg-color <color>', 'the colour of the name, as #ffffff')
    .option('--description <text>', 'what the tag is for')
    .option('--pinned', 'show the tag first')
    .addHelpText('after', example('strongroom tag add Taxes/2026 important --user ada --bg-color "#aa0000" --pinned'))
    .action(async (path: string, name: string, { user: username, ...look }: AddOptions) => {
      await session.withInstance('write', 'tag add', ({ tags }) => tags.add({ username, path, name, ...look }))
      await session.report(done('tag add', { username, path, name }), () => [
        `Tagged ${display(path)} as ${display(name)}.`,
      ])
    })

  tag
    .command('remove')
    .summary('take a tag off, or remove it everywhere')
    .description('Takes a tag off a folder or document. With --everywhere it removes the tag itself.')
    .argument('<path-and-name...>', 'PATH NAME, or only NAME with --everywhere')
    .requiredOption('--user <name>', 'whose tree it is')
    .option('--everywhere', 'remove the tag itself')
    .addHelpText(
      'after',
      example(
        'strongroom tag remove Taxes/2026 important --user ada',
        'strongroom tag remove --everywhere important --user ada',
      ),
    )
    .action(async (typed: string[], { user: username, everywhere = false }: { user: string; everywhere?: boolean }) => {
      const { path, name } = removeArguments(typed, everywhere)
      const from = path === undefined ? {} : { path }
      await session.withInstance('write', 'tag remove', ({ tags }) => tags.remove({ username, name, ...from }))
      await session.report(done('tag remove', { username, path: path ?? null, name }), () => [
        path === undefined ? `Removed the tag ${display(name)}.` : `Took ${display(name)} off ${display(path)}.`,
      ])
    })

  tag
    .command('list')
    .summary("show a user's tags")
    .description("Shows a user's tags, and how many folders and documents have each.")
    .requiredOption('--user <name>', 'whose tags')
    .addHelpText('after', example('strongroom tag list --user ada'))
    .action(async ({ user: username }: { user: string }) => {
      const found = await session.withInstance('read', 'tag list', (instance) => instance.tags.list({ username }))
      const tags = found.map((one) => ({ ...one, pinned: one.pinned === 1 }))
      await session.report(done('tag list', { username, tags }), () =>
        table(
          ['Name', 'Colours', 'Pinned', right('Used'), 'Description'],
          tags.map((one) => [
            display(one.name),
            display(`${one.bg_color} ${one.fg_color}`),
            one.pinned ? 'yes' : 'no',
            right(countText(one.nodes)),
            display(one.description ?? ''),
          ]),
        ),
      )
    })
}

function removeArguments(typed: readonly string[], everywhere: boolean): { path?: string; name: string } {
  const [first, second] = typed
  if (everywhere && typed.length === 1 && first !== undefined) return { name: first }
  if (!everywhere && typed.length === 2 && first !== undefined && second !== undefined)
    return { path: first, name: second }
  throw new StrongroomError('usage.invalid', {
    command: 'tag remove',
    reason: everywhere
      ? 'With --everywhere, give the name of the tag alone.'
      : 'Give the path and the name of the tag.',
  })
}
