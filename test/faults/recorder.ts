import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { basename, dirname, join } from 'node:path'
import type { Call, CallName } from './calls.ts'
import { watching, type Watcher } from './hooks.ts'

/** A file or folder, whatever it is called. */
export type Inode = number

/** One thing that happened to the disk or the database, in the order in which it was over. */
export type Event =
  /** A name in a folder leads to a file or folder from now on, or nowhere. A rename has both of its names, at once. */
  | { readonly kind: 'names'; readonly changes: readonly NameChange[] }
  | { readonly kind: 'write'; readonly inode: Inode; readonly position: number; readonly bytes: Buffer }
  /** What was done to that file or folder before the event of that number is durable. */
  | { readonly kind: 'sync'; readonly inode: Inode; readonly since: number }
  /** The database as it is when a commit returned. */
  | { readonly kind: 'commit'; readonly database: Buffer }

export interface NameChange {
  readonly folder: Inode
  readonly name: string
  readonly inode: Inode | undefined
}

/** What stood on the disk at the beginning, and all that happened then. */
export interface Recording {
  readonly root: string
  readonly rootInode: Inode
  readonly folders: ReadonlyMap<Inode, ReadonlyMap<string, Inode>>
  readonly files: ReadonlyMap<Inode, Buffer>
  /** Of SQLite; undefined where there was none. */
  readonly database: Buffer | undefined
  readonly events: readonly Event[]
  /** Those that are folders, also of those made later. */
  readonly isFolder: (inode: Inode) => boolean
}

/** What SQLite keeps by itself: the model takes its promise for it. */
export const isSqlites = (path: string): boolean =>
  /\/strongroom\.db(?:-wal|-shm|-journal)?$|\/locks(?:\/|$)/.test(path)

/** Runs `work` and writes down what it does to the files below `root`, where nobody else is at work. */
export async function record(root: string, databasePath: string, work: () => Promise<void>): Promise<Recording> {
  const events: Event[] = []
  const inodes = new Map<string, Inode>()
  const handles = new WeakMap<object, { readonly inode: Inode; end: number }>()
  const folders = new Map<Inode, Map<string, Inode>>()
  const files = new Map<Inode, Buffer>()
  const folderInodes = new Set<Inode>()
  let next = 0
  let copying = false

  function scan(path: string): Inode {
    const inode = (next += 1)
    inodes.set(path, inode)
    folderInodes.add(inode)
    const names = new Map<string, Inode>()
    folders.set(inode, names)
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inside = join(path, entry.name)
      if (isSqlites(inside)) continue
      if (entry.isDirectory()) names.set(entry.name, scan(inside))
      else {
        const file = (next += 1)
        inodes.set(inside, file)
        files.set(file, readFileSync(inside))
        names.set(entry.name, file)
      }
    }
    return inode
  }

  const nameOf = (path: string, inode: Inode | undefined): NameChange[] => {
    const folder = inodes.get(dirname(path))
    return folder === undefined ? [] : [{ folder, name: basename(path), inode }]
  }
  const named = (...changes: readonly NameChange[]): void => {
    if (changes.length > 0) events.push({ kind: 'names', changes })
  }

  function made(path: string, isFolder: boolean): Inode {
    const inode = (next += 1)
    if (isFolder) folderInodes.add(inode)
    inodes.set(path, inode)
    named(...nameOf(path, inode))
    return inode
  }

  function opened({ name, path, holder }: Call): void {
    const inode = inodes.get(path) ?? (name === 'create' ? made(path, false) : undefined)
    if (inode !== undefined && holder?.handle !== undefined) handles.set(holder.handle, { inode, end: 0 })
  }

  function removed({ path }: Call): void {
    const isKnown = inodes.delete(path)
    if (isKnown) named(...nameOf(path, undefined))
  }

  function ledTo({ name, path, to = '' }: Call): void {
    const inode = inodes.get(path)!
    inodes.set(to, inode)
    if (name === 'rename') inodes.delete(path)
    named(...(name === 'rename' ? nameOf(path, undefined) : []), ...nameOf(to, inode))
  }

  /** What is written down when a call is over; `since` is how many events there were when it began. */
  const whenOver: Readonly<Partial<Record<CallName, (call: Call, since: number) => void>>> = {
    open: opened,
    create: opened,
    link: ledTo,
    rename: ledTo,
    unlink: removed,
    rmdir: removed,
    rm: removed,
    // With `recursive` no error says that it is there already, and those above it may be new as well.
    mkdir: ({ path }) => missingAbove(path).forEach((above) => made(above, true)),
    write({ handle, position, bytes = Buffer.alloc(0) }) {
      const file = handles.get(handle!)
      if (file === undefined) return
      const start = position ?? file.end
      file.end = start + bytes.length
      events.push({ kind: 'write', inode: file.inode, position: start, bytes })
    },
    sync({ handle }, since) {
      const synced = handles.get(handle!)
      if (synced !== undefined) events.push({ kind: 'sync', inode: synced.inode, since })
    },
    'database commit': () => void events.push({ kind: 'commit', database: copyOf(databasePath)! }),
  }

  function missingAbove(path: string): string[] {
    const missing: string[] = []
    for (let each = path; each.startsWith(root) && !inodes.has(each); each = dirname(each)) missing.unshift(each)
    return missing
  }

  function copyOf(path: string): Buffer | undefined {
    copying = true
    const copy = join(dirname(root), `${basename(root)}-copy`)
    try {
      const database = new DatabaseSync(path, { readOnly: true })
      database.prepare('vacuum into ?').run(copy)
      database.close()
      return readFileSync(copy)
    } catch (error) {
      if (error instanceof Error && Reflect.get(error, 'errcode') === 14) return undefined
      throw error
    } finally {
      rmSync(copy, { force: true })
      copying = false
    }
  }

  const rootInode = scan(root)
  const database = copyOf(databasePath)
  const watcher: Watcher = {
    roots: [root],
    async around(call, run) {
      const since = events.length
      const result = await run()
      if (!isSqlites(call.path)) whenOver[call.name]?.(call, since)
      return result
    },
    aroundSync(call, run) {
      const since = events.length
      const result = run()
      if (!copying && (call.name === 'database commit' || !isSqlites(call.path))) whenOver[call.name]?.(call, since)
      return result
    },
  }
  await watching(watcher, work)
  return { root, rootInode, folders, files, database, events, isFolder: (inode) => folderInodes.has(inode) }
}
