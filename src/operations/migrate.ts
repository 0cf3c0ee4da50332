import type { MigrateReport } from '../contract/migrate-report.ts'
import { createNotices } from '../contract/notices.ts'
import type { Database } from '../database/database.ts'
import { newestSchemaVersion } from '../database/migrations.ts'
import { StrongroomError } from '../errors.ts'
import { noteInAudit } from '../services/audit.ts'
import type { Clock } from '../std/clock.ts'
import { assertMayBecomeDataDirectory, emptyScratch, prepareDataDirectory } from './data-directory.ts'
import type { DataDirectory } from './data-directory.ts'

// Longer than any other command waits: the second of two that are started at once is to find the work of the first done.
const waitSeconds = 30

export interface MigrateDeps {
  readonly dataDirectory: DataDirectory
  readonly openDatabase: (options: { create: boolean }) => Promise<Database>
  readonly clock: Clock
}

/**
 * Creates an instance, or brings its schema to the version that this program needs. Safe twice, and from two processes at
 * once; where there is nothing to do it waits for nobody. Throws `data.…`, `database.…`, `schema.newer`, and
 * `instance.busy` where others are at work.
 */
export function createMigrate({ dataDirectory, openDatabase, clock }: MigrateDeps) {
  async function versionBefore(): Promise<number> {
    try {
      await using database = await openDatabase({ create: false })
      return await database.schemaVersion()
    } catch (error) {
      if (error instanceof StrongroomError && error.code === 'schema.missing') return 0
      throw error
    }
  }

  return async function migrate(): Promise<MigrateReport> {
    await assertMayBecomeDataDirectory(dataDirectory.path)
    // Before anything is made: an address that is wrong is to leave no folder behind.
    const before = await versionBefore()
    await prepareDataDirectory(dataDirectory)
    await using database = await openDatabase({ create: true })
    const { from, to, copy } = before === newestSchemaVersion ? { from: before, to: before } : await upgrade(database)
    const nothing = createNotices().collected()
    return {
      operation: 'migrate',
      dataDirectory: dataDirectory.path,
      database: database.name,
      from,
      to,
      copy: copy ?? null,
      warnings: nothing,
      leftOut: nothing,
    }
  }

  async function upgrade(database: Database): Promise<{ from: number; to: number; copy?: string }> {
    await using lock = await database.lock('exclusive', waitSeconds)
    if (lock === undefined) throw new StrongroomError('instance.busy', { command: 'migrate' })
    await emptyScratch(dataDirectory.path)
    const now = clock.now()
    return await database.migrate(now, (tx, versions) =>
      noteInAudit(tx, now, [{ action: 'schema.migrated', username: null, about: '', details: versions }]),
    )
  }
}
