import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Change, ComparedSide, CompareReport, Difference, DifferenceKind } from '../../contract/compare-report.ts'
import { StrongroomError } from '../../errors.ts'
import type { CompareInput } from '../../operations/compare.ts'
import type { AgeKeySource } from '../../std/age/keys.ts'
import { onFile } from '../../std/files.ts'
import { display } from '../../std/text.ts'
import { columns } from '../columns.ts'
import { exitDifferent } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { bytesText, counted, countText } from '../units.ts'
import { archiveKeys, withKeyFile, type KeyOptions } from './archive-key.ts'
import { archiveOf } from './archive-argument.ts'
import { example } from './example.ts'

interface CompareOptions extends KeyOptions {
  readonly quick?: boolean
  readonly databaseA?: string
  readonly databaseB?: string
}

export function addCompare(program: Command, session: Session): void {
  const command = program
    .command('compare')
    .summary('tell what differs between archives and instances')
    .description(
      'Tells what differs between two archives, two instances, or one of each, down to the bytes of every file. A file is an archive, a folder the data directory of an instance; without B, it is the instance of --data. Exit code 0: the same; 3: different. Changes nothing.',
    )
    .argument('<a>', 'an archive, - for one on standard input, or a data directory')
    .argument('[b]', 'the same; the instance of --data and --database where it is left out')
    .option('--database-a <url>', 'the database of the data directory A, where it is not the SQLite database in it')
    .option('--database-b <url>', 'the same for B')
    .option('--quick', 'believe the recorded SHA-256 of each file, and read none')
  withKeyFile(command)
    .addHelpText(
      'after',
      example(
        'strongroom compare strongroom-20261124T140352Z.tar.gz',
        'strongroom compare monday.tar.gz tuesday.tar.gz',
        'strongroom compare /srv/strongroom /srv/copy --database-b postgres://db/copy',
      ),
    )
    .action(async (a: string, b: string | undefined, options: CompareOptions) => {
      if (a === '-' && b === '-') throw misused('Standard input carries one archive, not two.')
      const keys = archiveKeys('compare', options, session)
      await using opened = new AsyncDisposableStack()
      const left = await sideOf(a, options.databaseA, 'a', keys, session, opened)
      const right = await sideOf(b, options.databaseB, 'b', keys, session, opened)
      const app = await session.app()
      const input = { left, right, quick: options.quick === true }
      const report = await session.withProgress((onProgress) => app.compare(input, onProgress, session.signal))
      await session.report(report, () => compareLines(report))
      if (!report.equal) session.exitCode = exitDifferent
    })
}

const misused = (reason: string): StrongroomError =>
  new StrongroomError('usage.invalid', { command: 'compare', reason })

/** What was named. An instance is kept open until the end, under its shared lock, so that no file of it goes meanwhile. */
async function sideOf(
  typed: string | undefined,
  url: string | undefined,
  option: 'a' | 'b',
  keys: AgeKeySource,
  session: Session,
  opened: AsyncDisposableStack,
): Promise<CompareInput> {
  const path = typed === undefined || typed === '-' ? undefined : session.path(typed)
  const isFolder = path !== undefined && (await onFile(path, 'read', () => stat(path))).isDirectory()
  if (url !== undefined && !isFolder)
    throw misused(`--database-${option} belongs to a data directory, and ${option.toUpperCase()} is none.`)
  if (typed !== undefined && !isFolder) return { archive: archiveOf(typed, session), keys }
  const ownApp = await session.app()
  const isOwn = path === undefined || (path === ownApp.dataDirectory && url === undefined)
  const app = isOwn
    ? ownApp
    : await session.terminal.openApp({ data: path, database: url ?? `sqlite:${join(path, 'strongroom.db')}` })
  const instance = opened.use(await app.open({ access: 'write', command: 'compare' }))
  return { contents: instance.contents }
}

