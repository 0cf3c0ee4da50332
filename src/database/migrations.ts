import type { Kysely } from 'kysely'
import type { Dialect } from './dialect.ts'
import { firstSchema } from './migrations/0001-first-schema.ts'
import { trash } from './migrations/0002-trash.ts'
import { audit } from './migrations/0003-audit.ts'

/** One step of the schema. A released one is never edited. */
export interface Migration {
  readonly version: number
  readonly name: string
  /** Runs inside the transaction of the whole upgrade. */
  up(db: Kysely<unknown>, dialect: Dialect): Promise<void>
}

/** All of them, numbered from 1 without a gap. */
export const allMigrations: readonly Migration[] = [
  { version: 1, name: 'first-schema', up: firstSchema },
  { version: 2, name: 'trash', up: trash },
  { version: 3, name: 'audit', up: audit },
]

/** The version that this program needs. */
export const newestSchemaVersion = allMigrations.length
