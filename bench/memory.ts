import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { batchesOf } from '../src/std/batches.ts'
import { measure, type Place, strongroom } from './measure.ts'

const documentBytes = 10_000
const pagesPerDocument = 3
const documentsPerFolder = 500
const documentsAtOnce = 100
/** What issue and promise allow: the memory of a backup or restore does not grow with the instance. */
const limitMegabytes = 300

export interface MemoryOptions {
  readonly documents: number
  readonly database: string | undefined
  readonly targetDatabase: string | undefined
}

/**
 * Fills an instance with many small documents, backs it up, proves the archive, restores, compares and drills it, each
 * command in a process of its own. Prints how long each took and how much memory it had at most; gives whether the restored
 * instance equals the first and the memory stayed within its limit.
 */
export async function measureMemory({ documents, database, targetDatabase }: MemoryOptions): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-bench-'))
  try {
    const source = { data: join(folder, 'source'), database }
    const target = { data: join(folder, 'target'), database: targetDatabase }
    const archive = join(folder, 'archive.tar.gz')
    await fill(source, documents)
    const rows = []
    for (const [place, ...command] of [
      [source, 'backup', archive],
      [source, 'backup', '--no-verify', '--overwrite', archive],
      [source, 'verify', archive],
      [target, 'restore', '--migrate', archive],
      [source, 'compare', archive],
      [source, 'drill', archive],
      [source, 'tree', '--text', '--json'],
      [target, 'tree', '--text', '--json'],
    ] as const) {
      const name = command
        .filter((word) => word !== archive && word !== '--overwrite' && word !== '--migrate')
        .join(' ')
      rows.push({ name, ...(await measure(strongroom(place, ...command))) })
    }
    console.log(
      `\n${documents} documents of ${documentBytes} bytes, ${pagesPerDocument} pages of text each; archive ${(await stat(archive)).size} bytes`,
    )
    for (const { name, seconds, cpuSeconds, peakMegabytes } of rows) {
      console.log(
        `${name.padEnd(20)} ${seconds.toFixed(1).padStart(7)} s ${cpuSeconds.toFixed(1).padStart(7)} s CPU ${peakMegabytes.toFixed(0).padStart(6)} MB`,
      )
    }
    const equal = rows.at(-1)!.output === rows.at(-2)!.output
    const highest = Math.max(...rows.map(({ peakMegabytes }) => peakMegabytes))
    console.log(
      `restored instance ${equal ? 'equals' : 'DIFFERS FROM'} the first; highest peak ${highest.toFixed(0)} MB, limit ${limitMegabytes} MB`,
    )
    return equal && highest <= limitMegabytes
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
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
