import { createHash } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { layOut, losses, stateAfter, type Loss } from './lost-power.ts'
import { operations, type Operation } from './operations.ts'
import { record, type Recording } from './recorder.ts'
import { archivesOf, contentsOf, newFolder, stageIn, type Contents, type Stage } from './stages.ts'
import { tally, wanted } from './tries.ts'

/** How many prefixes of a record are tried in a usual run, besides those around a commit. */
const limit = 16
const seed = Number(process.env.STRONGROOM_FAULTS_SEED ?? 1)

const hits = tally(`Power cuts (seed ${seed})`)
afterAll(() => hits.print())

interface Recorded {
  readonly recording: Recording
  /** The archives at the end, by name and hash. */
  readonly archives: ReadonlyMap<string, string>
}

async function recordOf(operation: Operation): Promise<Recorded> {
  await using stage = await operation.prepare('sqlite')
  const database = join(stage.data, 'strongroom.db')
  const recording = await record(stage.folder, database, async () => void (await stage.done(operation.args(stage))))
  return { recording, archives: await hashesOf(stage) }
}

async function hashesOf(stage: Stage): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>()
  for (const path of await archivesOf(stage))
    hashes.set(
      path,
      createHash('sha256')
        .update(await readFile(join(stage.folder, path)))
        .digest('hex'),
    )
  return hashes
}

/** Opens the instance as the power cut left it. */
async function opened<T>(
  recorded: Recorded,
  count: number,
  loss: Loss,
  look: (stage: Stage) => Promise<T>,
): Promise<T> {
  const folder = await newFolder()
  try {
    await layOut(stateAfter(recorded.recording, count, loss, seed), folder)
    for (const name of ['out', 'source']) await mkdir(join(folder, name), { recursive: true })
    return await look(stageIn(folder, undefined))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface AtCommit {
  readonly contents: Contents | undefined
  readonly archives: readonly string[]
}

/** What the instance holds once each commit has returned; the first is what it held before. */
async function statesAtCommits(recorded: Recorded): Promise<AtCommit[]> {
  const look = async (stage: Stage): Promise<AtCommit> => ({
    archives: await archivesOf(stage),
    contents: await contentsOf(stage),
  })
  const found = [await opened(recorded, 0, 'nothing', look)]
  for (const [index, { kind }] of recorded.recording.events.entries())
    if (kind === 'commit') found.push(await opened(recorded, index + 1, 'nothing', look))
  return found
}

/** All prefixes, or the ends, those on both sides of a commit, and some between. */
function prefixes({ events }: Recording): readonly number[] {
  const all = Array.from({ length: events.length + 1 }, (_, index) => index)
  if (process.env.STRONGROOM_FAULTS === 'all') return all
  const chosen = new Set([0, events.length])
  for (const [index, { kind }] of events.entries()) if (kind === 'commit') chosen.add(index).add(index + 1)
  for (let part = 0; part < limit; part += 1) chosen.add(Math.floor(((part + 0.5) * all.length) / limit))
  return all.filter((count) => chosen.has(count))
}

async function assertHolds(recorded: Recorded, atCommits: readonly AtCommit[], count: number, loss: Loss) {
  const { commits } = stateAfter(recorded.recording, count, loss, seed)
  const { contents, archives: kept } = atCommits[commits]!
  await opened(recorded, count, loss, async (stage) => {
    const archives = await hashesOf(stage)
    // What had its final name when a commit returned has it still; what the command said that it wrote, once it had said so.
    expect([...archives.keys()]).toEqual(expect.arrayContaining([...kept]))
    if (count === recorded.recording.events.length) expect([...archives]).toEqual([...recorded.archives])
    expect(await contentsOf(stage)).toEqual(contents)
  })
}

/** Cuts the power after each of these prefixes, in each way; tells where something was not as it must be. */
async function cutPower(operation: Operation, recorded: Recorded, onHit: (count: number, loss: Loss) => void) {
  const atCommits = await statesAtCommits(recorded)
  const seen = new Set<string>()
  const failed: string[] = []
  for (const count of prefixes(recorded.recording)) {
    for (const loss of losses) {
      const { signature } = stateAfter(recorded.recording, count, loss, seed)
      onHit(count, loss)
      const key = `${signature} ${count === recorded.recording.events.length}`
      if (seen.has(key)) continue
      seen.add(key)
      try {
        await assertHolds(recorded, atCommits, count, loss)
      } catch (error) {
        failed.push(`${operation.name}, event ${count}, ${loss}: ${String(error)}`)
      }
    }
  }
  return failed
}

const pairs = wanted(operations).filter(({ kind }) => kind === 'sqlite')

describe.each(pairs)('$operation.name', ({ operation, kind }) => {
  test('loses nothing that was acknowledged when the power goes', { timeout: 3_600_000 }, async () => {
    const recorded = await recordOf(operation)
    const failed = await cutPower(operation, recorded, (ordinal, fault) =>
      hits.add(kind, { operation: operation.name, call: 'power cut', ordinal, fault }),
    )
    expect(failed).toEqual([])
  })
})

const unsynced = pairs.filter(({ operation }) => ['import', 'backup', 'restore'].includes(operation.name))

describe.skipIf(unsynced.length === 0).each(unsynced)('the record of $operation.name', ({ operation }) => {
  test.each(['folders', 'files'])('shows what would be lost without the syncs of %s', async (what) => {
    const recorded = await recordOf(operation)
    const { recording } = recorded
    const events = recording.events.map((event) =>
      event.kind === 'sync' && recording.isFolder(event.inode) === (what === 'folders')
        ? { ...event, since: 0 }
        : event,
    )
    const failed = await cutPower(operation, { ...recorded, recording: { ...recording, events } }, () => undefined)
    expect(failed.length).toBeGreaterThan(0)
  })
})
