/**
 * Fills an instance with many small documents, backs it up, proves the archive, restores, compares and drills it, each command in a process of
 * its own, and prints how long each took and how much memory it had at most. bench/README.md explains the figures.
 *
 *   npm run bench -- [--documents 20000] [--database URL --target-database URL]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { batchesOf } from '../src/std/batches.ts'

const launcher = join(import.meta.dirname, '..', 'strongroom')
const documentBytes = 10_000
const pagesPerDocument = 3
const documentsPerFolder = 500
const documentsAtOnce = 100
/** What issue and promise allow: the memory of a backup or restore does not grow with the instance. */
const limitMegabytes = 300

interface Measured {
  readonly seconds: number
  readonly peakMegabytes: number
  readonly output: string
}

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '20000' },
    database: { type: 'string' },
    'target-database': { type: 'string' },
  },
})
const documents = Number(values.documents)
const folder = await mkdtemp(join(tmpdir(), 'strongroom-bench-'))
try {
  const source = { data: join(folder, 'source'), database: values.database }
  const target = { data: join(folder, 'target'), database: values['target-database'] }
  const archive = join(folder, 'archive.tar.gz')
  await fill(source, documents)
  const rows = [
    ['backup', await measure(source, 'backup', archive)],
    ['backup --no-verify', await measure(source, 'backup', '--no-verify', '--overwrite', archive)],
    ['verify', await measure(source, 'verify', archive)],
    ['restore', await measure(target, 'restore', '--migrate', archive)],
    ['compare', await measure(source, 'compare', archive)],
    ['drill', await measure(source, 'drill', archive)],
  ] as const
  const trees = [await measure(source, 'tree', '--text', '--json'), await measure(target, 'tree', '--text', '--json')]
  const equal = trees[0]!.output === trees[1]!.output
  console.log(
    `${documents} documents of ${documentBytes} bytes, ${pagesPerDocument} pages of text each; archive ${(await stat(archive)).size} bytes`,
  )
  for (const [name, { seconds, peakMegabytes }] of [...rows, ['tree --text --json', trees[0]!] as const]) {
    console.log(`${name.padEnd(20)} ${seconds.toFixed(1).padStart(7)} s ${peakMegabytes.toFixed(0).padStart(6)} MB`)
  }
  const highest = Math.max(...rows.map(([, { peakMegabytes }]) => peakMegabytes))
  console.log(
    `restored instance ${equal ? 'equals' : 'DIFFERS FROM'} the first; highest peak ${highest.toFixed(0)} MB, limit ${limitMegabytes} MB`,
  )
  if (!equal || highest > limitMegabytes) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

interface Place {
  readonly data: string
  readonly database: string | undefined
}

async function fill(place: Place, count: number): Promise<void> {
  const app = createApp(readConfig({}, place, process.cwd()))
  await app.migrate()
  await using instance = await app.open({ access: 'write', command: 'bench' })
  const userId = await instance.users.add({ username: 'bench', password: null })
  const numbers = Array.from({ length: count }, (_, index) => index)
  for (const inFolder of batchesOf(numbers, documentsPerFolder)) {
    const path = `.home/Folder ${inFolder[0]}`
    const parentId = await instance.nodes.makeFolder({ username: 'bench', path, parents: false })
    for (const batch of batchesOf(inFolder, documentsAtOnce)) {
      await instance.documents.storeAll(
        batch.map((number) => ({
          userId,
          parentId,
          title: `Document ${number}.pdf`,
          fileName: `scan ${number}.pdf`,
          bytes: body(number),
          mediaType: 'application/pdf',
          pageCount: pagesPerDocument,
          pages: Array.from({ length: pagesPerDocument }, (_, page) => ({
            text: `Page ${page + 1} of document ${number}. `.repeat(40),
          })),
          text: `Document ${number}. `.repeat(120),
        })),
      )
    }
  }
}

async function* body(number: number): AsyncGenerator<Uint8Array> {
  yield Buffer.concat([Buffer.from(`%PDF-1.4 ${number}\n`), randomBytes(documentBytes)]).subarray(0, documentBytes)
}

/** Runs a command to its end. The output is kept as its hash, as it may be long. */
async function measure(place: Place, ...command: string[]): Promise<Measured> {
  const options = [
    '--data',
    place.data,
    '--quiet',
    ...(place.database === undefined ? [] : ['--database', place.database]),
  ]
  const started = performance.now()
  const child = spawn(launcher, [...command, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  const hash = createHash('sha256')
  child.stdout.on('data', (chunk: Uint8Array) => hash.update(chunk))
  let peakMegabytes = 0
  const timer = setInterval(
    () => void peakOf(child).then((peak) => (peakMegabytes = Math.max(peak, peakMegabytes))),
    20,
  )
  const [code] = (await once(child, 'close')) as [number | null]
  clearInterval(timer)
  if (code !== 0) throw new Error(`${command.join(' ')} ended with exit code ${code}`)
  return { seconds: (performance.now() - started) / 1000, peakMegabytes, output: hash.digest('hex') }
}

/** The most memory that a process had resident so far, as the kernel counts it. */
async function peakOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024
}
