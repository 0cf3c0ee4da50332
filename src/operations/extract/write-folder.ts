import type { NoticeCollector } from '../../contract/notices.ts'
import type { OnProgress } from '../../contract/reports.ts'
import type { ScratchRow } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import { makeFolders, onFile } from '../../std/files.ts'
import type { Contents } from '../contents/contents.ts'
import { copyFiles, outputPath, type Copied } from './copy-files.ts'
import { openFolderTarget } from './folder-target.ts'
import { assertRoom, isThere, settle, type Settled } from './settle.ts'
import type { OutputTarget } from './target.ts'

export interface WriteInput {
  readonly contents: Contents
  readonly leftOut: NoticeCollector
  readonly keepGoing: boolean
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}

/** Writes what is no file of a version, after those; returns how many files that were. */
export type WriteOthers = (target: OutputTarget) => Promise<Copied>

export type Written = Copied & Settled & { readonly folders: number }

/**
 * Writes all of `output_files` below a folder, which is made where it is not there. Nothing is written where something else
 * stands in the way, see `settle`. Throws `file.…`, `extract.…`; the files that were written until then are whole and stay.
 */
export async function writeFolder(
  input: WriteInput,
  place: { readonly root: string; readonly overwrite: boolean },
  expected: (row: ScratchRow) => Promise<{ readonly size: number; readonly sha256: string }>,
  writeOthers: WriteOthers,
): Promise<Written> {
  const { contents, signal } = input
  const { scratch } = contents
  const { root, overwrite } = place
  const settled = (await isThere(root)) ? await lookAround() : { unchanged: 0, replaced: 0 }
  await assertRoom(scratch, root)
  await onFile(root, 'made', () => makeFolders(root, 0o700))
  await using target = await openFolderTarget(root, overwrite)
  try {
    const folders = await writeFolders(input, target)
    const copied = await copyFiles({ ...input, target })
    const others = await writeOthers(target)
    await target.finish()
    return { ...settled, folders, files: copied.files + others.files, bytes: copied.bytes + others.bytes }
  } catch (error) {
    if (!(error instanceof StrongroomError) || error.code !== 'file.no_space') throw error
    const written = Number(scratch.first("select count(*) as n from output_files where state = 'written'")?.n)
    throw new StrongroomError('extract.no_space', { folder: root, written }, { cause: error })
  }

  async function lookAround(): Promise<Settled> {
    await using target = await openFolderTarget(root, overwrite)
    return await settle(scratch, target, place, expected, signal)
  }
}

/** Makes the folders, those above the files too; returns their number. */
export async function writeFolders(
  { contents: { scratch }, signal }: Pick<WriteInput, 'contents' | 'signal'>,
  target: OutputTarget,
): Promise<number> {
  let folders = 0
  for (const row of scratch.rows("select path, mtime from output_files where kind = 'folder' order by n")) {
    signal?.throwIfAborted()
    await target.folder(outputPath(row), Number(row.mtime))
    folders += 1
  }
  return folders
}
