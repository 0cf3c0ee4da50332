import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../support/databases.ts'
import { makeArchive } from '../support/made-archive.ts'
import { contentSums } from '../support/content-sums.ts'
import { runCounted, type Counts } from './counted-command.ts'

const sizes = [0, 1000, 10_000] as const
/** What is promised for an instance of any size, in MB. */
const budget = 200

let folder: string
const archiveOf = (documents: number): string => join(folder, `made-${documents}.tar.gz`)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-growth-'))
  for (const documents of sizes)
    await makeArchive(archiveOf(documents), folder, { documents, documentBytes: 1000, pages: 3 })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

interface Run {
  readonly commands: Readonly<Record<'restore' | 'backup' | 'verify', Counts>>
  readonly archiveBytes: number
  readonly sums: string
}

describe.each(databases)('an instance on $name that grows', ({ place }) => {
  const runs = new Map<number, Run>()
  const growthOf = (value: (run: Run) => number): number => {
    const [none, small, large] = sizes.map((documents) => value(runs.get(documents)!))
    return (large! - none!) / (small! - none!)
  }
  const commands = ['restore', 'backup', 'verify'] as const

  beforeAll(async () => {
    for (const documents of sizes) {
      await using instance = await place()
      const base = [
        '--data',
        instance.dataDirectory,
        ...(instance.url === undefined ? [] : ['--database', instance.url]),
      ]
      const archive = join(folder, `backup-${documents}.tar.gz`)
      const restore = await runCounted([...base, 'restore', '--migrate', archiveOf(documents)])
      const backup = await runCounted([...base, 'backup', '--overwrite', archive])
      const verify = await runCounted(['verify', archive])
      runs.set(documents, {
        commands: { restore, backup, verify },
        archiveBytes: (await stat(archive)).size,
        sums: await contentSums(archive),
      })
    }
  }, 1_800_000)

  test.each(commands)('%s takes no more memory for ten times the documents', (command) => {
    const [, small, large] = sizes.map((documents) => runs.get(documents)!.commands[command].peakMegabytes)
    expect(large!).toBeLessThan(small! + 64)
    expect(large!).toBeLessThan(budget)
  })

  test.each(commands)('%s asks the databases ten times as much for ten times the documents', (command) => {
    const statements = ({ instance, scratch }: Counts['statements']): number => instance + scratch
    expect(growthOf((run) => statements(run.commands[command].statements))).toBeLessThanOrEqual(10.5)
  })

  test.each(commands)('%s asks the database of the instance for many documents at once', (command) => {
    expect(runs.get(10_000)!.commands[command].statements.instance / 10_000).toBeLessThan(0.2)
  })

  // A scratch database that outgrows its cache writes pages again and again, but each a bounded number of times.
  test.each(commands)('%s does not write in the square of the documents', (command) => {
    expect(growthOf((run) => run.commands[command].writtenBytes)).toBeLessThan(30)
  })

  test.each(sizes)('a backup of %i documents holds what was restored', async (documents) => {
    expect(runs.get(documents)!.sums).toBe(await contentSums(archiveOf(documents)))
  })

  test('the archive is ten times as large', () => {
    const growth = growthOf((run) => run.archiveBytes)
    expect(growth).toBeGreaterThan(9.8)
    expect(growth).toBeLessThan(10.2)
  })
})