function compareLines(report: CompareReport): string[] {
  const { left, right, listed, total } = report
  return [
    ...columns([
      ['A', sideText(left)],
      ['B', sideText(right)],
    ]),
    ...differenceLines(listed),
    ...(total > listed.length ? [`… and ${countText(total - listed.length)} more`] : []),
    ...(report.underOtherIds > 0
      ? [`${counted(report.underOtherIds, 'thing')} the same under another id; an archive of Papermerge gives none.`]
      : []),
    '',
    verdictOf(report),
  ]
}

const sideText = ({ name, type, created }: ComparedSide): string =>
  type === 'instance' ? `the instance ${display(name)}` : `${display(name)}, made ${created ?? 'at an unknown time'}`

const signs: Readonly<Record<DifferenceKind, string>> = {
  added: '+ added',
  removed: '- removed',
  moved: '> moved',
  renamed: '> renamed',
  trashed: '> moved to the trash:',
  untrashed: '> brought back from the trash:',
  changed: '~ changed',
  dates: '~ dates',
}

function* differenceLines(differences: readonly Difference[]): Generator<string> {
  let user: string | null | undefined
  for (const difference of differences) {
    const { username, thing, kind, changes } = difference
    if (username !== user) yield* ['', username === null ? 'Groups' : display(username)]
    user = username
    const texts = changes.map((change) => changeText(change, kind === 'dates'))
    const what = [...texts, ...moreText(difference.changesNotListed)].join(', ')
    yield `  ${signs[kind]} ${thing} ${nameText(difference)}${what === '' ? '' : `: ${what}`}`
  }
}

const moreText = (count: number): string[] => (count === 0 ? [] : [`and ${countText(count)} more`])

function nameText({ name, from, inTrash, kind }: Difference): string {
  if (kind === 'trashed' || kind === 'untrashed') return display(kind === 'trashed' ? (from ?? name) : name)
  const now = `${display(name)}${inTrash ? ' (in the trash)' : ''}`
  return from === null ? now : `from ${display(from)} to ${now}`
}

const changeWords: Readonly<Record<string, string>> = {
  bytes: 'bytes',
  sha256: 'recorded SHA-256',
  is_active: 'active',
  is_superuser: 'superuser',
  is_staff: 'staff',
  page_count: 'number of pages',
  deleted_parent: 'folder to come back to',
  deleted_from: 'path to come back to',
}

const dates: ReadonlySet<string> = new Set(['date_joined', 'last_login', 'created_at', 'updated_at'])

/** Dates change with everything else; what they were is told where nothing else is. */
function changeText(change: Change, showDates: boolean): string {
  const { what, how, version, page, sidecar, left, right, damaged } = change
  const isWhole = how !== 'changed'
  const place = [
    ...(sidecar === null ? [] : [display(sidecar)]),
    ...(page === null ? [] : [`page ${page}`]),
    ...(version === null ? [] : [`version ${version}`]),
  ]
  if (isWhole) return `${place.join(' of ')} ${how}`
  const isShown = (left !== null || right !== null) && (showDates || !dates.has(what))
  const values = !isShown ? '' : ` (${valueText(left)} → ${valueText(right)})`
  const side = damaged === null ? '' : ` (the file in ${damaged === 'left' ? 'A' : 'B'} is not what its row says)`
  return `${[changeWords[what] ?? what.replaceAll('_', ' '), ...place].join(' of ')}${values}${side}`
}

const valueText = (value: string | number | null): string => (value === null ? 'none' : display(String(value)))

function verdictOf({ equal, quick, total, byKind, left, right }: CompareReport): string {
  const read = quick
    ? 'No file was read: the recorded SHA-256 of each was believed.'
    : `${counted(left.files, 'file')} (${bytesText(left.bytes)}) of A and ${countText(right.files)} (${bytesText(right.bytes)}) of B were read and compared.`
  if (equal) {
    const things = [
      counted(left.users, 'user'),
      counted(left.folders, 'folder'),
      counted(left.documents, 'document'),
      counted(left.versions, 'version'),
      counted(left.pages, 'page'),
    ]
    return `The same: ${things.join(', ')}. ${read}`
  }
  const counts = Object.entries(byKind).map(([kind, count]) => `${countText(count)} ${kind}`)
  return `Different: ${counted(total, 'difference')} (${counts.join(', ')}). ${read}`
}
