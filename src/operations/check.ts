import { createHash } from 'node:crypto'
import type { CheckReport } from '../contract/check-report.ts'
import type { DrillState } from '../contract/drill-report.ts'
import { createNotices } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { Database, Db } from '../database/database.ts'
import { countAll } from '../database/queries/counts.ts'
import { keysInUse, listDiscardedFiles, listPendingFiles, unfinishedAmong } from '../database/queries/files.ts'
import { findNode, pathOf } from '../database/queries/nodes.ts'
import { findPage } from '../database/queries/pages.ts'
import { listSidecars } from '../database/queries/sidecars.ts'
import { findUserById } from '../database/queries/users.ts'
import { findVersion, listVersionFacts } from '../database/queries/versions.ts'
import { formatPath } from '../domain/paths.ts'
import { StrongroomError } from '../errors.ts'
import type { MediaStore } from '../media/media-store.ts'
import type { Clock, Timestamp } from '../std/clock.ts'
import { isProved, readDrillState } from './drill/state.ts'

const rowsAtOnce = 500

interface CheckParts {
  readonly database: Database
  readonly media: MediaStore
  readonly dataDirectory: string
  readonly clock: Clock
}

/** A file that a row names, and how to say whose it is. */
interface Expected {
  readonly key: string
  readonly size: number
  readonly sha256: string
  describe(db: Db): Promise<string>
}

/**
 * Compares the rows of one moment with the files: each file's size and, unless `quick`, its SHA-256; and each file with the
 * rows. Changes nothing. The caller holds the shared lock, so that no file that a row names is removed meanwhile. Memory
 * does not grow with the instance.
 */
export const createCheck =
  ({ database, media, dataDirectory, clock }: CheckParts) =>
  (input: { readonly quick: boolean }, onProgress: OnProgress, signal?: AbortSignal): Promise<CheckReport> =>
    database.snapshot(async (db) => {
      const run = createRun({ database, media }, db)
      const { trash, ...outside } = await countAll(db)
      const total = outside.originalBytes + outside.sidecarBytes + trash.originalBytes + trash.sidecarBytes
      let done = 0
      for await (const expected of expectedFiles(db, run.warnings)) {
        signal?.throwIfAborted()
        await run.compare(expected, input.quick)
        done += expected.size
        onProgress({ phase: 'check', done, total, unit: 'bytes' })
      }
      await run.findOrphans(signal)
      await run.countUnfinished()
      const lastDrill = lastDrillOf(await readDrillState(dataDirectory), clock.now(), run.warnings)
      return { operation: 'check', quick: input.quick, lastDrill, ...run.result() }
    })

function lastDrillOf(
  state: DrillState | undefined,
  now: Timestamp,
  warnings: ReturnType<typeof createNotices>,
): CheckReport['lastDrill'] {
  if (state === undefined) return null
  const { at, outcome, error, lastProved } = state
  if (!isProved(state)) {
    const reason = error?.message ?? 'what came back was not what the archive holds.'
    warnings.add('check.drill_failed', state.archive?.name ?? '', `The last drill, on ${at}, proved nothing: ${reason}`)
  }
  const proved = lastProved?.at ?? null
  return { at, outcome, proved, daysAgo: proved === null ? null : wholeDays(proved, now) }
}

const wholeDays = (from: Timestamp, to: Timestamp): number =>
  Math.max(0, Math.floor((Date.parse(to) - Date.parse(from)) / 86_400_000))

