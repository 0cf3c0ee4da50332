import { Option } from 'commander'
import type { Command } from 'commander'
import type { ChosenParts } from '../../contract/restore-parts.ts'
import type { ConflictChoice } from '../../contract/restore-plan.ts'
import { StrongroomError } from '../../errors.ts'
import type { SavedPlan } from '../../operations/plan-file.ts'
import { eachOf } from './each-of.ts'

/** The options of whatever restores. */
export interface RestoreOptions {
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
  readonly path?: readonly string[]
  readonly document?: readonly string[]
  readonly asUser?: string
  readonly into?: string
  readonly versions: 'all' | 'last'
}

/** Adds them to a command; `keepGoing` says what --keep-going does there. */
export const withRestoreOptions = (command: Command, keepGoing: string): Command =>
  command
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
    .option('--replace', 'make the instance exactly what is restored; what it held is kept as a restore point')
    .option('--no-restore-point', 'with --replace: keep nothing of what the instance held')
    .option('--keep-going', keepGoing)
    .option('--user <name>', 'only what this user has in it')
    .option('--path <path>', 'only what is at this path, and below it; may be given several times', eachOf)
    .option('--document <id>', 'only the document with this id; may be given several times', eachOf)
    .option('--as-user <name>', 'give it to this user of the instance')
    .option('--into <folder>', 'put it into this folder, which is made where it is missing')
    .addOption(
      new Option('--versions <which>', 'all versions of a document, or the last alone')
        .choices(['all', 'last'])
        .default('all'),
    )

/** What was chosen, as the operations take it. */
export interface RestoreChoices {
  readonly onConflict?: ConflictChoice
  readonly replace: boolean
  readonly keepGoing: boolean
  readonly parts?: ChosenParts
}

export function choicesOf(options: RestoreOptions): RestoreChoices {
  const { onConflict, replace = false, keepGoing = false } = options
  const parts = partsOf(options)
  return {
    ...(onConflict === undefined ? {} : { onConflict }),
    replace,
    keepGoing,
    ...(parts === null ? {} : { parts }),
  }
}

/** What of the whole is wanted; null where it is all. */
function partsOf(options: RestoreOptions): ChosenParts | null {
  const { user = null, path: paths = [], document: documents = [], asUser = null, into = null, versions } = options
  const isAll = paths.length + documents.length === 0 && versions === 'all'
  return isAll && user === null && asUser === null && into === null
    ? null
    : { user, paths, documents, asUser, into, versions }
}

export const wantedBy = ({
  onConflict,
  replace,
  keepGoing,
  parts,
  digest,
}: SavedPlan): RestoreChoices & { readonly planDigest: string } => ({
  onConflict,
  replace,
  keepGoing,
  ...(parts === null ? {} : { parts }),
  planDigest: digest,
})

/** Throws `usage.invalid` for options that do not go together. */
export function assertUsable(command: string, options: RestoreOptions): void {
  const { dryRun, list, savePlan, plan, onConflict, replace, restorePoint, keepGoing } = options
  const isPart = partsOf(options) !== null
  const isChosen = onConflict !== undefined || replace === true || keepGoing === true || isPart
  const problems: readonly (readonly [boolean, string])[] = [
    [
      replace === true && onConflict !== undefined,
      '--replace leaves nothing that could be in conflict; it does not go with --on-conflict.',
    ],
    [replace === true && isPart, '--replace makes the instance the whole of it; it does not go with a part.'],
    [!restorePoint && replace !== true && plan === undefined, '--no-restore-point goes with --replace.'],
    [list === true && dryRun !== true, '--list goes with --dry-run.'],
    [savePlan !== undefined && dryRun !== true, '--save-plan goes with --dry-run.'],
    [
      plan !== undefined && (dryRun === true || isChosen),
      '--plan carries out a plan as it is: it goes with no other choice, and not with --dry-run.',
    ],
  ]
  const reason = problems.find(([isProblem]) => isProblem)?.[1]
  if (reason !== undefined) throw new StrongroomError('usage.invalid', { command, reason })
}
