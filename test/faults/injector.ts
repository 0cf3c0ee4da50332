import { failuresOf, type Call, type CallName, type DatabaseKind, type Failure, type Point } from './calls.ts'
import { ownClient, type Watcher } from './hooks.ts'

/** Where the program is at work. */
export interface Place {
  readonly roots: readonly string[]
  /** Of PostgreSQL. */
  readonly url: string | undefined
}

const kindOf = ({ url }: Place): DatabaseKind => (url === undefined ? 'sqlite' : 'postgres')

/** Counts the calls of each name, and lets them through. */
export function counter({ roots }: Place): { readonly watcher: Watcher; readonly calls: Map<CallName, number> } {
  const calls = new Map<CallName, number>()
  const count = ({ name }: Call): void => void calls.set(name, (calls.get(name) ?? 0) + 1)
  const watcher: Watcher = {
    roots,
    around: (call, run) => {
      count(call)
      return run()
    },
    aroundSync: (call, run) => {
      count(call)
      return run()
    },
  }
  return { watcher, calls }
}

/** Lets a fault strike at its point; `hit` says whether it did. */
export function injector(place: Place, point: Point): { readonly watcher: Watcher; readonly hit: () => boolean } {
  const [failure] = point.fault.split(', ') as [Failure | 'SIGKILL']
  const lasting = point.fault.endsWith(', from then on')
  let seen = 0
  let hit = false

  function strikes(call: Call): boolean {
    if (call.name === point.call) seen += 1
    if (!hit) return (hit = call.name === point.call && seen === point.ordinal)
    return lasting && (failuresOf(kindOf(place), call.name) as readonly string[]).includes(failure)
  }

  async function fail<T>(call: Call, run: () => Promise<T>, half?: () => Promise<T>): Promise<T> {
    switch (failure) {
      case 'SIGKILL':
        await half?.()
        return kill()
      case 'answer lost':
        await run()
        await endSessions(place.url!)
        throw lost()
      case 'gone':
        await endSessions(place.url!)
        if (lasting || call.name === 'database open') throw lost()
        return run()
      case 'EIO':
      case 'ENOSPC':
      case 'EACCES':
        // The system lets go of a file whatever it answers, and a full disk takes what it can.
        if (call.name === 'close') await run()
        if (failure === 'ENOSPC') await half?.()
    }
    throw errorOf(failure, call)
  }

  const watcher: Watcher = {
    roots: place.roots,
    around(call, run, half) {
      if (!strikes(call)) return run()
      return fail(call, run, half)
    },
    aroundSync(call, run, half) {
      if (!strikes(call)) return run()
      if (failure === 'SIGKILL' || failure === 'ENOSPC') half?.()
      if (failure === 'SIGKILL') return kill()
      // The system lets go of a file whatever it answers.
      if (call.name === 'close') run()
      throw errorOf(failure as Exclude<Failure, 'gone' | 'answer lost'>, call)
    },
  }
  return { watcher, hit: () => hit }
}

function kill(): never {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('killed')
}

const lost = (): Error => Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' })

const sqliteNumbers = { ENOSPC: 13, EIO: 10, EACCES: 8 } as const
const postgresCodes = { ENOSPC: '53100', EIO: '58030', EACCES: '42501' } as const

function errorOf(failure: 'ENOSPC' | 'EIO' | 'EACCES', { name, path, client }: Call): Error {
  const message = `${failure}: put there by a test, ${name} '${path}'`
  if (client !== undefined)
    return Object.assign(new Error(message), { severity: 'ERROR', code: postgresCodes[failure] })
  if (/^(?:database|lock|scratch) /.test(name))
    return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode: sqliteNumbers[failure] })
  return Object.assign(new Error(message), { code: failure, syscall: name, path })
}

/** Ends every session of the database, and waits until the server is rid of them. */
export async function endSessions(url: string): Promise<void> {
  const client = ownClient(url)
  await client.connect()
  try {
    const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
    await client.query(`select pg_terminate_backend(pid) ${others}`)
    while ((await client.query(`select 1 ${others}`)).rowCount !== 0);
  } finally {
    await client.end()
  }
}
