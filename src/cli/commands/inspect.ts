import type { Command } from 'commander'
import type { InspectedNode, InspectReport } from '../../contract/inspect-report.ts'
import { StrongroomError } from '../../errors.ts'
import type { Choice } from '../../operations/contents/choose.ts'
import { display } from '../../std/text.ts'
import { columns, right, table } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText, counted, countText } from '../units.ts'
import { archiveKeys, withKeyFile, type KeyOptions } from './archive-key.ts'
import { archiveOrUrlOf } from './archive-argument.ts'
import { eachOf } from './each-of.ts'
import { example } from './example.ts'
import { showBrowsed } from './inspect-views.ts'

interface InspectOptions extends Where, KeyOptions {
  readonly tree?: boolean
  readonly find?: string
  readonly text?: boolean
  readonly trash?: boolean
  readonly keepGoing?: boolean
}

interface Where {
  readonly user?: string
  readonly path?: readonly string[]
  readonly document?: readonly string[]
}

export function addInspect(program: Command, session: Session): void {
  const command = program
    .command('inspect')
    .summary('say what an archive holds')
    .description(
      'Says who wrote an archive and when, and what is in it: users, counts, sizes, the tree. With an option below it shows a part of it: a folder, a document with its versions and pages, what has a text in it. Needs no instance.',
    )
    .argument('<archive>', 'the archive: a file, its URL (https://…), or - for standard input')
    .option('--tree', 'folders and documents, as "tree" shows those of an instance')
    .option('--user <name>', 'only what this user has')
    .option('--path <path>', 'a folder or a document, as .home/Taxes; may be given several times', eachOf)
    .option('--document <id>', 'a document by its id, one in the trash too; may be given several times', eachOf)
    .option('--find <text>', 'what has this in a title, a tag or a page, whatever its case and accents')
    .option('--text', 'with the texts of versions and pages')
    .option('--trash', 'what is in the trash, instead of the rest')
    .option('--keep-going', 'leave out what is damaged, and show the rest')
  withKeyFile(command)
    .addHelpText(
      'after',
      example(
        'strongroom inspect strongroom-20261124T140352Z.tar.gz',
        'strongroom inspect backup.tar.gz --find "müller"',
        'strongroom inspect backup.tar.gz --path .home/Taxes/2023.pdf --user ada',
      ),
    )
    .action(async (typed: string, options: InspectOptions) => {
      const app = await session.app()
      const source = { archive: archiveOrUrlOf(typed, session), keys: archiveKeys('inspect', options, session) }
      const { tree = false, find, text = false, trash = false, keepGoing = false } = options
      const named = options.path !== undefined || options.document !== undefined
      if (trash && named) {
        const reason = '--trash shows the trash as it is; it goes with neither --path nor --document.'
        throw new StrongroomError('usage.invalid', { command: 'inspect', reason })
      }
      if (tree || find !== undefined || text || trash || named || options.user !== undefined) {
        const input = { ...source, choice: choiceOf(options), trash, keepGoing }
        await using browsed = await session.withProgress((onProgress) => app.browse(input, onProgress, session.signal))
        return await showBrowsed(session, browsed, { tree, find, text, trash })
      }
      const report = await session.withProgress((onProgress) =>
        app.inspect({ ...source, keepGoing }, onProgress, session.signal),
      )
      await session.report(report, () => inspectLines(report))
    })
}

const choiceOf = ({ user, path: paths = [], document: documents = [] }: Where): Choice => ({
  paths,
  documents,
  ...(user === undefined ? {} : { username: user }),
})

function hashesOf({ proved, reading }: InspectReport): string {
  if (reading === 'part')
    return 'those of backup.json are right; its files were not read ("strongroom verify" proves them)'
  return proved ? 'every file was held against its SHA-256' : 'none: the files cannot be proved'
}

function inspectLines(report: InspectReport): string[] {
  const { trash } = report
  return [
    ...columns([
      [
        'Archive',
        `${display(report.archive)}, ${bytesText(report.archiveBytes)}${report.encrypted ? ', encrypted' : ''}`,
      ],
      ['Written by', display(report.writer)],
      ['Written at', report.created ?? 'unknown'],
      ['Format', display(report.format)],
      ['Files', `${countText(report.files)}, ${bytesText(report.bytes)}`],
      ['In the trash', `${counted(trash.folders, 'folder')}, ${counted(trash.documents, 'document')}`],
      ['Hashes', hashesOf(report)],
    ]),
    '',
    ...table(
      ['User', right('Folders'), right('Documents'), right('Versions'), right('Size')],
      report.users.map((user) => [
        display(user.username),
        right(countText(user.folders)),
        right(countText(user.documents)),
        right(countText(user.versions)),
        right(bytesText(user.bytes)),
      ]),
    ),
    ...treeLines(report.nodes),
    ...(report.nodesNotListed === 0 ? [] : [`… and ${countText(report.nodesNotListed)} more`]),
  ]
}

function* treeLines(nodes: readonly InspectedNode[]): Generator<string> {
  let user: string | undefined
  for (const { username, type, path, versions, size } of nodes) {
    if (username !== user) yield* ['', display(username)]
    user = username
    const title = `${'  '.repeat(path.length)}${display(path.at(-1) ?? '')}`
    const facts = [counted(versions, 'version'), ...(size === null ? [] : [bytesText(size)])].join(', ')
    yield type === 'folder' ? `${title}/` : `${title}  ${facts}`
  }
}
