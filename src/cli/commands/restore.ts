import { access, constants } from 'node:fs/promises'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { ChosenParts } from '../../contract/restore-parts.ts'
import type { ConflictChoice, DryRunReport, PlannedItem } from '../../contract/restore-plan.ts'
import { StrongroomError } from '../../errors.ts'
import { readPlan, savePlan, type SavedPlan } from '../../operations/plan-file.ts'
import { onFile } from '../../std/files.ts'
import { exitConflict } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { archiveOf } from './archive-argument.ts'
import { eachOf } from './each-of.ts'
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
  readonly user?: string
  readonly path: readonly string[]
  readonly document: readonly string[]
  readonly asUser?: string
  readonly into?: string
  readonly versions: 'all' | 'last'
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
    .option('--user <name>', 'only what this user of the archive has')
    .option('--path <path>', 'only what is at this path, and below it; may be given several times', eachOf, [])
    .option('--document <id>', 'only the document with this id; may be given several times', eachOf, [])
    .option('--as-user <name>', 'give it to this user of the instance')
    .option('--into <folder>', 'put it into this folder, which is made where it is missing')
    .addOption(
      new Option('--versions <which>', 'all versions of a document, or the last alone')
        .choices(['all', 'last'])
        .default('all'),
    )
    .addHelpText(
      'after',
      example(
        'strongroom restore strongroom-20261124T140352Z.tar.gz --data /srv/new --migrate',
        'strongroom restore old.tar.gz --dry-run --list --on-conflict keep-both',
        "strongroom restore old.tar.gz --user ada --path '.home/Taxes' --into '.home/Restored'",
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
  readonly parts?: ChosenParts
}

function choicesOf(options: RestoreOptions): Choices {
  const { onConflict, replace = false, keepGoing = false } = options
  const parts = partsOf(options)
  return {
    ...(onConflict === undefined ? {} : { onConflict }),
    replace,
    keepGoing,
    ...(parts === null ? {} : { parts }),
  }
}

/** What of the archive is wanted; null where it is all. */
function partsOf(options: RestoreOptions): ChosenParts | null {
  const { user = null, path: paths, document: documents, asUser = null, into = null, versions } = options
  const isAll = paths.length + documents.length === 0 && versions === 'all'
  return isAll && user === null && asUser === null && into === null
    ? null
    : { user, paths, documents, asUser, into, versions }
}

const wantedBy = ({ onConflict, replace, keepGoing, parts, digest }: SavedPlan) => ({
  onConflict,
  replace,
  keepGoing,
  ...(parts === null ? {} : { parts }),
  planDigest: digest,
})

function assertUsable(options: RestoreOptions): void {
  const { dryRun, list, savePlan: file, plan, onConflict, replace, restorePoint, keepGoing } = options
  const isPart = partsOf(options) !== null
  const chosen = onConflict !== undefined || replace === true || keepGoing === true || isPart
  const problem =
    replace === true && onConflict !== undefined
      ? '--replace leaves nothing that could be in conflict; it does not go with --on-conflict.'
      : replace === true && isPart
        ? '--replace makes the instance the whole archive; it does not go with a part of it.'
        : !restorePoint && replace !== true && plan === undefined
          ? '--no-restore-point goes with --replace.'
          : (file !== undefined || list === true) && dryRun !== true
            ? `${list === true ? '--list' : '--save-plan'} goes with --dry-run.`
            : plan !== undefined && (dryRun === true || chosen)
              ? '--plan carries out a plan as it is: it goes with no other choice, and not with --dry-run.'
              : undefined
  if (problem !== undefined) throw new StrongroomError('usage.invalid', { command: 'restore', reason: problem })
}
