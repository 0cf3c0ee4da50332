import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import type { KeptArchive, PrunedArchive, PruneReport } from '../../contract/prune-report.ts'
import type { KeepCount, KeepReason, KeepRules } from '../../domain/retention.ts'
import { StrongroomError } from '../../errors.ts'
import { display } from '../../std/text.ts'
import { columns, right } from '../columns.ts'
import type { Session } from '../session.ts'
import { bytesText, counted } from '../units.ts'
import { archiveKeys, withKeyFile, type KeyOptions } from './archive-key.ts'
import { example } from './example.ts'

const keepOptions: readonly (readonly [KeepReason, string])[] = [
  ['last', 'keep the newest n archives'],
  ['daily', 'keep the newest archive of each of the last n days that have one'],
  ['weekly', 'the same for weeks'],
  ['monthly', 'the same for months'],
  ['yearly', 'the same for years'],
]

export function addPrune(program: Command, session: Session): void {
  const command = program
    .command('prune')
    .summary('remove old archives from a folder')
    .description(
      'Removes from a folder the archives that no --keep rule keeps, after the newest one was read through and proved. Days, weeks and the rest are those of UTC. Archives of different instances are counted apart; files that are no archives of Strongroom stay.',
    )
    .argument('<folder>', 'the folder that holds the archives')
  for (const [rule, text] of keepOptions)
    command.addOption(new Option(`--keep-${rule} <n>`, `${text}; "all" for no limit`).argParser(countOf))
  withKeyFile(command)
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .addHelpText(
      'after',
      example('strongroom prune /mnt/backups --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --keep-yearly all'),
    )
    .action(async (folder: string, { dryRun = false, ...options }: PruneOptions) => {
      const rules: KeepRules = Object.fromEntries(
        keepOptions.flatMap(([rule]) => {
          const count = options[`keep${rule.charAt(0).toUpperCase()}${rule.slice(1)}` as keyof typeof options]
          return count === undefined ? [] : [[rule, count]]
        }),
      )
      if (Object.keys(rules).length === 0) {
        const reason = 'Say what is to be kept: without a --keep option every archive would go.'
        throw new StrongroomError('usage.invalid', { command: 'prune', reason })
      }
      const app = await session.app()
      const keys = archiveKeys('prune', options, session)
      const input = { folder: session.path(folder), rules, dryRun, keys }
      const report = await session.withProgress((onProgress) => app.prune(input, onProgress, session.signal))
      await session.report(report, () => pruneLines(report))
    })
}

interface PruneOptions extends KeyOptions {
  readonly keepLast?: KeepCount
  readonly keepDaily?: KeepCount
  readonly keepWeekly?: KeepCount
  readonly keepMonthly?: KeepCount
  readonly keepYearly?: KeepCount
  readonly dryRun?: boolean
}

function countOf(text: string): KeepCount {
  if (text === 'all') return 'all'
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1, or "all".')
  return Number(text)
}

function pruneLines(report: PruneReport): string[] {
  const { kept, removed, dryRun } = report
  const line = (word: string, { name, created, size }: PrunedArchive, why: string) => [
    word,
    `${created.slice(0, 16).replace('T', ' ')} UTC`,
    right(bytesText(size)),
    display(name),
    why,
  ]
  const goes = dryRun ? 'would go' : 'removed'
  return [
    ...columns([
      ...kept.map((archive: KeptArchive) => line('kept', archive, archive.reasons.join(', '))),
      ...removed.map((archive) => line(goes, archive, '')),
    ]),
    kept.length + removed.length === 0
      ? `There is no archive of Strongroom in ${display(report.folder)}.`
      : `${counted(kept.length, 'archive')} kept, ${removed.length} ${goes}: ${bytesText(report.bytesFreed)}.`,
    ...(dryRun && removed.length > 0
      ? ['Nothing was removed. Before it is, the newest archive is read through and proved.']
      : []),
    ...report.verified.map((name) => `Proved before: ${display(name)}`),
  ]
}
