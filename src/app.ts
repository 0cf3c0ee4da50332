/**
 * The composition root: a configuration in, the wired program out. The only file that knows all rooms. What a command does
 * not need is not loaded.
 */
import type { Config } from './config.ts'
import type { MigrateReport } from './contract/migrate-report.ts'
import type { Database, InstanceLock } from './database/database.ts'
import { StrongroomError } from './errors.ts'
import type { MediaStore } from './media/media-store.ts'
import type { createBackup } from './operations/backup.ts'
import type { createBrowse } from './operations/browse.ts'
import type { createCheck } from './operations/check.ts'
import type { createCompare } from './operations/compare.ts'
import type { Contents } from './operations/contents/contents.ts'
import {
  emptyScratch,
  hasScratch,
  mediaFolder,
  requireDataDirectory,
  scratchFolder,
} from './operations/data-directory.ts'
import type { createImport } from './operations/import-files.ts'
import type { createExport } from './operations/export.ts'
import type { createExtract } from './operations/extract.ts'
import type { createInspect } from './operations/inspect.ts'
import type { createDrill } from './operations/drill.ts'
import type { createDryRun } from './operations/dry-run.ts'
import type { assertPapermergeAt } from './operations/papermerge/open-papermerge.ts'
import type { createPrune } from './operations/prune.ts'
import type { createRestorePoints } from './operations/restore-points.ts'
import type { createRestore } from './operations/restore.ts'
import type { createTree } from './operations/tree.ts'
import type { createTreeWalk } from './operations/tree-walk.ts'
import type { createVerify } from './operations/verify.ts'
import type { createAudit } from './services/audit.ts'
import type { createDocuments } from './services/documents.ts'
import type { createNodes } from './services/nodes.ts'
import type { createTags } from './services/tags.ts'
import type { createTrash } from './services/trash.ts'
import type { createUsers } from './services/users.ts'
import type { Clock } from './std/clock.ts'
import { fixedClock, systemClock } from './std/clock.ts'
import type { Ids } from './std/ids.ts'
import { randomIds } from './std/ids.ts'
import { programVersion } from './std/program.ts'

/** What tests replace. */
export interface Overrides {
  readonly clock?: Clock
  readonly ids?: Ids
  /** How long a command waits for others to finish; 5 seconds. */
  readonly lockWaitSeconds?: number
}

/**
 * `read` takes no lock and changes nothing, `write` is for all that may go on beside each other, `exclusive` for what needs
 * the instance alone; with `own` the operation locks by itself.
 */
export type Access = 'read' | 'own' | 'write' | 'exclusive'

export interface App {
  /** Absolute. */
  readonly dataDirectory: string
  /** What opens encrypted archives, where no option names it. Absolute. */
  readonly keyFile: string | undefined
  /** Creates the instance, or upgrades its schema. */
  migrate(): Promise<MigrateReport>
  /** Proves an archive; needs no instance. */
  readonly verify: ReturnType<typeof createVerify>
  /** Says what an archive holds; needs no instance. */
  readonly inspect: ReturnType<typeof createInspect>
  /** Removes old archives from a folder; needs no instance. */
  readonly prune: ReturnType<typeof createPrune>
  /** Opens an archive to look around in it; needs no instance. */
  readonly browse: ReturnType<typeof createBrowse>
  /** Takes files out of an archive; needs no instance. */
  readonly extract: ReturnType<typeof createExtract>
  /** Tells what differs between archives and open instances. */
  readonly compare: ReturnType<typeof createCompare>
  /** Proves that an archive can be restored; holds it against the instance, where there is one. */
  readonly drill: ReturnType<typeof createDrill>
  /** Sees to it that a Papermerge 2.1 is where it was said to be; needs no instance. */
  readonly assertPapermerge: typeof assertPapermergeAt
  /**
   * Opens the instance for the command of that name; never creates one. What dead processes left is cleared up first, if
   * nobody is at work. Throws `data.…`, `database.…`, `schema.…`, `instance.busy`, `instance.closed_to_writers`.
   */
  open(options: { access: Access; command: string }): Promise<Instance>
}

