/**
 * Measures what Strongroom promises of speed, size and memory. bench/README.md explains the figures.
 *
 *   npm run bench [-- --megabytes 1000] [--rounds 3] [--documents 1000,10000] [--write]
 *   npm run bench -- --full [growth] [large] [members] [--write]
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareBackups } from './backups.ts'
import { measureLarge, measureMembers } from './extremes.ts'
import { fill } from './fill.ts'
import { measureGrowth, type Grown } from './growth.ts'
import { sayFigures } from './limits.ts'
import { stopBySignals } from './measure.ts'
import { compareReadings } from './readings.ts'
import { beginPart, endPart, say, saySoFar } from './report.ts'
import type { Bodies } from './scans.ts'
import { compareSizes } from './sizes.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    megabytes: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    documents: { type: 'string' },
    full: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const megabytesOr = (usual: number): number => Number(values.megabytes ?? usual)
const documentsOr = (usual: string): number[] => (values.documents ?? usual).split(',').map(Number)
const rounds = Number(values.rounds)

const parts: Readonly<Record<string, (folder: string) => Promise<Grown>>> = {
  growth: (folder) => measureGrowth(folder, { sizes: documentsOr('1000,10000,100000'), everything: true }),
  large: (folder) => measureLarge(folder, megabytesOr(9 * 1024) * 2 ** 20),
  members: (folder) => measureMembers(folder, documentsOr('10000').at(-1)!),
}

const corpora = { scans: 'scanned PDFs of 200 to 700 KB', random: 'files of 200 to 600 KB of random bytes' } as const

async function compare(folder: string): Promise<Grown> {
  const scans = await compareCorpus(join(folder, 'scans'), 'scans')
  const random = await compareCorpus(join(folder, 'random'), 'random')
  const sizes = await compareSizes(folder)
  const grown = await measureGrowth(folder, { sizes: documentsOr('1000,10000'), everything: false })
  return {
    figures: [...scans.figures, ...random.figures, ...sizes, ...grown.figures],
    right: scans.right && random.right && grown.right,
  }
}

async function compareCorpus(folder: string, bodies: Bodies): Promise<Grown> {
  await mkdir(folder)
  const source = { data: join(folder, 'source') }
  saySoFar('filling an instance')
  const { scans, largeMegabytes, lastDocumentId } = await fill(source.data, megabytesOr(1000), bodies)
  say(
    `\n${bodies}: ${scans} ${corpora[bodies]}, ${2 * scans} text layers of 1 to 20 KB, one file of ${largeMegabytes} MB; ${rounds} rounds`,
  )
  const backups = await compareBackups(folder, source, { rounds, everybody: bodies === 'scans' })
  const readings = await compareReadings(folder, source, { documentId: lastDocumentId, rounds })
  await rm(folder, { recursive: true })
  const peak = {
    name: 'peak of all commands',
    limit: 'peakMegabytes',
    measured: Math.max(...backups.peaks, ...readings.peaks),
  } as const
  return {
    figures: [...backups.figures, ...readings.figures, peak].map((figure) => ({
      ...figure,
      name: `${bodies}: ${figure.name}`,
    })),
    right: backups.right && readings.right,
  }
}

async function run(name: string, work: (folder: string) => Promise<Grown>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-bench-'))
  try {
    beginPart(name)
    const { figures, right } = await work(folder)
    say()
    sayFigures(figures)
    say(right ? 'Every output is right.' : 'An output is WRONG.')
    if (!right) process.exitCode = 1
    await endPart(name, values.write)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

stopBySignals()
if (values.full) {
  const chosen = positionals.length === 0 ? Object.keys(parts) : positionals
  for (const name of chosen) {
    const part = parts[name]
    if (part === undefined) throw new Error(`There is no part ${name}: ${Object.keys(parts).join(', ')}`)
    await run(name, part)
  }
} else await run('compare', compare)
