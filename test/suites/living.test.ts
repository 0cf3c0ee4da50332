import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createChance } from '../support/chance.ts'
import { createCommandInstance } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { clientsGone, createWorker } from '../support/processes.ts'
import type { Tree } from '../support/tree-report.ts'

/**
 * People go on working while backups run, and some of their processes die. Each command runs in a process of its own; what
 * ended with 0 was acknowledged, and what was killed may have happened or not.
 */
const seed = Number(process.env['STRONGROOM_LIVING_SEED'] ?? Math.floor(Math.random() * 1e9))
const milliseconds = 1000 * Number(process.env['STRONGROOM_LIVING_SECONDS'] ?? 15)
const archivesRestored = 5

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-living-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

/** What has been acknowledged, and what was tried. */
interface Known {
  /** Numbers of pairs that were imported, and of those that somebody meant to remove. */
  readonly imported: Set<number>
  readonly leaving: Set<number>
  readonly removed: Set<number>
  readonly folders: Set<string>
  /** Titles of folders that were tagged. */
  readonly tagged: Set<string>
  /** What was acknowledged as each archive was begun. */
  readonly archives: Map<string, { readonly pairs: readonly number[]; readonly folders: readonly string[] }>
  killed: number
  done: number
}

/** Starts what people do, until the time is over; resolves to what is wrong with how it ended. */
async function live(instance: CommandInstance, known: Known, folder: string): Promise<string[]> {
  const chance = createChance(seed)
  const wrong: string[] = []
  const until = Date.now() + milliseconds
  const as = ['--user', 'ada']

  /**
   * Goes on with `act` in a process of its own. What `act` is given runs a command and is true where it was acknowledged;
   * one in four is killed somewhere in the time that it takes.
   */
  async function goOn(
    act: (attempt: (...args: string[]) => Promise<boolean>, count: number) => Promise<void>,
  ): Promise<void> {
    await using worker = createWorker(instance)
    const usual = new Map<string, number>()
    const attempt = async (...args: string[]): Promise<boolean> => {
      const [name = ''] = args
      const expected = usual.get(name)
      const started = performance.now()
      const killAfter = expected !== undefined && chance.once(4) ? (expected * chance.below(120)) / 100 : undefined
      const answer = await worker.run(args, killAfter)
      if (answer === undefined) {
        known.killed += 1
        return false
      }
      usual.set(name, performance.now() - started)
      known.done += 1
      // A move may find that the one before, which was killed, has happened.
      if (answer.exitCode !== 0 && !(name === 'mv' && answer.exitCode === 6)) {
        wrong.push(`${args.join(' ')} ended with ${answer.exitCode}: ${answer.stdout}${answer.stderr}`)
      }
      if (name === 'tree' && answer.exitCode === 0) wrong.push(...problemsOf(JSON.parse(answer.stdout) as Tree))
      return answer.exitCode === 0
    }
    for (let count = 0; Date.now() < until && wrong.length === 0; count += 1) await act(attempt, count)
  }

  await Promise.all([
    goOn(async (attempt, count) => {
      const files = ['a', 'b'].map((half) => join(folder, `pair-${count}-${half}.txt`))
      for (const file of files) await writeFile(file, `content of ${file.slice(-20)}`.repeat(50))
      if (await attempt('import', ...files, ...as)) known.imported.add(count)
      if (count % 3 !== 2 || !known.imported.has(count - 1)) return
      known.leaving.add(count - 1)
      const halves = ['a', 'b'].map((half) => `.inbox/pair-${count - 1}-${half}.txt`)
      if (await attempt('rm', ...halves, ...as)) known.removed.add(count - 1)
    }),
    goOn(async (attempt, count) => {
      const [from, to] = count % 2 === 0 ? ['left', 'right'] : ['right', 'left']
      await attempt('mv', `${from}/wanderer`, `${to}/wanderer`, ...as)
    }),
    goOn(async (attempt, count) => {
      const name = `made-${count}`
      if (!(await attempt('mkdir', `.home/${name}`, ...as))) return
      known.folders.add(name)
      if (await attempt('tag', 'add', `.home/${name}`, 'made', ...as)) known.tagged.add(name)
    }),
    goOn(async (attempt, count) => void (await attempt(count % 2 === 0 ? 'tree' : 'check'))),
    goOn(async (attempt, count) => {
      const archive = join(folder, `living-${count}.tar.gz`)
      known.archives.set(archive, { pairs: [...known.imported], folders: [...known.folders] })
      if ((await attempt('backup', archive)) && count % 2 === 1) await attempt('verify', archive)
    }),
  ])
  return wrong
}

