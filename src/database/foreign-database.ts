/** Values as both drivers can give them; a whole number beyond 2^53 is null. */
export type ForeignRow = Readonly<Record<string, string | number | boolean | Uint8Array | null>>

/**
 * The database of another program at one moment, for reading alone: nothing that is asked of it can write. Every driver
 * error that leaves it is a StrongroomError with a `database.…` code. Dispose it soon: others may wait for it meanwhile.
 */
export interface ForeignDatabase extends AsyncDisposable {
  readonly kind: 'sqlite' | 'postgres'
  /** How messages name it: the path, or the URL without its password. */
  readonly name: string
  /** The columns of each table, where unqualified names lead to. */
  readonly tables: ReadonlyMap<string, ReadonlySet<string>>
  /** True for a SQLite file that says in its header that it is ours. */
  readonly marked: boolean
  /** The rows of a query, in flat memory where each is small. One query at a time. */
  rows(sql: string): AsyncIterable<ForeignRow>
}

/** The columns of each table, out of rows of a table's and a column's name. */
export function tablesFrom(rows: Iterable<ForeignRow>): ReadonlyMap<string, ReadonlySet<string>> {
  const tables = new Map<string, Set<string>>()
  for (const row of rows) {
    const table = String(row['table_name'])
    tables.set(table, (tables.get(table) ?? new Set()).add(String(row['column_name'])))
  }
  return tables
}
