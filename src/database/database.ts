import type { Kysely, Transaction } from 'kysely'
import type { Schema } from './schema.ts'

/** What a query takes. A write query takes `Tx`, so that a write outside a transaction does not compile. */
export type Db = Kysely<Schema>
export type Tx = Transaction<Schema>

/** Held until disposed; freed by the kernel or the database server when its owner dies. */
export interface InstanceLock extends AsyncDisposable {
  /** Throws `database.unreachable` where the connection that held the lock is gone. Cheap; ask before each write. */
  assertHeld(): Promise<void>
}

/** Called at the end of an upgrade's transaction with the versions before and after, where there was something to do. */
export type MigrationNote = (tx: Tx, versions: { readonly from: number; readonly to: number }) => Promise<void>

/** An open database. Every driver error that leaves it is a StrongroomError with a `database.…` code. */
export interface Database extends AsyncDisposable {
  readonly dialect: 'sqlite' | 'postgres'
  /** How messages name it: the path, or the URL without its password. */
  readonly name: string
  /** Queries outside any transaction, for reading. */
  readonly db: Db
  /** One transaction: all of what `work` wrote, or nothing. Waits up to the busy timeout for other writers. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /**
   * One moment of the database on a connection of its own: whatever others write meanwhile, `work` sees what was there
   * when it began. Writers are not blocked. Temporary tables may be made and written inside; they vanish with it.
   */
  snapshot<T>(work: (db: Db) => Promise<T>): Promise<T>
  /**
   * The instance's lock, across processes, and on PostgreSQL across hosts. `shared` is what backups and daily writers
   * hold beside each other; `exclusive` is what needs the instance alone (restore, migrate, removing files). Waits up to
   * `waitSeconds`, then resolves to undefined.
   */
  lock(mode: 'shared' | 'exclusive', waitSeconds: number): Promise<InstanceLock | undefined>
  /** The version of the schema: 0 where there is none. Throws `database.foreign` for the tables of another program. */
  schemaVersion(): Promise<number>
  /**
   * Brings the schema to the newest version in one transaction; the caller holds the exclusive lock. `copy` is where the
   * copy of an upgraded SQLite database lies. `note` writes, in the same transaction, that it happened.
   */
  migrate(appliedAt: string, note?: MigrationNote): Promise<{ from: number; to: number; copy?: string }>
}
