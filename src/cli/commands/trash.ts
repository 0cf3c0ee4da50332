import { InvalidArgumentError, type Command } from 'commander'
import { StrongroomError } from '../../errors.ts'
import { display } from '../../std/text.ts'
import { right, table } from '../columns.ts'
import { confirm } from '../confirm.ts'
import type { Session } from '../session.ts'
import { bytesText, counted, countText } from '../units.ts'
import { done } from './done.ts'
import { example } from './example.ts'

export function addTrash(program: Command, session: Session): void {
  const trash = program
    .command('trash')
    .summary('what was removed: list, restore, empty')
    .helpCommand(false)
    .description(
      'What "strongroom rm" moved to the trash. It stays there, and in every backup, until the trash is emptied.',
    )
    .addHelpText(
      'after',
      example('strongroom trash list --user ada', 'strongroom trash restore .home/Taxes/2026.pdf --user ada'),
    )
  addList(trash, session)
  addRestore(trash, session)
  addEmpty(trash, session)
}

function addList(trash: Command, session: Session): void {
  trash
    .command('list')
    .summary('show what is in the trash')
    .description('Shows what was moved to the trash and from where, by user, the latest first.')
    .option('--user <name>', 'only the trash of this user')
    .addHelpText('after', example('strongroom trash list', 'strongroom trash list --user ada --json'))
    .action(async ({ user: username }: { user?: string }) => {
      const found = await session.withInstance('read', 'trash list', (instance) => instance.trash.list({ username }))
      const items = found.map((node) => ({
        id: node.id,
        username: node.username,
        type: node.type,
        path: node.deleted_from,
        title: node.title,
        deleted_at: node.deleted_at,
        folders: node.folders,
        documents: node.documents,
        versions: node.versions,
        bytes: node.bytes,
      }))
      await session.report(done('trash list', { username: username ?? null, items }), () =>
        table(
          ['User', 'Removed at', 'Path', right('Documents'), right('Size'), 'Id'],
          items.map((item) => [
            display(item.username),
            item.deleted_at,
            display(item.path) + (item.type === 'folder' ? '/' : ''),
            right(countText(item.documents)),
            right(bytesText(item.bytes)),
            item.id,
          ]),
        ),
      )
    })
}

interface RestoreOptions {
  readonly user: string
  readonly into?: string
  readonly title?: string
}

function addRestore(trash: Command, session: Session): void {
  trash
    .command('restore')
    .summary('bring something back')
    .description(
      'Brings a document, or a folder with all that it held, back to where it was. Where that folder is gone or the title is taken, it says so; --into and --title name another place.',
    )
    .argument('<item>', 'its path or its id, as "strongroom trash list" shows them')
    .requiredOption('--user <name>', 'whose trash it is')
    .option('--into <folder>', 'another folder than the one that it was in')
    .option('--title <title>', 'another title than it had')
    .addHelpText(
      'after',
      example(
        'strongroom trash restore .home/Taxes/2026.pdf --user ada',
        'strongroom trash restore .home/Taxes --into .home/Old --title "Taxes of 2026" --user ada',
      ),
    )
    .action(async (item: string, { user: username, into, title }: RestoreOptions) => {
      const path = await session.withInstance('write', 'trash restore', (instance) =>
        instance.trash.restore({ username, item, into, title }),
      )
      await session.report(done('trash restore', { username, item, path }), () => [
        `Brought ${display(item)} back to ${display(path)}.`,
      ])
    })
}

interface EmptyOptions {
  readonly user?: string
  readonly olderThan?: number
  readonly yes?: boolean
}

function addEmpty(trash: Command, session: Session): void {
  trash
    .command('empty')
    .summary('remove what is in the trash for ever')
    .description(
      'Removes what is in the trash for ever, with all versions. Only a backup can bring it back then. At a terminal it asks first.',
    )
    .option('--user <name>', 'only the trash of this user')
    .option('--older-than <days>', 'only what has been there for so many days', wholeDays)
    .option('--yes', 'do not ask')
    .addHelpText('after', example('strongroom trash empty --user ada', 'strongroom trash empty --older-than 30 --yes'))
    .action(async ({ user: username, olderThan: olderThanDays, yes = false }: EmptyOptions) => {
      const filter = { username, olderThanDays }
      if (!yes) await confirmEmptying(session, filter)
      const counts = await session.withInstance('write', 'trash empty', (instance) => instance.trash.empty(filter))
      const { items, folders, documents, versions, originalBytes: bytes } = counts
      const about = { username: username ?? null, olderThanDays: olderThanDays ?? null }
      await session.report(done('trash empty', { ...about, items, folders, documents, versions, bytes }), () => [
        items === 0
          ? 'There was nothing to remove.'
          : `Removed ${counted(folders, 'folder')} and ${counted(documents, 'document')} for ever: ${bytesText(bytes)}.`,
      ])
    })
}

/** Asks while no lock is held, as nobody knows when the answer comes. */
async function confirmEmptying(
  session: Session,
  filter: { readonly username: string | undefined; readonly olderThanDays: number | undefined },
): Promise<void> {
  const found = await session.withInstance('read', 'trash empty', (instance) => instance.trash.count(filter))
  if (found.items === 0) return
  const what = `${counted(found.folders, 'folder')} and ${counted(found.documents, 'document')}`
  const agreed = await confirm(session.terminal, `Remove ${what} (${bytesText(found.originalBytes)}) for ever?`)
  if (!agreed) throw new StrongroomError('trash.not_confirmed')
}

function wholeDays(typed: string): number {
  if (!/^\d{1,7}$/.test(typed)) throw new InvalidArgumentError('It is a whole number of days.')
  return Number(typed)
}
