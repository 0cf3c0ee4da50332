import { access, constants } from 'node:fs/promises'
import { Option } from 'commander'
import type { Command } from 'commander'
import type { ActionCounts, ConflictChoice, DryRunReport, RestorePlan } from '../../contract/restore-plan.ts'
import type { RestoreReport } from '../../contract/restore-report.ts'
import { StrongroomError } from '../../errors.ts'
import { readPlan, savePlan, type SavedPlan } from '../../operations/plan-file.ts'
import { onFile } from '../../std/files.ts'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import { exitConflict } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { bytesText, counted } from '../units.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'

interface RestoreOptions {
  readonly migrate?: boolean
  readonly dryRun?: boolean
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
        'strongroom restore old.tar.gz --dry-run --on-conflict keep-both',
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
      if (options.dryRun === true) return dryRun(input, options.savePlan)
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
    planFile: string | undefined,
  ): Promise<void> {
    const report = await session.withInstance('read', 'restore', (instance) =>
      session.withProgress((onProgress) => instance.dryRun(input, onProgress, session.signal)),
    )
    if (planFile !== undefined) await savePlan(session.path(planFile), report.archive, report.plan, input.keepGoing)
    await session.report(report, () => dryRunLines(report))
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
  const { dryRun, savePlan: file, plan, onConflict, replace, restorePoint, keepGoing } = options
  const chosen = onConflict !== undefined || replace === true || keepGoing === true
  const problem =
    replace === true && onConflict !== undefined
      ? '--replace leaves nothing that could be in conflict; it does not go with --on-conflict.'
      : !restorePoint && replace !== true && plan === undefined
        ? '--no-restore-point goes with --replace.'
        : file !== undefined && dryRun !== true
          ? '--save-plan goes with --dry-run.'
          : plan !== undefined && (dryRun === true || chosen)
            ? '--plan carries out a plan as it is: it goes with no other choice, and not with --dry-run.'
            : undefined
  if (problem !== undefined) throw new StrongroomError('usage.invalid', { command: 'restore', reason: problem })
}

function restoreLines(report: RestoreReport): string[] {
  const { bytes, plan, trash } = report
  return columns([
    ['Archive', display(report.archive)],
    ['Written by', display(report.writer)],
    ['Written at', report.created ?? 'unknown'],
    ['Users', countsText(plan.users)],
    ...planRows(plan),
    ...(trash.documents + trash.folders === 0
      ? []
      : [
          ['Trash', `${counted(trash.folders, 'folder')}, ${counted(trash.documents, 'document')}`] as [string, string],
        ]),
    ['Files', bytesText(bytes)],
    ...(report.restorePoint === null ? [] : [['Kept before', display(report.restorePoint)] as [string, string]]),
    ['Proved', report.proved ? 'every file, by its SHA-256' : 'no: the archive carries no hashes'],
  ])
}

function dryRunLines(report: DryRunReport): string[] {
  const { plan } = report
  return [
    ...columns([
      ['Archive', display(report.archive)],
      ['Written by', display(report.writer)],
      ['Written at', report.created ?? 'unknown'],
      ['Users', countsText(plan.users)],
      ...planRows(plan),
      ['Space', `${bytesText(report.bytesNeeded)} needed, ${bytesText(report.bytesFree)} free`],
      ['Proved', report.proved ? 'every file, by its SHA-256' : 'no: the archive carries no hashes'],
    ]),
    ...plan.items.map(
      ({ kind, username, name, action, reason }) =>
        `${action}: ${kind} ${display(name)} of ${display(username)}${reason === '' ? '' : `: ${reason}`}`,
    ),
    plan.conflicts === 0
      ? 'Nothing was changed. A restore would do just this.'
      : `Nothing was changed. ${counted(plan.conflicts, 'conflict')}: choose with --on-conflict skip, overwrite or keep-both.`,
  ]
}

const planRows = (plan: RestorePlan): [string, string][] => [
  ...(plan.replaced === null ? [] : [['Replaces', replacedText(plan.replaced)] as [string, string]]),
  ['Folders', countsText(plan.folders)],
  ['Documents', countsText(plan.documents)],
  ['Tags', countsText(plan.tags)],
  ...(plan.trashed > 0 ? [['To the trash', counted(plan.trashed, 'node')] as [string, string]] : []),
]

const replacedText = ({ users, folders, documents, tags }: NonNullable<RestorePlan['replaced']>): string =>
  [counted(users, 'user'), counted(folders, 'folder'), counted(documents, 'document'), counted(tags, 'tag')].join(', ')

const words: Readonly<Record<keyof ActionCounts, string>> = {
  create: 'new',
  adopt: 'taken on',
  unchanged: 'there already',
  conflict: 'in conflict',
  skip: 'skipped',
  overwrite: 'overwritten',
  copy: 'restored beside',
}

function countsText(counts: ActionCounts): string {
  const parts = Object.entries(counts).map(([action, count]) => `${count} ${words[action as keyof ActionCounts]}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}
