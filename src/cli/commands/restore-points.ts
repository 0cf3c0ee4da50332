import type { Command } from 'commander'
import type { RestorePointsReport } from '../../contract/restore-points.ts'
import { display } from '../../std/text.ts'
import { columns, right } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText } from '../units.ts'
import { example } from './example.ts'

export function addRestorePoints(program: Command, session: Session): void {
  const points = program
    .command('restore-points')
    .summary('what was kept before the instance was replaced')
    .description('Lists and removes the archives that "restore --replace" keeps of what the instance held.')

  points
    .command('list')
    .description('Lists the restore points, the oldest first.')
    .addHelpText('after', example('strongroom restore-points list'))
    .action(async () => {
      const report = await session.withInstance('read', 'restore-points', ({ restorePoints }) => restorePoints.list())
      await session.report(report, () => (report.points.length === 0 ? ['There are none.'] : table(report)))
    })

  points
    .command('remove')
    .description('Removes restore points for good.')
    .argument('<name...>', 'the names that "restore-points list" shows')
    .addHelpText('after', example('strongroom restore-points remove strongroom-20261124T140352Z.tar.gz'))
    .action(async (names: string[]) => {
      const report = await session.withInstance('write', 'restore-points', ({ restorePoints }) =>
        restorePoints.remove(names),
      )
      await session.report(report, () => report.points.map(({ name }) => `Removed ${display(name)}.`))
    })
}

const table = ({ points }: RestorePointsReport): string[] =>
  columns([
    ['Name', right('Size'), 'Where'],
    ...points.map(({ name, path, size }) => [display(name), right(bytesText(size)), display(path)]),
  ])
