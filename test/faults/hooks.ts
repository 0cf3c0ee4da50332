/**
 * Lets a watcher stand between the program and what it does to disks and databases: the functions of node:fs/promises and
 * of its file handles, those of node:fs that the program calls, node:sqlite, and the queries of pg. Nothing in src/ knows of it. It works in the process of the
 * tests and, loaded before the program (preload.ts), in a process of its own.
 */
import { constants, readlinkSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { join, resolve } from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { Client } from 'pg'
import type { Call, CallName } from './calls.ts'

export interface Watcher {
  /** Only what lies below these folders is watched. */
  readonly roots: readonly string[]
  /** Called in place of the call, which it makes by `run`; `half` does half of a write. */
  around<T>(call: Call, run: () => Promise<T>, half?: () => Promise<T>): Promise<T>
  /** The same for what blocks the process. */
  aroundSync<T>(call: Call, run: () => T, half?: () => T): T
}

let watcher: Watcher | undefined
let installed = false

/** Watches while `work` runs. */
export async function watching<T>(given: Watcher, work: () => Promise<T>): Promise<T> {
  await startWatching(given)
  try {
    return await work()
  } finally {
    watcher = undefined
  }
}

/** Watches until the process ends. */
export async function startWatching(given: Watcher): Promise<void> {
  if (!installed) {
    installed = true
    hookFiles()
    hookSqlite()
    hookPostgres()
  }
  watcher = given
}

/** Where a path leads, by the names that the folders had when they were opened. */
function placeOf(path: unknown): string {
  const text = Buffer.isBuffer(path) ? path.toString() : String(path)
  const [, descriptor, rest = ''] = /^\/proc\/self\/fd\/(\d+)(?:\/(.*))?$/s.exec(text) ?? []
  if (descriptor === undefined) return resolve(text)
  try {
    return join(readlinkSync(`/proc/self/fd/${descriptor}`), rest)
  } catch {
    return text
  }
}

const watched = (path: string): Watcher | undefined =>
  watcher?.roots.some((root) => path === root || path.startsWith(`${root}/`)) === true ? watcher : undefined

type Work = (...args: unknown[]) => Promise<unknown>

/** The functions of node:fs/promises that the program calls, and what each call counts as. */
const fileCalls: Readonly<Record<string, CallName>> = {
  mkdir: 'mkdir',
  rename: 'rename',
  link: 'link',
  unlink: 'unlink',
  rm: 'rm',
  rmdir: 'rmdir',
  readdir: 'read folder',
  opendir: 'read folder',
  lstat: 'look up',
  stat: 'look up',
  statfs: 'look up',
  access: 'look up',
  readFile: 'read',
}

function hookFiles(): void {
  const promises = createRequire(import.meta.url)('node:fs/promises') as Record<string, Work>
  for (const [name, call] of Object.entries(fileCalls)) {
    const original = promises[name]!
    promises[name] = (...args) => {
      const path = placeOf(args[0])
      const run = () => original(...args)
      const watch = watched(path)
      if (watch === undefined) return run()
      const to = name === 'rename' || name === 'link' ? { to: placeOf(args[1]) } : {}
      return watch.around({ name: call, path, ...to }, run)
    }
  }
  const open = promises['open'] as unknown as (...args: unknown[]) => Promise<FileHandle>
  promises['open'] = async (...args) => {
    const path = placeOf(args[0])
    const watch = watched(path)
    if (watch === undefined) return open(...args)
    const name = createsFile(args[1]) ? 'create' : 'open'
    const holder: { handle?: FileHandle } = {}
    const handle = await watch.around({ name, path, holder }, async () => (holder.handle = await open(...args)))
    return hookHandle(handle, path)
  }
  hookDescriptors()
  syncBuiltinESMExports()
}

/** The functions of node:fs: those that block the process, and those that tell a callback. */
function hookDescriptors(): void {
  const functions = createRequire(import.meta.url)('node:fs') as Record<string, (...args: unknown[]) => unknown>
  /** What is open, by its descriptor. */
  const opened = new Map<unknown, { readonly path: string; readonly handle: object }>()

  for (const [name, call] of [
    ['unlinkSync', 'unlink'],
    ['mkdirSync', 'mkdir'],
  ] as const) {
    const original = functions[name]!
    functions[name] = (...args) => {
      const path = placeOf(args[0])
      const watch = watched(path)
      const run = () => original(...args)
      return watch === undefined ? run() : watch.aroundSync({ name: call, path }, run)
    }
  }

  const { openSync } = functions as { openSync: (...args: unknown[]) => number }
  functions['openSync'] = (...args) => {
    const path = placeOf(args[0])
    const watch = watched(path)
    if (watch === undefined) return openSync(...args)
    const holder: { handle?: object } = {}
    const open = (): number => {
      const descriptor = openSync(...args)
      holder.handle = {}
      opened.set(descriptor, { path, handle: holder.handle })
      return descriptor
    }
    return watch.aroundSync({ name: createsFile(args[1]) ? 'create' : 'open', path, holder }, open)
  }

  for (const [name, call] of [
    ['readSync', 'read'],
    ['writeSync', 'write'],
    ['closeSync', 'close'],
  ] as const) {
    const original = functions[name]!
    functions[name] = (...args) => {
      const file = opened.get(args[0])
      const run = (): unknown => {
        if (call === 'close') opened.delete(args[0])
        return original(...args)
      }
      if (watcher === undefined || file === undefined) return run()
      if (call !== 'write') return watcher.aroundSync({ name: call, ...file }, run)
      const written = writtenBy(args.slice(1))
      return watcher.aroundSync({ name: call, ...file, ...written }, run, () => original(...halfOf(args, written)))
    }
  }

  for (const [name, call] of [
    ['write', 'write'],
    ['fsync', 'sync'],
    ['fdatasync', 'sync'],
  ] as const) {
    const original = functions[name]!
    functions[name] = (...args) => {
      const file = opened.get(args[0])
      if (watcher === undefined || file === undefined) return original(...args)
      const callback = args.at(-1) as (error: unknown, ...results: unknown[]) => void
      const promised = (given: readonly unknown[]): Promise<unknown[]> =>
        new Promise((resolve, reject) => {
          original(...given, (error: unknown, ...results: unknown[]) => {
            if (error === null) resolve(results)
            else reject(error)
          })
        })
      const given = args.slice(0, -1)
      const written = call === 'write' ? writtenBy(given.slice(1)) : undefined
      const half = written === undefined ? undefined : () => promised(halfOf(given, written))
      watcher
        .around({ name: call, ...file, ...written }, () => promised(given), half)
        .then(
          (results) => setImmediate(callback, null, ...results),
          (error: unknown) => setImmediate(callback, error),
        )
      return undefined
    }
  }
}

/** The arguments for half of a write to a descriptor. */
const halfOf = (
  [descriptor, bytes, offset, , position]: readonly unknown[],
  written: { readonly bytes: Buffer },
): unknown[] => [descriptor, bytes, offset ?? 0, Math.floor(written.bytes.length / 2), position ?? null]

const createsFile = (flags: unknown): boolean =>
  typeof flags === 'number' ? (flags & constants.O_CREAT) !== 0 : typeof flags === 'string' && /^[wa]/.test(flags)

function hookHandle(handle: FileHandle, path: string): FileHandle {
  const write = (handle.write as Work).bind(handle)
  const hook = (
    method: 'write' | 'writev' | 'writeFile' | 'read' | 'sync' | 'datasync' | 'close',
    name: CallName,
  ): void => {
    const original = (handle[method] as Work).bind(handle)
    Object.defineProperty(handle, method, {
      configurable: true,
      value: (...args: unknown[]) => {
        const run = () => original(...args)
        if (watcher === undefined) return run()
        const call: Call = { name, path, handle }
        if (method !== 'write' && method !== 'writev' && method !== 'writeFile') return watcher.around(call, run)
        const written = writtenBy(method === 'writev' ? [Buffer.concat(args[0] as Uint8Array[])] : args)
        // In the order of node:fs: the bytes, where in them, how many, where in the file.
        const half = () => write(written.bytes, 0, Math.floor(written.bytes.length / 2), written.position ?? null)
        return watcher.around({ ...call, ...written }, run, method === 'writeFile' ? undefined : half)
      },
    })
  }
  hook('write', 'write')
  hook('writev', 'write')
  hook('writeFile', 'write')
  hook('read', 'read')
  hook('sync', 'sync')
  hook('datasync', 'sync')
  hook('close', 'close')
  return handle
}

function writtenBy([bytes, offset, length, position]: readonly unknown[]): { bytes: Buffer; position?: number } {
  const all = bytes as Uint8Array
  const start = typeof offset === 'number' ? offset : 0
  const end = typeof length === 'number' ? start + length : all.length
  // A copy: the program uses its buffers again.
  return {
    bytes: Buffer.from(all.subarray(start, end)),
    ...(typeof position === 'number' ? { position } : {}),
  }
}

function hookSqlite(): void {
  const statements = new WeakMap<object, { readonly database: DatabaseSync; readonly text: string }>()

  function guard<T>(database: DatabaseSync | undefined, text: string, run: () => T): T {
    const path = watcher === undefined ? undefined : database?.location()
    const watch = path === undefined || path === null ? undefined : watched(path)
    return watch === undefined || touchesNoFile.test(text)
      ? run()
      : watch.aroundSync({ name: nameFor(path!, kindOf(text)), path: path! }, run)
  }

  const { exec, prepare } = DatabaseSync.prototype
  DatabaseSync.prototype.exec = function (this: DatabaseSync, text) {
    return guard(this, text, () => exec.call(this, text))
  }
  DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...args) {
    const statement = prepare.apply(this, args)
    statements.set(statement, { database: this, text: args[0] })
    return statement
  }
  for (const method of ['run', 'all', 'get', 'iterate'] as const) {
    const original = StatementSync.prototype[method] as (...args: unknown[]) => never
    StatementSync.prototype[method] = function (this: StatementSync, ...args: unknown[]) {
      const { database, text = '' } = statements.get(this) ?? {}
      return guard(database, text, () => original.apply(this, args))
    }
  }
}