/** The pairs that are there: their halves by their numbers. */
function pairsIn(tree: Tree): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  for (const { title, versions, type } of tree.users[0]!.nodes) {
    const [, number, half] = /^pair-(\d+)-([ab])\.txt$/.exec(title) ?? []
    if (type !== 'document' || number === undefined || versions.length !== 1) continue
    found.set(Number(number), (found.get(Number(number)) ?? '') + half)
  }
  return found
}

/** What can be true at no moment. */
function problemsOf(tree: Tree): string[] {
  const wanderers = tree.users[0]!.nodes.filter(({ title }) => title === 'wanderer').map(({ path }) => path.join('/'))
  return [
    ...[...pairsIn(tree)].filter(([, halves]) => halves !== 'ab').map(([pair]) => `half of the pair ${pair} is there`),
    ...(wanderers.length === 1 ? [] : [`the wanderer is in ${wanderers.length} places: ${wanderers.join(', ')}`]),
  ]
}

const treeOf = async (instance: CommandInstance): Promise<Tree> => instance.report<Tree>(['tree'])

describe.each(databases)('on $name', (kind) => {
  test('whatever goes on and dies meanwhile, nothing acknowledged is lost, and each archive is one moment', async () => {
    console.info(`${kind.name}: STRONGROOM_LIVING_SEED=${seed}`)
    const folder = join(scratch, kind.name)
    await mkdir(folder)
    await using instance = await createCommandInstance(kind)
    await instance.report(['user', 'add', 'ada'], { stdin: 'a long secret\n' })
    for (const name of ['left', 'right']) await instance.report(['mkdir', `.home/${name}`, '--user', 'ada'])
    await writeFile(join(folder, 'wanderer'), 'goes to and fro')
    await instance.report(['import', join(folder, 'wanderer'), '--into', 'left', '--user', 'ada'])
    const known: Known = {
      ...{ imported: new Set(), leaving: new Set(), removed: new Set(), folders: new Set(), tagged: new Set() },
      ...{ archives: new Map(), killed: 0, done: 0 },
    }
    expect(await live(instance, known, folder)).toEqual([])
    expect(known.killed).toBeGreaterThan(0)
    await clientsGone(instance.url)
    await instance.report(['check'])

    const tree = await treeOf(instance)
    expect(problemsOf(tree)).toEqual([])
    const pairs = pairsIn(tree)
    expect([...known.imported].filter((pair) => !pairs.has(pair) && !known.leaving.has(pair))).toEqual([])
    expect([...known.removed].filter((pair) => pairs.has(pair))).toEqual([])
    const titles = new Map(tree.users[0]!.nodes.map(({ title, tags }) => [title, tags]))
    expect([...known.folders].filter((name) => !titles.has(name))).toEqual([])
    expect([...known.tagged].filter((name) => titles.get(name)?.includes('made') !== true)).toEqual([])

    const archives = [...known.archives].filter(([path]) => existsSync(path))
    expect(archives.length).toBeGreaterThan(0)
    for (const [path] of archives) await instance.report(['verify', path])
    const step = Math.ceil(archives.length / archivesRestored)
    for (const [path, then] of archives.filter((_, index) => index % step === 0)) {
      await using copy = await createCommandInstance(kind)
      await copy.report(['restore', path])
      await copy.report(['check'])
      const moment = await treeOf(copy)
      expect(problemsOf(moment)).toEqual([])
      const held = pairsIn(moment)
      expect(then.pairs.filter((pair) => !held.has(pair) && !known.leaving.has(pair))).toEqual([])
      const made = new Set(moment.users[0]!.nodes.map(({ title }) => title))
      expect(then.folders.filter((name) => !made.has(name))).toEqual([])
    }
    // The next backup clears up what the killed ones left.
    await instance.report(['backup', join(folder, 'last.tar.gz')])
    expect((await readdir(folder)).filter((name) => name.startsWith('.') || name.includes('partial'))).toEqual([])
    console.info(`${kind.name}: ${known.done} done, ${known.killed} killed, ${archives.length} archives`)
  })
})
