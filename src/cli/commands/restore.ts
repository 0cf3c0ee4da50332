import { access, constants } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Instance } from '../../app.ts'
import type { DryRunReport, PlannedItem } from '../../contract/restore-plan.ts'
import { onFile } from '../../std/files.ts'
import { exitConflict } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { archiveKeys, tryKeys, withKeyFile, type KeyOptions } from './archive-key.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'
import { dryRunJson, dryRunLines, restoreLines } from './restore-lines.ts'
import {
  assertUsable,
  choicesOf,
  wantedBy,
  withRestoreOptions,
  type RestoreChoices,
  type RestoreOptions,
} from './restore-options.ts'

export function addRestore(program: Command, session: Session): void {
  const command = program
    .command('restore')
    .summary('bring an archive back')
    .description(
      'Brings back what an archive of Strongroom, or of Papermerge 2.1 to 3.2, holds. What the instance holds stays. What it has already is left as it is, and where something is there and different, nothing is restored unless --on-conflict says what to do. All of it comes back, or nothing.',
    )
    .argument('<archive>', 'the archive, or - for standard input')
  withKeyFile(withRestoreOptions(command, 'leave out what is damaged in the archive, and restore the rest'))
    .addHelpText(
      'after',
      example(
        'strongroom restore strongroom-20261124T140352Z.tar.gz --data /srv/new --migrate',
        'strongroom restore old.tar.gz --dry-run --list --on-conflict keep-both',
        "strongroom restore old.tar.gz --user ada --path '.home/Taxes' --into '.home/Restored'",
      ),
    )
    .action(async (typed: string, options: RestoreOptions & KeyOptions) => {
      assertUsable('restore', options)
      const archive = archiveOf(typed, session)
      const keys = archiveKeys('restore', options, session)
      if (typeof archive === 'string') await tryKeys(archive, keys)
      await runRestore(session, 'restore', { archive, keys }, options, async () => {
        if (typeof archive === 'string') await onFile(archive, 'read', () => access(archive, constants.R_OK))
      })
    })
}

/**
 * Restores, or plans to, as the options say; they go together. `assertThere` throws where there is nothing to restore from, before an
 * instance is made for it.
 */
export async function runRestore(
  session: Session,
  command: 'restore' | 'import-papermerge',
  source: RestoreSource,
  options: RestoreOptions,
  assertThere: () => Promise<void>,
): Promise<void> {
  if (options.migrate === true) {
    // What is not there is no reason to make an instance.
    await assertThere()
    await (await session.app()).migrate()
  }
  const input = { ...source, ...choicesOf(options) }
  if (options.dryRun === true) return dryRun(input, options)
  const saved = options.plan === undefined ? undefined : await (await planFiles()).readPlan(session.path(options.plan))
  const planned = saved === undefined ? input : { ...source, ...wantedBy(saved) }
  const { restorePoint } = options
  const report = await session.withInstance('exclusive', command, ({ restore }) =>
    session.withProgress((onProgress) => restore({ ...planned, restorePoint }, onProgress, session.signal)),
  )
  await session.report(report, () => restoreLines(report))

  async function dryRun(
    input: RestoreChoices & RestoreSource,
    { savePlan: planFile, list = false }: RestoreOptions,
  ): Promise<void> {
    const tell = async (report: DryRunReport, items: Iterable<PlannedItem>): Promise<void> => {
      if (planFile !== undefined)
        await (await planFiles()).savePlan(session.path(planFile), report.archive, report.plan, input.keepGoing)
      await session.report(
        report,
        () => dryRunLines(report, items),
        () => dryRunJson(report, items),
      )
    }
    const report = await session.withInstance('read', command, (instance) =>
      session.withProgress((onProgress, stop) => {
        const conclude = (planned: DryRunReport, items: Iterable<PlannedItem>): Promise<void> => {
          stop()
          return tell(planned, items)
        }
        return instance.dryRun(input, onProgress, session.signal, list ? conclude : undefined)
      }),
    )
    if (!list) await tell(report, report.plan.items)
    if (report.plan.conflicts > 0) session.exitCode = exitConflict
  }
}

/** Loaded only where it is needed, for the schema of a plan takes longer to load than all commands together. */
const planFiles = () => import('../../operations/plan-file.ts')

/** What can be restored from, and what opens it, as the operations take it. */
type RestoreSource = Pick<Parameters<Instance['restore']>[0], 'archive' | 'keys'>