const touchesNoFile = /^pragma (?:busy_timeout|query_only) = \w+$/

type Kind = 'begin' | 'read' | 'statement' | 'commit' | 'rollback'

function nameFor(path: string, kind: Kind): CallName {
  const name = path.split('/').at(-1) ?? ''
  if (name.startsWith('scratch-')) return 'scratch statement'
  return name === 'instance.lock' ? 'lock begin' : `database ${kind}`
}

function kindOf(text: string): Kind {
  if (/begin/i.test(text)) return 'begin'
  if (/^\s*(?:select|pragma|with)\b/i.test(text)) return 'read'
  if (/^\s*commit/i.test(text)) return 'commit'
  return /^\s*rollback/i.test(text) ? 'rollback' : 'statement'
}

function hookPostgres(): void {
  const prototype = Client.prototype as unknown as Record<'query' | 'connect', (...args: unknown[]) => unknown>
  const { query, connect } = prototype
  prototype.connect = function (this: Client, ...args: unknown[]) {
    const [callback] = args as [((error?: unknown) => void)?]
    const watch = watcher
    if (watch === undefined || unwatched.has(this)) return connect.apply(this, args)
    const connected = watch.around({ name: 'database open', path: 'postgres', client: this }, async () => {
      await connect.call(this)
    })
    if (callback === undefined) return connected
    connected.then(
      () => setImmediate(callback),
      (error: unknown) => setImmediate(callback, error),
    )
    return undefined
  }
  prototype.query = function (this: Client, ...args: unknown[]) {
    const watch = watcher
    const isPromise = !args.some((each) => typeof each === 'function')
    if (watch === undefined || !isPromise || unwatched.has(this)) return query.apply(this, args)
    const text = String(args[0])
    const name: CallName = text.includes('_lock(')
      ? text.includes('begin')
        ? 'database begin'
        : 'lock begin'
      : `database ${kindOf(text)}`
    const run = async () => query.apply(this, args)
    return watch.around({ name, path: 'postgres', client: this }, run)
  }
}

const unwatched = new WeakSet<Client>()

/** A connection that the hooks let alone. */
export function ownClient(url: string): Client {
  const client = new Client({ connectionString: url })
  unwatched.add(client)
  return client
}