function createRun({ database, media }: Pick<CheckParts, 'database' | 'media'>, db: Db) {
  const warnings = createNotices()
  const findings = createNotices()
  const counts = { files: 0, bytes: 0, missing: 0, changed: 0, unreadable: 0, orphaned: 0, unfinished: 0 }

  async function compare(expected: Expected, quick: boolean): Promise<void> {
    counts.files += 1
    try {
      const size = quick ? await media.size(expected.key) : await sizeAndHash(expected)
      if (size === undefined) throw new StrongroomError('media.missing', { key: expected.key })
      counts.bytes += size
      if (size !== expected.size)
        await report('changed', expected, `${expected.key} has ${size} bytes instead of ${expected.size}.`)
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      if (error.code === 'media.missing') await report('missing', expected, `${expected.key} is not there.`)
      else await report('unreadable', expected, error.message)
    }
  }

  /** The size; a file of the right size with other bytes is reported here. */
  async function sizeAndHash(expected: Expected): Promise<number> {
    await using file = await media.open(expected.key)
    if (file.size !== expected.size) return file.size
    const hash = createHash('sha256')
    for await (const chunk of file.chunks()) hash.update(chunk)
    const sha256 = hash.digest('hex')
    if (sha256 !== expected.sha256)
      await report('changed', expected, `${expected.key} has SHA-256 ${sha256} instead of ${expected.sha256}.`)
    return file.size
  }

  async function report(
    code: 'missing' | 'changed' | 'unreadable',
    expected: Expected,
    message: string,
  ): Promise<void> {
    counts[code] += 1
    findings.add(`check.${code}`, await expected.describe(db), message)
  }

  async function findOrphans(signal: AbortSignal | undefined): Promise<void> {
    let keys: string[] = []
    for await (const { key } of media.list()) {
      keys.push(key)
      if (keys.length < rowsAtOnce) continue
      signal?.throwIfAborted()
      await reportOrphans(keys)
      keys = []
    }
    await reportOrphans(keys)
  }

  async function reportOrphans(keys: readonly string[]): Promise<void> {
    const unknown = await unnamed(db, keys)
    if (unknown.length === 0) return
    // What another process has written since this moment began is named by what the database holds now.
    for (const key of await database.snapshot((now) => unnamed(now, unknown))) {
      counts.orphaned += 1
      findings.add('check.orphaned', key, 'Nothing in the database names this file.')
    }
  }

  async function countUnfinished(): Promise<void> {
    for (const [list, message] of unfinishedLists) {
      let after = ''
      for (;;) {
        const keys = await list(db, after, rowsAtOnce)
        for (const key of keys) warnings.add('check.unfinished', key, message)
        counts.unfinished += keys.length
        if (keys.length < rowsAtOnce) break
        after = keys.at(-1)!
      }
    }
  }

  const result = () => ({ ...counts, warnings: warnings.collected(), leftOut: findings.collected() })

  return { warnings, compare, findOrphans, countUnfinished, result }
}

const unfinishedLists = [
  [listPendingFiles, 'This file is being written, or was when its process died.'],
  [listDiscardedFiles, 'This file waits to be removed, until nobody reads it.'],
] as const

async function unnamed(db: Db, keys: readonly string[]): Promise<readonly string[]> {
  const unfinished = await unfinishedAmong(db, keys)
  const used = await keysInUse(db, keys)
  return keys.filter((key) => !unfinished.has(key) && !used.has(key))
}

async function* expectedFiles(
  db: Db,
  warnings: ReturnType<typeof createNotices>,
): AsyncGenerator<Expected, void, undefined> {
  let versionId = ''
  for (;;) {
    const versions = await listVersionFacts(db, versionId, rowsAtOnce)
    for (const { id, media_key: key, size, sha256 } of versions) {
      const describe = (within: Db) => describeVersion(within, id)
      if (key !== null && size !== null && sha256 !== null) yield { key, size, sha256, describe }
      else if (sha256 !== null)
        warnings.add('check.lost', await describe(db), 'Its file was lost before it came into this instance.')
    }
    if (versions.length < rowsAtOnce) break
    versionId = versions.at(-1)!.id
  }
  let last = { page_id: '', kind: '' }
  for (;;) {
    const sidecars = await listSidecars(db, last, rowsAtOnce)
    for (const { page_id: pageId, kind, media_key: key, size, sha256 } of sidecars)
      yield { key, size, sha256, describe: (within) => describeSidecar(within, pageId, kind) }
    if (sidecars.length < rowsAtOnce) return
    last = sidecars.at(-1)!
  }
}

async function describeVersion(db: Db, versionId: string): Promise<string> {
  const version = await findVersion(db, versionId)
  if (version === undefined) return `version ${versionId}`
  const node = await findNode(db, version.document_id)
  const user = node && (await findUserById(db, node.user_id))
  const line = await pathOf(db, version.document_id)
  const place = line[0]?.deleted_at === null ? '' : ' (in the trash)'
  return `${user?.username ?? ''}: ${formatPath(line.map(({ title }) => title))}${place}, version ${version.number}`
}

async function describeSidecar(db: Db, pageId: string, kind: string): Promise<string> {
  const page = await findPage(db, pageId)
  if (page === undefined) return `page ${pageId}`
  return `${await describeVersion(db, page.version_id)}, page ${page.number}, ${kind}`
}