/** An open instance; dispose it. */
export interface Instance extends AsyncDisposable {
  readonly users: ReturnType<typeof createUsers>
  readonly nodes: ReturnType<typeof createNodes>
  readonly tags: ReturnType<typeof createTags>
  readonly trash: ReturnType<typeof createTrash>
  readonly documents: ReturnType<typeof createDocuments>
  readonly importFiles: ReturnType<typeof createImport>
  /** The tree as the pieces of its JSON. */
  readonly tree: ReturnType<typeof createTree>
  readonly treeItems: ReturnType<typeof createTreeWalk>
  readonly check: ReturnType<typeof createCheck>
  /** What it holds at this moment; to be disposed. */
  readonly contents: (signal?: AbortSignal) => Promise<Contents>
  readonly backup: ReturnType<typeof createBackup>
  readonly exportUser: ReturnType<typeof createExport>
  readonly restore: ReturnType<typeof createRestore>
  readonly dryRun: ReturnType<typeof createDryRun>
  readonly restorePoints: ReturnType<typeof createRestorePoints>
  readonly audit: ReturnType<typeof createAudit>
}

/** A verb whose code is loaded when it is first asked for. */
const lazily =
  <A extends readonly unknown[], R>(load: () => Promise<(...given: A) => Promise<R>>) =>
  async (...given: A): Promise<R> =>
    (await load())(...given)

export function createApp(config: Config, overrides: Overrides = {}): App {
  const clock = overrides.clock ?? (config.fixedTime === undefined ? systemClock : fixedClock(config.fixedTime))
  const ids = overrides.ids ?? randomIds
  const lockWaitSeconds = overrides.lockWaitSeconds ?? 5
  const dataDirectory = { path: config.dataDirectory, inContainer: config.inContainer }

  async function openDatabase({ create }: { create: boolean }): Promise<Database> {
    const { openDatabase: open } = await import('./database/open.ts')
    return open({ url: config.databaseUrl, dataDirectory: dataDirectory.path, create })
  }

  async function takeLock(database: Database, access: 'write' | 'exclusive', command: string): Promise<InstanceLock> {
    const lock = await database.lock(access === 'write' ? 'shared' : 'exclusive', lockWaitSeconds)
    if (lock !== undefined) return lock
    throw access === 'write'
      ? new StrongroomError('instance.closed_to_writers')
      : new StrongroomError('instance.busy', { command })
  }

  /** Clears up after dead processes, where there is something to clear up and nobody is at work. */
  async function recoverIfFree(database: Database, media: MediaStore): Promise<void> {
    const { hasUnfinishedFiles } = await import('./database/queries/files.ts')
    if (!(await hasUnfinishedFiles(database.db)) && !(await hasScratch(dataDirectory.path))) return
    await using lock = await database.lock('exclusive', 0)
    if (lock === undefined) return
    const { createRecover } = await import('./operations/recover.ts')
    await createRecover({ database, media })()
    await emptyScratch(dataDirectory.path)
  }

  /** What is made of an open instance; `owned` closes it. */
  async function openParts(access: Access, command: string): Promise<{ parts: Parts; owned: AsyncDisposableStack }> {
    const instanceId = await requireDataDirectory(dataDirectory)
    await using opened = new AsyncDisposableStack()
    const database = opened.use(await openDatabase({ create: false }))
    await assertSchema(database)
    const { openDiskStore } = await import('./media/disk-store.ts')
    const media = opened.use(await openDiskStore(mediaFolder(dataDirectory.path)))
    let lock: InstanceLock | undefined
    if (access !== 'read') {
      await recoverIfFree(database, media)
      // Runs when the lock below is free again: what this command removed is then read by nobody.
      opened.defer(() => recoverIfFree(database, media))
      if (access !== 'own') lock = opened.use(await takeLock(database, access, command))
    }
    const { path } = dataDirectory
    const parts = {
      database,
      media,
      clock,
      ids,
      dataDirectory: path,
      instanceId,
      lockWaitSeconds,
      scratchDirectory: scratchFolder(path),
      assertLocked: async () => lock?.assertHeld(),
    }
    return { parts, owned: opened.move() }
  }

  return {
    dataDirectory: dataDirectory.path,
    keyFile: config.keyFile,

    async migrate() {
      const { createMigrate } = await import('./operations/migrate.ts')
      return createMigrate({ dataDirectory, openDatabase, clock })()
    },

    verify: lazily(async () => (await import('./operations/verify.ts')).createVerify(config)),

    inspect: lazily(async () => (await import('./operations/inspect.ts')).createInspect(config)),

    prune: lazily(async () => (await import('./operations/prune.ts')).createPrune(config)),

    assertPapermerge: lazily(
      async () => (await import('./operations/papermerge/open-papermerge.ts')).assertPapermergeAt,
    ),

    browse: lazily(async () => (await import('./operations/browse.ts')).createBrowse(config)),

    extract: lazily(async () => (await import('./operations/extract.ts')).createExtract({ ...config, clock })),

    compare: lazily(async () => (await import('./operations/compare.ts')).createCompare(config)),

    async drill(input, onProgress, signal) {
      const { createDrill } = await import('./operations/drill.ts')
      const temporaryDirectory = config.scratchDirectory
      const mayLack = input.archive !== undefined || input.from !== undefined
      const instance = await openParts('own', 'drill').catch((error: unknown) => {
        if (mayLack && isWithoutInstance(error)) return undefined
        throw error
      })
      await using opened = new AsyncDisposableStack()
      opened.use(instance?.owned)
      const parts = instance && { ...instance.parts, programVersion }
      const postgresUrl = parts?.database.dialect === 'postgres' ? config.databaseUrl : undefined
      return await createDrill({ living: parts, clock, ids, temporaryDirectory, postgresUrl })(
        input,
        onProgress,
        signal,
      )
    },

    async open({ access, command }) {
      const { parts, owned: opened } = await openParts(access, command)
      await using owned = opened
      const instance = await wire(parts)
      const moved = owned.move()
      return { ...instance, [Symbol.asyncDispose]: () => moved.disposeAsync() }
    },
  }
}

