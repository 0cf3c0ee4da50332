import type {
  ActionCounts,
  DryRunReport,
  PlannedItem,
  RestoreAction,
  RestorePlan,
} from '../../contract/restore-plan.ts'
import type { RestoreReport } from '../../contract/restore-report.ts'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import { bytesText, counted, countText } from '../units.ts'

/** A finished restore for people. */
export function restoreLines(report: RestoreReport): string[] {
  const { bytes, plan, trash } = report
  const decided = countsOf(plan, ['skip', 'overwrite', 'copy'])
  const listed = plan.items.filter(({ action }) => action !== 'adopt').slice(0, shownItems)
  return [
    ...columns([
      ...originRows(report),
      ['Users', countsText(plan.users)],
      ...planRows(plan),
      ...(trash.documents + trash.folders === 0
        ? []
        : [
            ['Trash', `${counted(trash.folders, 'folder')}, ${counted(trash.documents, 'document')}`] as [
              string,
              string,
            ],
          ]),
      ['Files', bytesText(bytes)],
      ...(report.restorePoint === null ? [] : [['Kept before', display(report.restorePoint)] as [string, string]]),
      ['Proved', report.proved ? 'every file, by its SHA-256' : `no: ${withoutHashes(report)}`],
    ]),
    ...listed.map(itemLine),
    ...(decided > listed.length ? [`… and ${countText(decided - listed.length)} more`] : []),
  ]
}

// More would scroll what matters out of sight; --json has the first 1,000.
const shownItems = 20

/** What became of something that was neither new nor there already. */
function itemLine({ kind, username, name, action, reason }: PlannedItem): string {
  const word = action === 'create' ? 'new' : action === 'copy' ? 'restored beside' : action
  return `${word}: ${kind} ${display(name)} of ${display(username)}${reason === '' ? '' : `: ${reason}`}`
}

const countsOf = ({ users, tags, folders, documents }: RestorePlan, actions: readonly RestoreAction[]): number =>
  [users, tags, folders, documents].reduce(
    (sum, counts) => sum + actions.reduce((inner, action) => inner + (counts[action] ?? 0), 0),
    0,
  )

type Told = Pick<RestoreReport | DryRunReport, 'operation' | 'archive' | 'writer' | 'created'>

const isLiving = (operation: Told['operation']): boolean => operation.startsWith('import-papermerge')

const withoutHashes = ({ operation }: Pick<Told, 'operation'>): string =>
  isLiving(operation) ? 'Papermerge keeps no hashes' : 'the archive carries no hashes'

/** A living Papermerge was not written at any time. */
const originRows = ({ operation, archive, writer, created }: Told): [string, string][] =>
  isLiving(operation)
    ? [['Papermerge', display(archive)]]
    : [
        ['Archive', display(archive)],
        ['Written by', display(writer)],
        ['Written at', created ?? 'unknown'],
      ]

/** A dry run for people, as long as `items` are. */
export function* dryRunLines(report: DryRunReport, items: Iterable<PlannedItem>): Generator<string> {
  const { plan, notUnderstood } = report
  yield* columns([
    ...originRows(report),
    ['Users', countsText(plan.users)],
    ...userRows(plan),
    ...planRows(plan),
    ['Space', `${bytesText(report.bytesNeeded)} needed, ${bytesText(report.bytesFree)} free`],
    ['Proved', report.proved ? 'every file, by its SHA-256' : 'nothing'],
    ['Not proved', notProvedText(report)],
    [
      'Not understood',
      notUnderstood === 0 ? 'nothing' : `${counted(notUnderstood, 'thing')}, which the warnings name: ignored`,
    ],
  ])
  for (const item of items) yield itemLine(item)
  yield plan.conflicts === 0
    ? `Nothing was changed. ${isLiving(report.operation) ? 'An import' : 'A restore'} would do just this.`
    : `Nothing was changed. ${counted(plan.conflicts, 'conflict')}: choose with --on-conflict skip, overwrite or keep-both.`
}

/** The JSON of a dry run with these items, which may be too many for one text. */
export function* dryRunJson(report: DryRunReport, items: Iterable<PlannedItem>): Generator<string> {
  const { plan, ...rest } = report
  const { items: _, ...told } = plan
  const open = (value: object): string => JSON.stringify(value).slice(0, -1)
  yield `${open(rest)},"plan":${open(told)},"items":[`
  let comma = ''
  for (const item of items) {
    yield comma + JSON.stringify(item)
    comma = ','
  }
  yield ']}}'
}

function notProvedText({ operation, proved, leftOut, notProved }: DryRunReport): string {
  const { files, folders, links } = notProved
  const parts = [
    ...(files > 0 ? [counted(files, 'file')] : []),
    ...(folders > 0 ? [counted(folders, 'folder')] : []),
    ...(links > 0 ? [counted(links, 'link')] : []),
  ]
  if (parts.length === 0) return 'nothing'
  if (proved) return `${parts.join(', ')}: in no hash, and nothing is restored from them`
  return `${parts.join(', ')}: ${isLiving(operation) || leftOut.total === 0 ? withoutHashes({ operation }) : 'the archive is damaged'}`
}

// More would scroll the totals out of sight; --json has them all.
const shownUsers = 50

/** What becomes of what each of several users has. */
function userRows({ byUser }: RestorePlan): [string, string][] {
  if (byUser.length < 2) return []
  const more = byUser.length - shownUsers
  return [
    ...byUser
      .slice(0, shownUsers)
      .map(({ username, folders, documents }): [string, string] => [
        `  ${display(username)}`,
        `folders: ${countsText(folders)}; documents: ${countsText(documents)}`,
      ]),
    ...(more > 0 ? [['  …', `and ${counted(more, 'user')} more`] as [string, string]] : []),
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
