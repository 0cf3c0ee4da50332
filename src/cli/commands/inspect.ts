import type { Command } from 'commander'
import type { InspectedNode, InspectReport } from '../../contract/inspect-report.ts'
import { display } from '../../std/text.ts'
import { columns, right, table } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText, counted, countText } from '../units.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'

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
      const report = await session.withProgress((onProgress) => app.inspect({ archive }, onProgress, session.signal))
      await session.report(report, () => inspectLines(report))
    })
}

function inspectLines(report: InspectReport): string[] {
  const { trash } = report
  return [
    ...columns([
      ['Archive', `${display(report.archive)}, ${bytesText(report.archiveBytes)}`],
      ['Written by', display(report.writer)],
      ['Written at', report.created ?? 'unknown'],
      ['Format', display(report.format)],
      ['Files', `${countText(report.files)}, ${bytesText(report.bytes)}`],
      ['In the trash', `${counted(trash.folders, 'folder')}, ${counted(trash.documents, 'document')}`],
      ['Hashes', report.proved ? 'every file was held against its SHA-256' : 'none: the files cannot be proved'],
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