const isWithoutInstance = (error: unknown): boolean =>
  error instanceof StrongroomError && (error.code === 'data.missing' || error.code === 'data.not_mounted')

async function assertSchema(database: Database): Promise<void> {
  const { newestSchemaVersion: known } = await import('./database/migrations.ts')
  const found = await database.schemaVersion()
  const details = { database: database.name, found }
  if (found === 0) throw new StrongroomError('schema.missing', details)
  if (found < known) throw new StrongroomError('schema.older', { ...details, needed: known })
  if (found > known) throw new StrongroomError('schema.newer', { ...details, known })
}

interface Parts {
  readonly database: Database
  readonly media: MediaStore
  readonly clock: Clock
  readonly ids: Ids
  readonly dataDirectory: string
  readonly instanceId: string
  readonly lockWaitSeconds: number
  readonly scratchDirectory: string
  /** Throws where the lock that the instance was opened with is gone. */
  readonly assertLocked: () => Promise<void>
}

async function wire(parts: Parts): Promise<Omit<Instance, keyof AsyncDisposable>> {
  const [
    { createUsers },
    { createNodes },
    { createTags },
    { createTrash },
    { createDocuments },
    { createAudit },
    { createTree },
    { createTreeWalk },
  ] = await Promise.all([
    import('./services/users.ts'),
    import('./services/nodes.ts'),
    import('./services/tags.ts'),
    import('./services/trash.ts'),
    import('./services/documents.ts'),
    import('./services/audit.ts'),
    import('./operations/tree.ts'),
    import('./operations/tree-walk.ts'),
  ])
  const { createRestorePoints } = await import('./operations/restore-points.ts')
  const documents = createDocuments(parts)
  return {
    restorePoints: createRestorePoints(parts),
    users: createUsers(parts),
    nodes: createNodes(parts),
    tags: createTags(parts),
    trash: createTrash(parts),
    audit: createAudit(parts),
    documents,
    tree: createTree(parts),
    treeItems: createTreeWalk(parts),
    importFiles: lazily(async () =>
      (await import('./operations/import-files.ts')).createImport({ ...parts, documents }),
    ),
    check: lazily(async () => (await import('./operations/check.ts')).createCheck(parts)),
    async contents(signal) {
      const { openInstanceContents } = await import('./operations/contents/instance-contents.ts')
      return openInstanceContents(parts, signal)
    },
    backup: lazily(async () => (await import('./operations/backup.ts')).createBackup({ ...parts, programVersion })),
    exportUser: lazily(async () => (await import('./operations/export.ts')).createExport(parts)),
    dryRun: lazily(async () => (await import('./operations/dry-run.ts')).createDryRun(parts)),
    async restore(input, onProgress, signal) {
      const { createRestore } = await import('./operations/restore.ts')
      return createRestore({
        ...parts,
        async makeRestorePoint(progress, ending) {
          const { makeRestorePoint } = await import('./operations/restore-points.ts')
          return makeRestorePoint({ ...parts, programVersion }, progress, ending)
        },
      })(input, onProgress, signal)
    },
  }
}
