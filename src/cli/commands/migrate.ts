import type { Command } from 'commander'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import type { Session } from '../session.ts'
import { example } from './example.ts'

export function addMigrate(program: Command, session: Session): void {
  program
    .command('migrate')
    .summary('create an instance, or upgrade its schema')
    .description(
      'Creates an instance in the data directory, or brings its schema to the version that this program needs. Safe twice.',
    )
    .addHelpText('after', example('strongroom migrate --data /srv/strongroom'))
    .action(async () => {
      const report = await (await session.app()).migrate()
      const done =
        report.from === report.to ? `version ${report.to}, as before` : `version ${report.from} -> version ${report.to}`
      await session.report(report, () =>
        columns([
          ['Data directory', display(report.dataDirectory)],
          ['Database', display(report.database)],
          ['Schema', report.from === 0 ? `version ${report.to}, created` : done],
          ...(report.copy === null ? [] : [['Copy from before', display(report.copy)]]),
        ]),
      )
    })
}
