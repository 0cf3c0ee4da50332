import { fates } from './archived.ts'
import type { Schema } from './schema.ts'

/** The columns of a table, in the order in which archived.ts lists them. */
export const columnsOf = <T extends keyof Schema>(table: T): readonly (keyof Schema[T] & string)[] =>
  Object.keys(fates[table]) as (keyof Schema[T] & string)[]
