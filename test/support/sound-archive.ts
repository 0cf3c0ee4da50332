import { expect } from 'vitest'
import { checkArchiveLayout } from '../checker/archive-checker.ts'
import { checkForPapermerge } from '../checker/papermerge-checker.ts'

/** Holds an archive of ours to its format, and to what the real Papermerge 2.1.9 restores without a loss. */
export async function expectSoundArchive(path: string): Promise<void> {
  expect(await checkArchiveLayout(path)).toEqual([])
  const { raises, loses } = await checkForPapermerge(path)
  expect({ raises, loses }).toEqual({ raises: [], loses: [] })
}
