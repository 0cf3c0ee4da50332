import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Event, Inode, Recording } from './recorder.ts'

/** What becomes of that which no sync had made durable. */
export type Loss =
  /** Nothing of it is there. */
  | 'dropped'
  /** Each name and each write is there or not, by chance. */
  | 'by chance'
  /** All names are there, and of each write a part or zeros. */
  | 'torn'
  /** All of it is there: no power was lost. */
  | 'nothing'

export const losses: readonly Loss[] = ['dropped', 'by chance', 'torn']

/** The state of the disk after a power cut. */
export interface DiskState {
  /** Relative path -> bytes, or undefined for a folder. */
  readonly entries: ReadonlyMap<string, Buffer | undefined>
  readonly database: Buffer | undefined
  /** How many commits had returned. */
  readonly commits: number
  /** The same for the same state. */
  readonly signature: string
}

/** The disk as it is when the power goes after so many events. Chance is the same for the same seed. */
export function stateAfter(recording: Recording, count: number, loss: Loss, seed: number): DiskState {
  const events = recording.events.slice(0, count)
  const random = generator(seed + count)
  const durableUpTo = new Map<Inode, number>()
  for (const event of events)
    if (event.kind === 'sync') durableUpTo.set(event.inode, Math.max(event.since, durableUpTo.get(event.inode) ?? 0))
  const isDurable = (inode: Inode, index: number): boolean => index < (durableUpTo.get(inode) ?? 0)

  const folders = new Map([...recording.folders].map(([inode, names]) => [inode, new Map(names)]))
  const files = new Map(recording.files)
  for (const [index, event] of events.entries()) {
    if (event.kind === 'names') applyNames(event, index)
    else if (event.kind === 'write') applyWrite(event, index)
  }

  function applyNames({ changes }: Event & { kind: 'names' }, index: number): void {
    // What a file system does to two names at once it does wholly or not at all.
    const durable = changes.some(({ folder }) => isDurable(folder, index))
    if (!durable && (loss === 'dropped' || (loss === 'by chance' && random() < 0.5))) return
    for (const { folder, name, inode } of changes) {
      const names = folders.get(folder) ?? new Map<string, Inode>()
      folders.set(folder, names)
      if (inode === undefined) names.delete(name)
      else names.set(name, inode)
    }
  }

  function applyWrite({ inode, position, bytes }: Event & { kind: 'write' }, index: number): void {
    const before = files.get(inode) ?? Buffer.alloc(0)
    if (isDurable(inode, index) || loss === 'nothing') files.set(inode, written(before, position, bytes))
    else if (loss === 'by chance' && random() < 0.5) files.set(inode, written(before, position, bytes))
    else if (loss === 'torn') {
      const kept = Math.floor(random() * bytes.length)
      // Either the file ends early, or its size was kept and its bytes were not.
      const rest = random() < 0.5 ? Buffer.alloc(bytes.length - kept) : Buffer.alloc(0)
      files.set(inode, written(before, position, Buffer.concat([bytes.subarray(0, kept), rest])))
    }
  }

  const entries = new Map<string, Buffer | undefined>()
  function walk(folder: Inode, path: string): void {
    for (const [name, inode] of folders.get(folder) ?? []) {
      const inside = path === '' ? name : `${path}/${name}`
      entries.set(inside, recording.isFolder(inode) ? undefined : (files.get(inode) ?? Buffer.alloc(0)))
      if (recording.isFolder(inode)) walk(inode, inside)
    }
  }
  walk(recording.rootInode, '')

  const commits = events.flatMap((event) => (event.kind === 'commit' ? [event.database] : []))
  const hash = createHash('sha256').update(`${commits.length}`)
  for (const [path, bytes] of [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`\n${path}\n${bytes?.length}\n`).update(bytes ?? '')
  return {
    entries,
    database: commits.at(-1) ?? recording.database,
    commits: commits.length,
    signature: hash.digest('hex'),
  }
}

function written(before: Buffer, position: number, bytes: Buffer): Buffer {
  const after = Buffer.alloc(Math.max(before.length, bytes.length === 0 ? 0 : position + bytes.length))
  before.copy(after)
  bytes.copy(after, position)
  return after
}

/** Puts the state into an empty folder. */
export async function layOut(state: DiskState, folder: string): Promise<void> {
  for (const [path, bytes] of state.entries) {
    if (bytes === undefined) await mkdir(join(folder, path), { recursive: true, mode: 0o700 })
    else await writeFile(join(folder, path), bytes, { mode: 0o600 })
  }
  if (state.database !== undefined)
    await writeFile(join(folder, 'data', 'strongroom.db'), state.database, { mode: 0o600 })
}

/** A linear congruential generator (Numerical Recipes): good enough to choose, and the same everywhere. */
function generator(seed: number): () => number {
  let state = Math.imul(seed + 1, 2654435761) >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
