import { openArchive, type ArchiveSource } from '../../archive/open-archive.ts'
import { breaksOff } from '../../archive/breaks-off.ts'
import { StrongroomError } from '../../errors.ts'
import type { PapermergePlace } from '../papermerge/address.ts'
import { openPapermerge } from '../papermerge/open-papermerge.ts'
import { stageWanted } from '../contents/stage-wanted.ts'
import { archiveFiles } from '../staging/archive-files.ts'
import { salvagingFindings, strictFindings } from '../staging/findings.ts'
import type { StagedArchive } from '../staging/stage.ts'
import type { Source } from './source.ts'

/** An archive, or a living Papermerge. */
export type SourceInput = ArchiveSource['archive'] | PapermergePlace

/** `keys` open an encrypted archive. Throws `archive.not_an_archive`, `archive.wrong_key`, `papermerge.…`, `file.…`. */
export const openSource = (
  input: SourceInput,
  scratchDirectory: string,
  keys: ArchiveSource['keys'],
): Promise<Source> =>
  typeof input === 'object' && 'database' in input
    ? openPapermerge(input)
    : archiveSource(input, scratchDirectory, keys)

async function archiveSource(
  input: ArchiveSource['archive'],
  scratchDirectory: string,
  keys: ArchiveSource['keys'],
): Promise<Source> {
  const archive = await openArchive(input, scratchDirectory, keys)
  let read: StagedArchive | undefined
  return {
    operation: 'restore',
    name: archive.name,
    async stage(scratch, { keepGoing, warning, leftOut, choice }, onProgress, signal) {
      const findings = keepGoing ? salvagingFindings(scratch, warning, leftOut) : strictFindings(warning)
      const wanted = { choice: choice ?? { paths: [], documents: [] }, files: 'all' } as const
      const staging = { scratch, scratchFolder: scratchDirectory, findings, onProgress, signal }
      const staged = await stageWanted(archive, wanted, staging)
      read = staged
      return { staged, findings }
    },
    identity: () => archive.sha256(),
    files: (scratch, isWanted, signal) => archiveFiles(archive, read!.entries(), scratch, isWanted, signal),
    changed: () => new StrongroomError('archive.changed', { archive: archive.name }),
    mayEnd: breaksOff,
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  }
}
