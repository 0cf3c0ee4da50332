import {
  PostgresAdapter,
  sql,
  type Expression,
  type QueryExecutorProvider,
  type RawBuilder,
  type SqlBool,
} from 'kysely'

/**
 * Every difference between the two databases that a query or a migration has to know. What belongs to opening and locking
 * stands in sqlite*.ts and postgres*.ts.
 */
export type Dialect = 'sqlite' | 'postgres'

export const dialectOf = (db: QueryExecutorProvider): Dialect =>
  db.getExecutor().adapter instanceof PostgresAdapter ? 'postgres' : 'sqlite'

/**
 * The words of a table's definition. Text sorts by its UTF-8 bytes; a whole number has 64 bits, a flag is 0 or 1. A serial
 * is a primary key that the database gives: each is higher than all before it, and none is given twice.
 */
export const columnTypes = (
  dialect: Dialect,
): { text: string; whole: string; flag: string; serial: string; tableOptions: string } =>
  dialect === 'postgres'
    ? {
        text: 'text collate "C"',
        whole: 'bigint',
        flag: 'smallint',
        serial: 'bigint generated always as identity primary key',
        tableOptions: '',
      }
    : {
        text: 'text',
        whole: 'integer',
        flag: 'integer',
        serial: 'integer primary key autoincrement',
        tableOptions: ' strict',
      }

/**
 * What an index holds of a text column. A row of PostgreSQL's indexes has room for about 2,700 bytes, and a title may be
 * longer, so there it is the MD5 of the text, which is not a secret here but a short stand-in.
 */
export const textKey = (dialect: Dialect, column: string): string =>
  dialect === 'postgres' ? `md5(${column})` : column

/** The condition that a column equals a text, in the form that an index over `textKey` answers. */
export function textIs(db: QueryExecutorProvider, column: string, value: string): RawBuilder<SqlBool> {
  const equal = sql<SqlBool>`${sql.ref(column)} = ${value}`
  return dialectOf(db) === 'postgres' ? sql<SqlBool>`(md5(${sql.ref(column)}) = md5(${value}) and ${equal})` : equal
}

/** A whole number as lower-case hexadecimal digits without leading zeros. */
export const hexOf = (db: QueryExecutorProvider, number: Expression<number>): RawBuilder<string> =>
  dialectOf(db) === 'postgres' ? sql<string>`to_hex(${number})` : sql<string>`format('%x', ${number})`

/** The place of the nth parameter, counted from 1, in a statement that is put together as text. */
export const placeholder = (dialect: Dialect, position: number): string =>
  dialect === 'postgres' ? `$${position}` : '?'
