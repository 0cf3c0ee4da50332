import { openArchive } from '../archive/open-archive.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { DryRunReport } from '../contract/restore-plan.ts'
import type { Database } from '../database/database.ts'
import { openScratch } from '../database/scratch.ts'
import type { MediaStore } from '../media/media-store.ts'
import { prepareRestore, type RestoreInput } from './restore/prepare.ts'
import { originOf } from './staging/writer-of.ts'

/** Says what a restore would do, item by item, and changes nothing; needs no lock. Throws what a restore throws. */
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
  ): Promise<DryRunReport> {
    await using archive = await openArchive(input.archive, scratchDirectory)
    using scratch = openScratch(scratchDirectory)
    const preparation = { ...input, scratchDirectory, identified: true, onProgress }
    const prepared = await database.snapshot((db) => prepareRestore(db, archive, scratch, preparation, signal))
    const { staged, plan, bytesNeeded, warnings, leftOut } = prepared
    return {
      operation: 'restore --dry-run',
      archive: archive.name,
      ...originOf(staged),
      plan,
      bytesNeeded,
      bytesFree: await media.freeBytes(),
      proved: staged.survey.proved,
      warnings: warnings.collected(),
      leftOut: leftOut.collected(),
    }
  }
}
