import { openArchive } from '../../archive/open-archive.ts'
import type { OnProgress } from '../../contract/reports.ts'
import { openScratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import type { AgeKeys } from '../../std/age/keys.ts'
import { planRestore } from '../staging/plan.ts'
import { stageArchive } from '../staging/stage.ts'
import type { Target } from './target.ts'

/** Reads the archive back as a restore would, and lets no archive out that a restore would refuse: `backup.damaged_while_read`. */
export async function readBack(
  path: string,
  keys: AgeKeys | undefined,
  target: Target,
  scratchDirectory: string,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using archive = await openArchive(path, scratchDirectory, () => Promise.resolve(keys))
  using scratch = openScratch(scratchDirectory)
  const findings = {
    problem(error: StrongroomError): void {
      const details = { archive: target.name ?? target.folder, reason: error.message }
      throw new StrongroomError('backup.damaged_while_read', details, { cause: error })
    },
    warning: (): void => undefined,
    places: true,
  }
  const staged = await stageArchive(archive, scratch, scratchDirectory, findings, onProgress, signal)
  planRestore(staged, findings, new Map())
}
