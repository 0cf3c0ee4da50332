import { join } from 'node:path'
import type { ArchiveSource } from '../../archive/open-archive.ts'
import type { DrilledRestore } from '../../contract/drill-report.ts'
import type { NoticeCollector } from '../../contract/notices.ts'
import type { OnProgress } from '../../contract/reports.ts'
import { openDatabase } from '../../database/open.ts'
import { createScratchSchema } from '../../database/postgres-scratch.ts'
import type { Database } from '../../database/database.ts'
import { StrongroomError } from '../../errors.ts'
import { openDiskStore } from '../../media/disk-store.ts'
import type { MediaStore } from '../../media/media-store.ts'
import type { Clock } from '../../std/clock.ts'
import type { Ids } from '../../std/ids.ts'
import { mediaFolder, scratchFolder } from '../data-directory.ts'
import { createMigrate } from '../migrate.ts'
import { createRestore } from '../restore.ts'

/** An instance that lives as long as a drill. */
export interface ScratchInstance extends AsyncDisposable {
  readonly database: Database
  readonly media: MediaStore
  readonly dataDirectory: string
}

/**
 * Makes a scratch instance in `folder`. Where the living one is on PostgreSQL it gets a schema of its own in the same
 * database; where the user may make none, it is on SQLite, and a warning says so.
 */
export async function openScratchInstance(
  folder: string,
  { postgresUrl, clock }: { readonly postgresUrl: string | undefined; readonly clock: Clock },
  warnings: NoticeCollector,
): Promise<ScratchInstance> {
  await using opened = new AsyncDisposableStack()
  const dataDirectory = join(folder, 'instance')
  const schema = postgresUrl === undefined ? undefined : await makeSchema(postgresUrl, warnings)
  if (schema !== undefined) opened.use(schema)
  const open = ({ create }: { create: boolean }): Promise<Database> =>
    openDatabase({
      dataDirectory,
      create,
      ...(schema === undefined ? {} : { url: postgresUrl, namespace: schema.name }),
    })
  await createMigrate({ dataDirectory: { path: dataDirectory, inContainer: false }, openDatabase: open, clock })()
  const database = opened.use(await open({ create: false }))
  const media = opened.use(await openDiskStore(mediaFolder(dataDirectory)))
  const owned = opened.move()
  return { database, media, dataDirectory, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function makeSchema(url: string, warnings: NoticeCollector) {
  try {
    return await createScratchSchema(url)
  } catch (error) {
    if (!(error instanceof StrongroomError) || error.code !== 'database.denied') throw error
    const reason = `The user of the database may make no schema for the drill, so it went to SQLite: ${error.message}`
    warnings.add('drill.on_sqlite', '', reason)
    return undefined
  }
}

/** Restores an archive into a scratch instance, and says how long that took. Throws what a restore throws. */
export async function restoreInto(
  { database, media, dataDirectory }: ScratchInstance,
  source: ArchiveSource,
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<DrilledRestore> {
  const restore = createRestore({
    database,
    media,
    clock,
    ids,
    scratchDirectory: scratchFolder(dataDirectory),
    // Nobody else knows of the scratch instance.
    assertLocked: () => Promise.resolve(),
    makeRestorePoint: () => Promise.reject(new TypeError('a scratch instance holds nothing to keep')),
  })
  const started = performance.now()
  const { bytes, users, folders, documents, versions } = await restore(source, onProgress, signal)
  const seconds = (performance.now() - started) / 1000
  return {
    seconds: Math.round(seconds * 1000) / 1000,
    bytes,
    bytesPerSecond: Math.round(bytes / Math.max(seconds, 0.001)),
    database: database.dialect === 'postgres' ? 'PostgreSQL' : 'SQLite',
    users,
    folders,
    documents,
    versions,
  }
}
