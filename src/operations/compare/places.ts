import type { Side } from '../../contract/compare-report.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { formatPath } from '../../domain/paths.ts'
import { sideNumber } from './tables.ts'

/** Where a folder or document is on one side. */
export interface Place {
  readonly username: string
  /** As paths are written. */
  readonly name: string
  readonly titles: readonly string[]
}

const columnOf = (side: Side): 'id' | 'key' => (side === 'left' ? 'id' : 'key')

/** The name of the user with this key. */
export function usernameOf(scratch: Scratch, side: Side, key: string): string {
  const row = scratch.first(
    `select name from things where side = ? and kind = 'user' and ${columnOf(side)} = ?`,
    sideNumber[side],
    key,
  )
  return String(row?.name ?? key)
}

/** The place of the folder or document with this key. Costs as many look-ups as it is deep. */
export function placeOf(scratch: Scratch, side: Side, key: string): Place {
  const nodes: ScratchRow[] = []
  for (let next: string | undefined = key; next !== undefined;) {
    const row: ScratchRow | undefined = scratch.first(
      `select up_kind, up, owner, json_extract(fields, '$.title') as title from things
       where side = ? and kind = 'node' and ${columnOf(side)} = ?`,
      sideNumber[side],
      next,
    )
    if (row === undefined) break
    nodes.unshift(row)
    next = row.up_kind === 'node' ? String(row.up) : undefined
  }
  const titles = nodes.map(({ title }) => String(title))
  const owner = nodes.at(-1)?.owner
  return { username: usernameOf(scratch, side, String(owner)), name: formatPath(titles), titles }
}
