import type { OnProgress } from '../contract/reports.ts'
import type { DryRunReport, PlannedItem } from '../contract/restore-plan.ts'
import type { Database } from '../database/database.ts'
import { openScratch } from '../database/scratch.ts'
import type { MediaStore } from '../media/media-store.ts'
import { allItems } from './merge/list-items.ts'
import { openSource } from './restore/open-source.ts'
import { prepareRestore, type RestoreInput } from './restore/prepare.ts'
import { originOf } from './staging/writer-of.ts'

/**
 * Says what a restore would do, and changes nothing; needs no lock. `conclude` gets every item beside the report, once, as
 * long as it runs; nothing of the instance is held meanwhile. Throws what a restore throws.
 */
export function createDryRun(parts: {
  readonly database: Database
  readonly media: MediaStore
  readonly scratchDirectory: string
}) {
  const { database, media, scratchDirectory } = parts
  return async function dryRun(
    input: RestoreInput,
    onProgress: OnProgress,
    signal?: AbortSignal,
    conclude?: (report: DryRunReport, items: Iterable<PlannedItem>) => Promise<void>,
  ): Promise<DryRunReport> {
    await using source = await openSource(input.archive, scratchDirectory, input.keys)
    using scratch = openScratch(scratchDirectory)
    const preparation = { ...input, identified: true, listed: conclude !== undefined, onProgress }
    const prepared = await database.snapshot((db) => prepareRestore(db, source, scratch, preparation, signal))
    const { staged, plan, bytesNeeded } = prepared
    const { proved, files, folders, links, strangers } = staged.survey
    const warnings = prepared.warnings.collected()
    const report: DryRunReport = {
      operation: `${source.operation} --dry-run`,
      archive: source.name,
      ...originOf(staged),
      plan,
      bytesNeeded,
      bytesFree: await media.freeBytes(),
      proved,
      notProved: { files: proved ? 0 : files, folders, links },
      notUnderstood: strangers + unknownThings.reduce((sum, code) => sum + (warnings.byCode[code] ?? 0), 0),
      warnings,
      leftOut: prepared.leftOut.collected(),
    }
    await conclude?.(report, allItems(scratch))
    return report
  }
}

/** The warnings that each tell of one thing newer or other than what this version knows. */
const unknownThings = ['metadata.unknown_key', 'archive.unknown_version'] as const
