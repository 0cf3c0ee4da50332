import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeBases, repack } from './mutation/base-archives.ts'
import type { BaseArchive } from './mutation/base-archives.ts'
import { mutate } from './mutation/mutate.ts'
import { createTrial, createSqliteTarget, fillLiving, makeSurroundings } from './mutation/trial.ts'
import type { Outcome, Surroundings, Target } from './mutation/trial.ts'
import { createPostgresTarget } from './mutation/postgres-target.ts'
import { startWatchdog } from './mutation/watchdog.ts'

/**
 * Valid archives, changed at random at every level, then verified and restored. A run is made of single seeds, each of
 * which makes one mutant; STRONGROOM_FUZZ_SEED names the first. `npm run fuzz` goes on for as long as one likes.
 */
const firstSeed = Number(process.env['STRONGROOM_FUZZ_SEED'] ?? 20_261_124)
const minutes = Number(process.env['STRONGROOM_FUZZ_MINUTES'] ?? 0)
const leastMutants = Number(process.env['STRONGROOM_FUZZ_MUTANTS'] ?? 2000)
/** On SQLite; on PostgreSQL one in so many. */
const postgresShare = 20
const mostWrong = 20
/** What the process may come to hold beyond what it held when the first mutants had been tried. */
const mostMegabytes = 400

let scratch = ''
let surroundings: Surroundings
let bases: readonly BaseArchive[] = []

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-mutants-'))
  surroundings = await makeSurroundings(scratch)
  bases = await makeBases(scratch)
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

/** How they are restored into an instance that holds the like of them already. */
const choices: readonly (readonly string[])[] = [
  [],
  ['--on-conflict', 'overwrite'],
  ['--on-conflict', 'keep-both'],
  ['--on-conflict', 'skip'],
  ['--replace', '--no-restore-point'],
  ['--keep-going', '--on-conflict', 'overwrite'],
  ['--keep-going', '--replace', '--no-restore-point'],
]

interface Tried {
  /** On the empty instance. */
  readonly outcome: Outcome
  /** On the one that lives. */
  readonly living: Outcome
  readonly wrong: readonly string[]
}

/** Each seed on an empty instance; every second one on an instance that lives too, with a choice that the seed names. */
async function tryMany(target: Target, livingTarget: Target, seeds: Iterable<number>): Promise<Tried> {
  await using watchdog = startWatchdog(180)
  const outcome = nothingYet()
  const wrong: string[] = []
  const living = nothingYet()
  const attempt = await createTrial(target, surroundings, outcome)
  const attemptLiving = await createTrial(livingTarget, surroundings, living)
  let held = 0
  for (const seed of seeds) {
    watchdog.tell(`the mutant of seed ${seed}`)
    const mutant = mutate(bases, seed, surroundings)
    const problems = [
      ...(await attempt(mutant, seed % 10 === 0)),
      ...(seed % 2 === 0 ? await attemptLiving(mutant, seed % 10 === 0, choices[(seed / 2) % choices.length]) : []),
    ]
    wrong.push(...problems.map((problem) => `npm run fuzz -- --seed ${seed} --mutants 1\n${mutant.what}: ${problem}`))
    if (wrong.length >= mostWrong) break
    const megabytes = process.memoryUsage().rss / 2 ** 20
    if (outcome.tried === 100) held = megabytes
    if (held > 0 && megabytes > held + mostMegabytes) wrong.push(`seed ${seed}: ${Math.round(megabytes)} MB are held`)
  }
  return { outcome, living, wrong }
}

function* seedsFor(share: number): Generator<number> {
  const until = Date.now() + (minutes * 60_000) / share
  for (let count = 0; count < leastMutants / share || Date.now() < until; count += 1) yield firstSeed + count
}

const nothingYet = (): Outcome => ({ tried: 0, sound: 0, refused: 0, conflicts: 0 })

test('an archive that was only packed again is sound, and is restored', async () => {
  await using target = await createSqliteTarget(scratch, 'packed-again')
  const outcome = nothingYet()
  const attempt = await createTrial(target, surroundings, outcome)
  for (const base of bases) {
    for (const bytes of [base.bytes, repack(base)]) {
      expect(await attempt({ what: base.name, bytes }, true)).toEqual([])
    }
  }
  expect(outcome).toEqual({ ...nothingYet(), tried: 2 * bases.length, sound: 2 * bases.length })
})

describe.each(['SQLite', 'PostgreSQL'])('on %s', (name) => {
  test(
    `no mutant of a valid archive makes verify or restore fail, disagree, hang, or change an instance behind an error`,
    { timeout: (minutes + 30) * 60_000 },
    async () => {
      const share = name === 'SQLite' ? 1 : postgresShare
      const create = name === 'SQLite' ? createSqliteTarget : createPostgresTarget
      await using target = await create(scratch)
      await using livingTarget = await create(scratch, `living-${name}`, fillLiving(scratch, bases))
      const { outcome, living, wrong } = await tryMany(target, livingTarget, seedsFor(share))
      const { tried, sound, refused, conflicts } = outcome
      console.info(
        `${name}: ${tried} mutants from seed ${firstSeed} on (npm run fuzz -- --seed ${firstSeed} for the same); ${sound} restored, ${refused} refused, ${conflicts} in conflict; of ${living.tried} into an instance that lives: ${living.sound}, ${living.refused}, ${living.conflicts}`,
      )
      expect(wrong).toEqual([])
      expect(tried).toBeGreaterThanOrEqual(Math.floor(leastMutants / share))
      // Mutations that nothing lets through would try the outermost layer alone.
      if (tried < 100) return
      expect(sound).toBeGreaterThan(tried / 20)
      expect(refused).toBeGreaterThan(tried / 20)
      expect(living.sound).toBeGreaterThan(living.tried / 20)
    },
  )
})
