import { createHash } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../support/databases.ts'
import type { TestDatabases } from '../support/databases.ts'
import { archivedRows, createCommandInstance, listMedia, sha256OfFile, takeIdOf } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { fillAwkward } from '../support/fixtures.ts'
import { samples } from '../support/samples.ts'
import { expectSoundArchive } from '../support/sound-archive.ts'

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-round-trip-'))
})
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true })
})

/** What must be equal after a round trip: all that can be seen, every archived column, every file. */
async function contentOf(instance: CommandInstance): Promise<unknown> {
  const { stdout } = await instance.run(['tree', '--json', '--text'])
  return { tree: stdout, rows: await archivedRows(instance), media: await listMedia(instance) }
}

// With the clock fixed, the same instance gives the same bytes.
const environment = { SOURCE_DATE_EPOCH: '1795525432' }

async function sha256OfBackup(instance: CommandInstance): Promise<string> {
  const { exitCode, stdoutBytes, stderr } = await instance.run(['backup', '-', '--no-verify'], { environment })
  expect(exitCode, stderr).toBe(0)
  return createHash('sha256').update(stdoutBytes).digest('hex')
}

// A gigabyte: restored into one database, and not written again only to compare two archives.
const huge = 'hostile-gzip-bomb.tar.gz'

interface RoundTrip {
  readonly original: unknown
  readonly copies: readonly unknown[]
}

interface Source {
  readonly name: string
  fill(instance: CommandInstance): Promise<unknown>
}

/** Fills an instance, backs it up, restores that into each kind of database, and holds every archive to the checkers. */
async function roundTrip(source: Source, from: TestDatabases, into: readonly TestDatabases[]): Promise<RoundTrip> {
  await using original = await createCommandInstance(from)
  await source.fill(original)
  const archive = join(scratch, `${source.name}-${from.name}`)
  try {
    await original.report(['backup', archive], { environment })
    expect((await stat(archive)).mode & 0o777).toBe(0o600)
    if (source.name !== huge) {
      await expectSoundArchive(archive)
      expect(await sha256OfBackup(original)).toBe(await sha256OfFile(archive))
    }
    const copies: unknown[] = []
    for (const kind of into) {
      await using copy = await createCommandInstance(kind)
      await copy.report(['restore', archive])
      copies.push(await contentOf(copy))
      await copy.report(['check'])
      await takeIdOf(copy, original)
      if (source.name !== huge) expect(await sha256OfBackup(copy)).toBe(await sha256OfFile(archive))
    }
    return { original: await contentOf(original), copies }
  } finally {
    await rm(archive, { force: true })
  }
}

const sources: readonly Source[] = [
  { name: 'an instance of awkward names', fill: fillAwkward },
  ...samples
    .filter(({ must }) => must !== 'refuse')
    .map(({ name, path }) => ({ name, fill: (instance: CommandInstance) => instance.report(['restore', path]) })),
]

describe.each(databases)('backup and restore from $name into both databases gives all of', (from) => {
  test.each(sources.filter(({ name }) => name !== huge || from.name === 'SQLite'))('$name', async (source) => {
    const into = source.name === huge ? databases.filter(({ name }) => name === from.name) : databases
    const { original, copies } = await roundTrip(source, from, into)
    expect(copies).toEqual(into.map(() => original))
  })
})
