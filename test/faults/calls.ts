import type { Client } from 'pg'

/** What the program asks of disk and database. Of PostgreSQL's, `database …` are the queries and `lock …` the session of the lock. */
export type CallName =
  | 'open'
  | 'create'
  | 'write'
  | 'read'
  | 'sync'
  | 'close'
  | 'mkdir'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'rm'
  | 'rmdir'
  | 'read folder'
  | 'look up'
  | 'scratch statement'
  | 'lock begin'
  | 'database open'
  | 'database begin'
  | 'database read'
  | 'database statement'
  | 'database commit'
  | 'database rollback'

/** One call, as it is made. */
export interface Call {
  readonly name: CallName
  readonly path: string
  /** Where a rename or a link leads. */
  readonly to?: string
  /** The file handle, or what stands for a descriptor. */
  readonly handle?: object
  /** Has the handle when an `open` or `create` is over. */
  readonly holder?: { readonly handle?: object }
  /** What is written, and where; behind what was written last if that is left out. */
  readonly bytes?: Buffer
  readonly position?: number
  readonly client?: Client
}

/**
 * What happens at a call instead of it: an error of the system, or the end of the process; `gone`: the server ends all
 * sessions; `answer lost`: it is carried out and the connection lost. With `, from then on`, every later call that can fail
 * so does too.
 */
export type Fault = 'SIGKILL' | Failure | `${Failure}, from then on`
export type Failure = 'ENOSPC' | 'EIO' | 'EACCES' | 'gone' | 'answer lost'

/** Where a fault strikes: in this operation, the call of that ordinal (from 1) among those of its name. */
export interface Point {
  readonly operation: string
  readonly call: CallName
  readonly ordinal: number
  readonly fault: Fault
}

const files: Readonly<Partial<Record<CallName, readonly Failure[]>>> = {
  open: ['EIO', 'EACCES'],
  create: ['ENOSPC', 'EIO', 'EACCES'],
  write: ['ENOSPC', 'EIO'],
  read: ['EIO'],
  sync: ['EIO', 'ENOSPC'],
  close: ['EIO'],
  mkdir: ['ENOSPC', 'EIO', 'EACCES'],
  rename: ['ENOSPC', 'EIO', 'EACCES'],
  link: ['ENOSPC', 'EIO', 'EACCES'],
  unlink: ['EIO', 'EACCES'],
  rm: ['EIO', 'EACCES'],
  rmdir: ['EIO', 'EACCES'],
  'read folder': ['EIO', 'EACCES'],
  'look up': ['EIO', 'EACCES'],
  'scratch statement': ['ENOSPC', 'EIO'],
}

const failures = {
  sqlite: {
    ...files,
    'lock begin': ['EIO', 'EACCES'],
    'database begin': ['EIO'],
    'database read': ['EIO'],
    'database statement': ['ENOSPC', 'EIO', 'EACCES'],
    'database commit': ['ENOSPC', 'EIO'],
  },
  postgres: {
    ...files,
    'lock begin': ['gone'],
    'database open': ['gone'],
    'database begin': ['gone', 'EIO'],
    'database read': ['gone', 'EIO'],
    'database statement': ['gone', 'ENOSPC', 'EIO', 'EACCES'],
    'database commit': ['gone', 'answer lost', 'EIO'],
  },
} as const satisfies Record<string, Readonly<Partial<Record<CallName, readonly Failure[]>>>>

/** What changes nothing can be killed as well just before the next call. */
const unchanging: ReadonlySet<CallName> = new Set([
  'open',
  'read',
  'close',
  'read folder',
  'look up',
  'scratch statement',
  'database open',
  'database read',
  'database rollback',
])

export type DatabaseKind = keyof typeof failures

/** The failures that a call can have. */
export const failuresOf = (database: DatabaseKind, call: CallName): readonly Failure[] =>
  (failures[database] as Readonly<Partial<Record<CallName, readonly Failure[]>>>)[call] ?? []

/** Every point of an operation that made so many calls of each name: those that fail, or those where the process ends. */
export function pointsOf(
  operation: string,
  database: DatabaseKind,
  calls: ReadonlyMap<CallName, number>,
  what: 'failures' | 'kills',
): Point[] {
  return [...calls].flatMap(([call, count]) => {
    const single = failuresOf(database, call)
    const lasting = single.filter((each) => each !== 'answer lost').map((each) => `${each}, from then on` as const)
    const faults: readonly Fault[] =
      what === 'failures' ? [...single, ...lasting] : unchanging.has(call) ? [] : ['SIGKILL']
    return faults.flatMap((fault) =>
      Array.from({ length: count }, (_, index) => ({ operation, call, ordinal: index + 1, fault })),
    )
  })
}

/**
 * So many of the points, spread evenly: of every call and fault the first and the last, then those between. With
 * STRONGROOM_FAULTS=all, all of them.
 */
export function sampled(points: readonly Point[], limit: number): readonly Point[] {
  if (process.env.STRONGROOM_FAULTS === 'all' || points.length <= limit) return points
  const groups = Object.values(Object.groupBy(points, ({ call, fault }) => `${call} ${fault}`)).map((group) =>
    fromTheEnds(group ?? []),
  )
  const chosen: Point[] = []
  for (let round = 0; chosen.length < limit; round += 1)
    for (const group of groups) if (group[round] !== undefined && chosen.length < limit) chosen.push(group[round]!)
  return chosen
}

/** First, last, middle, then the middles of the halves, and so on. */
function fromTheEnds<T>(items: readonly T[]): T[] {
  const order = [0, items.length - 1]
  for (let parts = 2; parts < 2 * items.length; parts *= 2)
    for (let part = 1; part < parts; part += 2) order.push(Math.floor((part * items.length) / parts))
  return [...new Set(order)].flatMap((index) => (items[index] === undefined ? [] : [items[index]]))
}
