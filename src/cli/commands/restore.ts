import { access, constants } from 'node:fs/promises'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { ConflictChoice, DryRunReport, PlannedItem } from '../../contract/restore-plan.ts'
import { StrongroomError } from '../../errors.ts'
import { readPlan, savePlan, type SavedPlan } from '../../operations/plan-file.ts'
import { onFile } from '../../std/files.ts'
import { exitConflict } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'
import { dryRunJson, dryRunLines, restoreLines } from './restore-lines.ts'

interface RestoreOptions {
  readonly migrate?: boolean
  readonly dryRun?: boolean
  readonly list?: boolean
  readonly savePlan?: string
  readonly plan?: string
  readonly onConflict?: ConflictChoice
  readonly replace?: boolean
  readonly restorePoint: boolean
  readonly keepGoing?: boolean
}

export function addRestore(program: Command, session: Session): void {
  program
    .command('restore')
    .summary('bring an archive back')
    .description(
      'Brings back what an archive of Strongroom, or of Papermerge 2.1 to 3.2, holds. What the instance holds stays. What it has already is left as it is, and where something is there and different, nothing is restored unless --on-conflict says what to do. All of it comes back, or nothing.',
    )
    .argument('<archive>', 'the archive, or - for standard input')
    .option('--migrate', 'create the instance, or upgrade its schema, first')
    .option('--dry-run', 'say what would be done, and change nothing')
    .option('--list', 'with --dry-run: name everything, what is new or there already too')
    .option('--save-plan <file>', 'with --dry-run: keep the plan in a file')
    .option('--plan <file>', 'carry out just that plan, or nothing if it no longer holds')
    .addOption(
      new Option(
        '--on-conflict <choice>',
        'what to do with what is there already, and different (without it: fail)',
      ).choices(['fail', 'skip', 'overwrite', 'keep-both']),
    )
    .option('--replace', 'make the instance exactly what the archive is; what it held is kept as a restore point')
    .option('--no-restore-point', 'with --replace: keep nothing of what the instance held')
    .option('--keep-going', 'leave out what is damaged in the archive, and restore the rest')
    .addHelpText(
      'after',
      example(
        'strongroom restore strongroom-20261124T140352Z.tar.gz --data /srv/new --migrate',
        'strongroom restore old.tar.gz --dry-run --list --on-conflict keep-both',
      ),
    )
    .action(async (typed: string, options: RestoreOptions) => {
      assertUsable(options)
      const archive = archiveOf(typed, session)
      if (options.migrate === true) {
        // An archive that is not there is no reason to make an instance.
        if (typeof archive === 'string') await onFile(archive, 'read', () => access(archive, constants.R_OK))
        await (await session.app()).migrate()
      }
      const input = { archive, ...choicesOf(options) }
      if (options.dryRun === true) return dryRun(input, options)
      const saved = options.plan === undefined ? undefined : await readPlan(session.path(options.plan))
      const planned = saved === undefined ? input : { archive, ...wantedBy(saved) }
      const { restorePoint } = options
      const report = await session.withInstance('exclusive', 'restore', ({ restore }) =>
        session.withProgress((onProgress) => restore({ ...planned, restorePoint }, onProgress, session.signal)),
      )
      await session.report(report, () => restoreLines(report))
    })

  async function dryRun(
    input: Choices & { readonly archive: string | AsyncIterable<Uint8Array> },
    { savePlan: planFile, list = false }: RestoreOptions,
  ): Promise<void> {
    const tell = async (report: DryRunReport, items: Iterable<PlannedItem>): Promise<void> => {
      if (planFile !== undefined) await savePlan(session.path(planFile), report.archive, report.plan, input.keepGoing)
      await session.report(
        report,
        () => dryRunLines(report, items),
        () => dryRunJson(report, items),
      )
    }
    const report = await session.withInstance('read', 'restore', (instance) =>
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

interface Choices {
  readonly onConflict?: ConflictChoice
  readonly replace: boolean
  readonly keepGoing: boolean
}

const choicesOf = ({ onConflict, replace = false, keepGoing = false }: RestoreOptions): Choices => ({
  ...(onConflict === undefined ? {} : { onConflict }),
  replace,
  keepGoing,
})

const wantedBy = ({ onConflict, replace, keepGoing, digest }: SavedPlan) => ({
  onConflict,
  replace,
  keepGoing,
  planDigest: digest,
})

function assertUsable(options: RestoreOptions): void {
  const { dryRun, list, savePlan: file, plan, onConflict, replace, restorePoint, keepGoing } = options
  const chosen = onConflict !== undefined || replace === true || keepGoing === true
  const problem =
    replace === true && onConflict !== undefined
      ? '--replace leaves nothing that could be in conflict; it does not go with --on-conflict.'
      : !restorePoint && replace !== true && plan === undefined
        ? '--no-restore-point goes with --replace.'
        : (file !== undefined || list === true) && dryRun !== true
          ? `${list === true ? '--list' : '--save-plan'} goes with --dry-run.`
          : plan !== undefined && (dryRun === true || chosen)
            ? '--plan carries out a plan as it is: it goes with no other choice, and not with --dry-run.'
            : undefined
  if (problem !== undefined) throw new StrongroomError('usage.invalid', { command: 'restore', reason: problem })
}
