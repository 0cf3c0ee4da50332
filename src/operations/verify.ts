import { openArchive, type ArchiveSource } from '../archive/open-archive.ts'
import { createNotices } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { VerifyReport } from '../contract/verify-report.ts'
import { openScratch } from '../database/scratch.ts'
import { StrongroomError } from '../errors.ts'
import { scratchFor, type ScratchPlaces } from './scratch-places.ts'
import { planRestore } from './staging/plan.ts'
import { stageArchive } from './staging/stage.ts'
import { originOf } from './staging/writer-of.ts'

/** What stops the reading of an archive: nothing behind it can be known. */
const endsReading = new Set(['archive.truncated', 'archive.damaged', 'archive.newer_format', 'archive.changed'])

/**
 * Proves an archive without an instance: reads it through as a restore would, and goes on at what is wrong to find the rest.
 * Throws only where there is no archive to prove: `file.…`, `archive.not_an_archive`.
 */
export function createVerify(places: ScratchPlaces) {
  return async function verify(
    input: ArchiveSource,
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<VerifyReport> {
    await using archive = await openArchive(input.archive, places.scratchDirectory, input.keys)
    const scratchDirectory = scratchFor(archive, places)
    using scratch = openScratch(scratchDirectory)
    const found = createNotices(1000)
    const warnings = createNotices()
    const add = (error: StrongroomError): void =>
      found.add(error.code, String(error.details.member ?? archive.name), error.message)
    const findings = { problem: add, warning: warnings.add, places: true }
    const nothing = createNotices().collected()
    const base = { operation: 'verify', archive: archive.name, leftOut: nothing } as const
    try {
      const staged = await stageArchive(archive, scratch, scratchDirectory, findings, onProgress, signal)
      const plan = planRestore(staged, findings, new Map())
      const { files, bytes, proved } = staged.survey
      const { users, documents, versions } = plan
      const sound = found.count === 0
      return {
        ...base,
        ...originOf(staged),
        users,
        documents,
        versions,
        files,
        bytes,
        declaredDamage: Number(scratch.first('select count(*) as n from damage')?.n),
        sound,
        proved: proved && sound,
        findings: found.collected(),
        warnings: warnings.collected(),
      }
    } catch (error) {
      if (!(error instanceof StrongroomError) || !endsReading.has(error.code)) throw error
      add(error)
      return {
        ...base,
        writer: 'unknown',
        created: null,
        users: 0,
        documents: 0,
        versions: 0,
        files: 0,
        bytes: 0,
        declaredDamage: 0,
        sound: false,
        proved: false,
        findings: found.collected(),
        warnings: warnings.collected(),
      }
    }
  }
}
