import { lstat, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { readArchiveHead } from '../archive/archive-head.ts'
import { createNotices } from '../contract/notices.ts'
import type { KeptArchive, PrunedArchive, PruneReport } from '../contract/prune-report.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { VerifyReport } from '../contract/verify-report.ts'
import { keepReasons, type KeepRules } from '../domain/retention.ts'
import { StrongroomError } from '../errors.ts'
import type { AgeKeySource } from '../std/age/keys.ts'
import { onFile, syncFolder, systemCode } from '../std/files.ts'
import type { ScratchPlaces } from './scratch-places.ts'
import { createVerify } from './verify.ts'

export interface PruneInput {
  /** Asked for what opens an encrypted archive. */
  readonly keys?: AgeKeySource
  readonly folder: string
  /** One at least. */
  readonly rules: KeepRules
  /** Whether only to say what would be removed. */
  readonly dryRun: boolean
}

/** An archive of ours in the folder. */
interface Found extends PrunedArchive {
  readonly path: string
}

/**
 * Removes the archives of a folder that no rule keeps, instance by instance. Before anything is removed the newest archive
 * of an instance is read through and proved; where that declares damage, so are the older ones up to the newest that lacks
 * nothing, which is then kept. Only regular files that say inside that they are backups of ours are looked at, whatever
 * their names; an encrypted one that the keys do not open ends it before anything is removed, as it may be the newest. Throws
 * `prune.newest_unsound`, `archive.key_missing` and `archive.wrong_key`, and then has removed nothing; `file.…`.
 */
export function createPrune(places: ScratchPlaces) {
  const verifyArchive = createVerify(places)

  return async function prune(
    { folder, rules, dryRun, keys }: PruneInput,
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<PruneReport> {
    const { found, ignored } = await findArchives(folder, keys)
    const kept: KeptArchive[] = []
    const doomed: Found[] = []
    const verified: string[] = []
    const warnings = createNotices()
    for (const archives of Map.groupBy(found, ({ instance }) => instance).values()) {
      const reasons = keepReasons(
        archives.map(({ created }) => created),
        rules,
      )
      const unkept = archives.filter((_, at) => reasons[at]!.length === 0)
      const whole =
        dryRun || unkept.length === 0 ? undefined : await findWhole(archives, keys, verified, onProgress, signal)
      for (const [at, archive] of archives.entries()) {
        const { path: _path, ...listed } = archive
        const why = [...reasons[at]!, ...(archive === whole ? ['without damage'] : [])]
        if (why.length === 0) doomed.push(archive)
        else kept.push({ ...listed, reasons: why })
      }
      if (whole === undefined && !dryRun && unkept.length > 0) {
        const message = 'Every archive of this instance declares files that were lost before it was made.'
        warnings.add('prune.all_damaged', archives[0]!.name, message)
      }
    }
    const removed: PrunedArchive[] = []
    for (const { path, ...archive } of doomed) {
      signal?.throwIfAborted()
      if (!dryRun) await remove(path)
      removed.push(archive)
    }
    if (!dryRun && removed.length > 0) await onFile(folder, 'written', () => syncFolder(folder))
    return {
      operation: 'prune',
      folder,
      dryRun,
      kept,
      removed,
      bytesFreed: removed.reduce((sum, { size }) => sum + size, 0),
      verified,
      ignored,
      warnings: warnings.collected(),
      leftOut: createNotices().collected(),
    }
  }

  /**
   * Proves the newest, and gives the newest that declares no damage: what an older one still has may be nowhere else.
   * Undefined where there is none.
   */
  async function findWhole(
    newestFirst: readonly Found[],
    keys: AgeKeySource | undefined,
    verified: string[],
    onProgress: OnProgress,
    signal: AbortSignal | undefined,
  ): Promise<Found | undefined> {
    for (const [at, archive] of newestFirst.entries()) {
      const report = await verifyArchive(
        { archive: archive.path, ...(keys === undefined ? {} : { keys }) },
        onProgress,
        signal,
      )
      if (at === 0 && !report.proved) {
        throw new StrongroomError('prune.newest_unsound', { archive: archive.path, reason: reasonOf(report) })
      }
      if (!report.proved) continue
      verified.push(archive.name)
      if (report.declaredDamage === 0) return archive
    }
    return undefined
  }
}

const reasonOf = ({ findings }: VerifyReport): string =>
  findings.listed[0]?.message ?? 'its files could not be held against hashes.'

/** Archives of ours, the newest first. */
async function findArchives(
  folder: string,
  keys: AgeKeySource | undefined,
): Promise<{ found: Found[]; ignored: number }> {
  const names = await onFile(folder, 'read', () => readdir(folder))
  const found: Found[] = []
  for (const name of names) {
    const path = join(folder, name)
    const status = await lstat(path).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (status?.isFile() !== true || !/\.tar\.gz(?:\.age)?$/.test(name) || name.startsWith('.')) continue
    const head = await readArchiveHead(path, keys)
    if (head === undefined) continue
    found.push({ name, path, created: head.created, size: status.size, instance: head.instance })
  }
  found.sort((a, b) => compare(b.created, a.created) || compare(b.name, a.name))
  return { found, ignored: names.length - found.length }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What another has removed meanwhile is gone all the same. */
const remove = (path: string): Promise<void> =>
  onFile(path, 'removed', () =>
    unlink(path).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error
    }),
  )
