import { DirectoryError, openDirectory, type ArchiveDirectory } from '../../archive/directory.ts'
import type { OpenArchive } from '../../archive/open-archive.ts'
import type { WantedFiles } from '../../archive/survey-parts.ts'
import type { OnProgress } from '../../contract/reports.ts'
import { openScratch, type Scratch } from '../../database/scratch.ts'
import { strictFindings, type Findings } from '../staging/findings.ts'
import { planRestore } from '../staging/plan.ts'
import { stageArchive, stageParts, type StagedArchive } from '../staging/stage.ts'
import { choose, type Choice } from './choose.ts'
import { lookUp } from './look-up.ts'

/** What of an archive is wanted. */
export interface Wanted {
  readonly choice: Choice
  readonly files: WantedFiles
}

interface Staging {
  readonly scratch: Scratch
  readonly scratchFolder: string
  readonly findings: Findings
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}

/**
 * Stages what is wanted of an archive, found through its directory. All of it is read where that cannot be, which is told if
 * the archive is ours: it has no directory, or a damaged one; and where everything is wanted, or everything that can be
 * saved. Throws what `choose` throws for what is not there.
 */
export async function stageWanted(archive: OpenArchive, wanted: Wanted, staging: Staging): Promise<StagedArchive> {
  const { findings } = staging
  const isPart = wanted.files === 'none' || !isEverything(wanted.choice)
  if (!isPart || findings.salvage === true) return stageWhole(archive, staging)
  let reason: string
  try {
    const directory = await openDirectory(archive)
    if (directory !== undefined) return await stageFound(archive, directory, wanted, staging)
    reason = 'It has no directory that leads to single documents'
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error
    reason = `Its directory is damaged (${error.message})`
  }
  const staged = await stageWhole(archive, staging)
  if (staged.dialect === 'strongroom')
    findings.warning('archive.read_whole', archive.name, `${reason}, so all of it was read.`)
  return staged
}

const isEverything = ({ username, paths, documents }: Choice): boolean =>
  username === undefined && paths.length + documents.length === 0

const stageWhole = (archive: OpenArchive, { scratch, scratchFolder, findings, onProgress, signal }: Staging) =>
  stageArchive(archive, scratch, scratchFolder, findings, onProgress, signal)

async function stageFound(
  archive: OpenArchive,
  directory: ArchiveDirectory,
  { choice, files }: Wanted,
  { scratch, scratchFolder, findings, onProgress, signal }: Staging,
): Promise<StagedArchive> {
  if (isEverything(choice)) {
    const parts = { users: undefined, files }
    return stageParts(archive, { directory, parts }, scratch, findings, onProgress, signal)
  }
  const users = await lookUp(directory, choice)
  if (users !== undefined)
    return stageParts(archive, { directory, parts: { users, files } }, scratch, findings, onProgress, signal)
  await chooseInVain(archive, directory, choice, scratchFolder, onProgress, signal)
  throw new DirectoryError('it lacks something that backup.json has')
}

/** Says what is there instead of what was named, which takes the whole of backup.json. */
async function chooseInVain(
  archive: OpenArchive,
  directory: ArchiveDirectory,
  choice: Choice,
  scratchFolder: string,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  using scratch = openScratch(scratchFolder)
  const findings = strictFindings(() => undefined)
  const parts = { users: undefined, files: 'none' } as const
  const staged = await stageParts(archive, { directory, parts }, scratch, findings, onProgress, signal)
  planRestore(staged, findings, new Map())
  choose({ name: archive.name, scratch }, choice)
}
