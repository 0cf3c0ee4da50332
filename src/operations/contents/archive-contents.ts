import { openArchive, type ArchiveSource, type OpenArchive } from '../../archive/open-archive.ts'
import type { OnProgress } from '../../contract/reports.ts'
import { openScratch, type Scratch } from '../../database/scratch.ts'
import { scratchFor, type ScratchPlaces } from '../scratch-places.ts'
import { archiveFiles } from '../staging/archive-files.ts'
import { planRestore, type Plan } from '../staging/plan.ts'
import type { Findings } from '../staging/findings.ts'
import { stageArchive, type StagedArchive } from '../staging/stage.ts'
import type { Contents } from './contents.ts'
import { stageWanted, type Wanted } from './stage-wanted.ts'

/** The contents of an archive that has been read through and checked as a restore would. */
export interface ArchiveContents extends Contents {
  readonly archive: OpenArchive
  readonly staged: StagedArchive
  readonly plan: Plan
}

/**
 * Opens an archive, reads it through, or as much of it as is wanted, and relates what it says; what is wrong goes to the
 * findings, or to those that are made for the scratch database that it is noted in. Throws `archive.…`, `file.…`, and
 * `contents.…` for what is wanted and not there.
 */
export async function openArchiveContents(
  source: ArchiveSource,
  places: ScratchPlaces,
  given: Findings | ((scratch: Scratch) => Findings),
  onProgress: OnProgress,
  signal?: AbortSignal,
  wanted?: Wanted,
): Promise<ArchiveContents> {
  await using opened = new AsyncDisposableStack()
  const archive = opened.use(await openArchive(source.archive, places.scratchDirectory, source.keys, signal))
  const scratchFolder = scratchFor(archive, places)
  const scratch = opened.use(openScratch(scratchFolder))
  const findings = typeof given === 'function' ? given(scratch) : given
  if (archive.copied) {
    const message = 'Its server gives it only as a whole, so that all of it was copied to the scratch folder first.'
    findings.warning('archive.copied', archive.name, message)
  }
  const staged =
    wanted === undefined
      ? await stageArchive(archive, scratch, scratchFolder, findings, onProgress, signal)
      : await stageWanted(archive, wanted, { scratch, scratchFolder, findings, onProgress, signal })
  const plan = planRestore(staged, findings, new Map())
  const owned = opened.move()
  return {
    name: archive.name,
    archive,
    scratch,
    staged,
    plan,
    files: (isWanted, ending) => archiveFiles(archive, staged.entries(), scratch, isWanted, ending),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
