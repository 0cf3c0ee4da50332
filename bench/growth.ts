import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { makeArchive } from '../test/support/made-archive.ts'
import { startPostgres } from '../test/support/postgres-cluster.ts'
import { measureChain, type Chain } from './chain.ts'
import type { Figure } from './limits.ts'
import { median, type Measured, type Place, strongroom } from './measure.ts'
import { say, saySoFar, sayTable } from './report.ts'

/** How often a size is measured, so that the small ones mean something; the middle one counts. */
const timesOf = (documents: number): number => (documents <= 1000 ? 3 : 1)
/** Up to how many documents instances are compared and drilled too, which takes five times as long as all else. */
const mostToDrill = 10_000

interface Point {
  readonly documents: number
  readonly chains: readonly Chain[]
}

export interface Grown {
  readonly figures: readonly Figure[]
  readonly right: boolean
}

export interface GrowthOptions {
  /** In rising order; 0 is measured before them: what the commands take for nothing, which is taken off for the slope. */
  readonly sizes: readonly number[]
  /** PostgreSQL too, and `compare` and `drill`. */
  readonly everything: boolean
}

/** Restores, backs up and proves instances of so many documents of 10 KB with three pages of text each. */
export async function measureGrowth(folder: string, { sizes, everything }: GrowthOptions): Promise<Grown> {
  await using server = everything ? await startPostgres([]) : undefined
  const points = new Map<string, Point[]>([['SQLite', []]])
  if (everything) points.set('PostgreSQL', [])
  for (const documents of [0, ...sizes]) {
    const archive = join(folder, 'made.tar.gz')
    await makeArchive(archive, folder, { documents, documentBytes: 10_000, pages: 3 })
    const besides = everything && documents <= mostToDrill ? { besides: compareAndDrill } : {}
    for (const [name, found] of points) {
      const chains: Chain[] = []
      for (let time = 1; time <= timesOf(documents); time += 1) {
        saySoFar(`${documents} documents on ${name}, ${time} of ${timesOf(documents)}`)
        const address = name === 'SQLite' ? undefined : server?.url
        const chain = await withDatabase(address, (database) =>
          measureChain(folder, archive, { database, ...(database === undefined && time === 1 ? besides : {}) }),
        )
        chains.push(chain)
      }
      found.push({ documents, chains })
    }
    await rm(archive)
  }
  const figures = [...points].flatMap(([name, found]) => sayCurve(name, found))
  return { figures, right: [...points.values()].flat().every(({ chains }) => chains.every(({ right }) => right)) }
}

const compareAndDrill = (place: Place, backup: string) => ({
  compare: strongroom(place, 'compare', backup),
  drill: strongroom(place, 'drill', backup),
})

async function withDatabase<T>(server: string | undefined, work: (database?: string) => Promise<T>): Promise<T> {
  if (server === undefined) return work()
  const name = `strongroom_bench_${randomUUID().replaceAll('-', '')}`
  const url = new URL(server)
  url.pathname = `/${name}`
  await query(server, `create database ${name} template template0 encoding 'UTF8'`)
  try {
    return await work(url.href)
  } finally {
    await query(server, `drop database if exists ${name} with (force)`)
  }
}

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

type Value = (run: Measured) => number

/** The middle of what a command took at a size; undefined where it was not run. */
function valueAt({ chains }: Point, command: string, value: Value): number | undefined {
  const runs = chains.flatMap((chain) => chain.runs.get(command) ?? [])
  return runs.length === 0 ? undefined : median(runs.map(value))
}

const seconds: Value = (run) => run.seconds
const cpuSeconds: Value = (run) => run.cpuSeconds
const peakMegabytes: Value = (run) => run.peakMegabytes

function sayCurve(database: string, points: readonly Point[]): Figure[] {
  const commands = [...new Set(points.flatMap(({ chains }) => chains.flatMap(({ runs }) => [...runs.keys()])))]
  say()
  sayTable(
    [database, 'documents', 'wall s', 'CPU s', 'peak MB', 'archive MB'],
    commands.flatMap((command) =>
      points
        .filter((point) => valueAt(point, command, seconds) !== undefined)
        .map((point) => [
          command,
          String(point.documents),
          valueAt(point, command, seconds)!.toFixed(2),
          valueAt(point, command, cpuSeconds)!.toFixed(2),
          valueAt(point, command, peakMegabytes)!.toFixed(0),
          (point.chains[0]!.archiveBytes / 1e6).toFixed(1),
        ]),
    ),
  )
  return [...commands.flatMap((command) => figuresOf(database, command, points)), archiveFigure(database, points)]
}

function figuresOf(database: string, command: string, points: readonly Point[]): Figure[] {
  const measured = points.filter((point) => point.documents > 0 && valueAt(point, command, peakMegabytes) !== undefined)
  const peaks = measured.map((point) => valueAt(point, command, peakMegabytes)!)
  const none = points.find(({ documents }) => documents === 0)!
  const slopeOf = (value: Value): number =>
    slope(
      measured.map((point) => [
        point.documents,
        Math.max(1e-3, valueAt(point, command, value)! - (valueAt(none, command, value) ?? 0)),
      ]),
    )
  const name = `${command} on ${database}`
  return [
    { name: `${name}, slope of CPU`, limit: 'slope', measured: slopeOf(cpuSeconds) },
    { name: `${name}, slope of wall`, limit: 'slope', measured: slopeOf(seconds) },
    { name: `${name}, highest peak`, limit: 'peakMegabytes', measured: Math.max(...peaks) },
    {
      name: `${name}, peak of most less that of fewest`,
      limit: 'growthMegabytes',
      measured: peaks.at(-1)! - peaks[0]!,
    },
  ]
}

function archiveFigure(database: string, points: readonly Point[]): Figure {
  const [none, ...some] = points.map(({ documents, chains }) => ({ documents, bytes: chains[0]!.archiveBytes }))
  const measured = slope(some.map(({ documents, bytes }) => [documents, bytes - none!.bytes]))
  return { name: `archive on ${database}, slope of bytes`, limit: 'slope', measured }
}

/** Of the line through the logarithms by least squares: 1 where twice the number takes twice as much. */
function slope(points: readonly (readonly [number, number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const)
  const mean = (column: 0 | 1): number => logs.reduce((sum, log) => sum + log[column], 0) / logs.length
  const [x, y] = [mean(0), mean(1)]
  const products = logs.reduce((sum, log) => sum + (log[0] - x) * (log[1] - y), 0)
  return products / logs.reduce((sum, log) => sum + (log[0] - x) ** 2, 0)
}
