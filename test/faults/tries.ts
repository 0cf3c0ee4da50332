import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import type { CommandResult } from '../support/command-line.ts'
import { pointsOf, type CallName, type DatabaseKind, type Point } from './calls.ts'
import { watching } from './hooks.ts'
import { counter, endSessions, injector, type Place } from './injector.ts'
import type { Operation } from './operations.ts'
import { archivesOf, contentsOf, environment, filesFor, type Contents, type Stage } from './stages.ts'

/** An operation that can be tried again and again, and what it begins and ends with. */
export interface Trial extends AsyncDisposable {
  readonly operation: Operation
  readonly kind: DatabaseKind
  readonly calls: ReadonlyMap<CallName, number>
  readonly before: Contents | undefined
  readonly after: Contents | undefined
  points(what: 'failures' | 'kills'): Point[]
  /** A fresh stage, in that folder or where all are. */
  stage(where?: string): Promise<Stage>
}

const placeOf = (stage: Stage): Place => ({ roots: [stage.data, stage.out], url: stage.url })

export async function prepareTrial(operation: Operation, kind: DatabaseKind): Promise<Trial> {
  const template = await operation.prepare(kind)
  await using first = await template.copy()
  const before = await contentsOf(first)
  const { watcher, calls } = counter(placeOf(first))
  await watching(watcher, () => first.done(operation.args(first)))
  const after = await contentsOf(first)
  return {
    operation,
    kind,
    calls,
    before,
    after,
    points: (what) => pointsOf(operation.name, kind, calls, what),
    stage: (where) => template.copy(where),
    [Symbol.asyncDispose]: () => template[Symbol.asyncDispose](),
  }
}

/** What a fault of the system may end a command with: never a fault of the program, nor wrong use. */
export const expectedExits: readonly number[] = [0, 3, 4, 6, 7, 8, 9]

/** Runs the operation in this process with a failure at that point. False where the point was not reached. */
export async function tryFailure(trial: Trial, point: Point): Promise<boolean> {
  await using stage = await trial.stage()
  const { watcher, hit } = injector(placeOf(stage), point)
  const result = await watching(watcher, () => stage.run(['--json', ...trial.operation.args(stage)]))
  expect(expectedExits, `exit code ${result.exitCode}: ${result.stdout}${result.stderr}`).toContain(result.exitCode)
  await assertSound(trial, stage, result)
  return hit()
}

const root = resolve(import.meta.dirname, '../..')
/** What Node makes of the program's files once, so that each of many processes starts sooner. */
const compileCache = join(tmpdir(), 'strongroom-faults-compiled')

/** Runs the operation in a process of its own, by a program before Node's and options of Node, if any. */
export async function runAlone(
  stage: Stage,
  args: readonly string[],
  extra: {
    readonly before?: readonly string[]
    readonly options?: readonly string[]
    readonly environment?: Readonly<Record<string, string>>
  } = {},
): Promise<{ readonly signal: string | null; readonly exitCode: number | null; readonly output: string }> {
  const words = ['--data', stage.data, ...(stage.url === undefined ? [] : ['--database', stage.url])]
  const [program = '', ...rest] = [
    ...(extra.before ?? []),
    process.execPath,
    ...(extra.options ?? []),
    join(root, 'src/main.ts'),
    ...words,
    '--json',
    ...args,
  ]
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: compileCache, ...environment, ...extra.environment },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { exitCode, signal, output }
}

/** Runs the operation in a process of its own that ends at that point. False where the point was not reached. */
export async function tryKill(trial: Trial, point: Point): Promise<boolean> {
  await using stage = await trial.stage()
  const { signal, exitCode, output } = await runAlone(stage, trial.operation.args(stage), {
    options: ['--import', join(import.meta.dirname, 'preload.ts')],
    environment: { STRONGROOM_FAULT: JSON.stringify({ place: placeOf(stage), point }) },
  })
  if (signal !== 'SIGKILL') expect(exitCode, output).toBe(0)
  // The locks of a dead process are free when the server has noticed.
  if (stage.url !== undefined) await endSessions(stage.url)
  await assertSound(trial, stage)
  return signal === 'SIGKILL'
}

/**
 * What must be so whatever happened: archives under their final names are whole, the instance is as before or as after (as
 * after where the command said that it was done), and the operation done again ends as if nothing had happened.
 */
export async function assertSound(trial: Trial, stage: Stage, result?: Pick<CommandResult, 'exitCode'>): Promise<void> {
  const { operation, before, after } = trial
  const archives = await archivesOf(stage)
  const contents = await contentsOf(stage)
  const found = JSON.stringify(contents)
  if (result?.exitCode === 0) expect(contents).toEqual(after)
  else if (operation.whole) {
    if (found !== JSON.stringify(before)) expect(contents).toEqual(after)
  } else {
    for (const line of before ?? []) expect(contents).toContain(line)
    for (const line of contents ?? []) expect(after).toContain(line)
  }
  const again = await stage.run(['--json', ...operation.args(stage)])
  const isAfter = found === JSON.stringify(after)
  expect(isAfter ? operation.again : [0], `again: ${again.stdout}${again.stderr}`).toContain(again.exitCode)
  expect(await contentsOf(stage)).toEqual(after)
  expect((await archivesOf(stage)).length).toBeGreaterThanOrEqual(archives.length)
  // What a process that died had begun.
  expect(await filesFor(stage, (name) => /\.(?:partial|tmp)$|^(?:spool|scratch|archive)-/.test(name))).toEqual([])
}

/** A point at which something was not as it must be, for the list at the end. */
export const describeFailure = ({ operation, call, ordinal, fault }: Point, error: unknown): string =>
  `${operation}, ${call} ${ordinal}, ${fault}: ${error instanceof Error ? error.message : String(error)}`

/** Counts the points that were hit; the last line that it prints says how many. */
export function tally(what: string) {
  const hit = new Set<string>()
  const counts = new Map<DatabaseKind, number>()
  const groups = new Map<string, number>()
  return {
    count: (database: DatabaseKind): number => counts.get(database) ?? 0,
    add(
      database: DatabaseKind,
      point: { operation: string; call: string; ordinal: number | string; fault: string },
    ): void {
      const name = JSON.stringify([database, point.operation, point.call, point.ordinal, point.fault])
      if (hit.has(name)) return
      hit.add(name)
      counts.set(database, (counts.get(database) ?? 0) + 1)
      const group = JSON.stringify([database, point.operation, point.call, point.fault])
      groups.set(group, (groups.get(group) ?? 0) + 1)
    },
    print(): void {
      const shown = [...counts].map(([database, count]) => `${count} on ${database}`).join(', ')
      console.log(`${what}: ${hit.size} distinct points hit (${shown})`)
      const table = process.env.STRONGROOM_FAULTS_TABLE
      if (table === undefined) return
      for (const [group, count] of groups)
        appendFileSync(table, `${JSON.stringify([...(JSON.parse(group) as string[]), count])}\n`)
    },
  }
}

const only = (name: string): string | undefined => process.env[`STRONGROOM_FAULTS_${name}`]

/** Whether no part of it all was asked for. */
export const isWhole = only('DATABASE') === undefined && only('OPERATION') === undefined

/** Every operation on both databases, or what `npm run faults` was asked for. */
export function wanted(all: readonly Operation[]): readonly { operation: Operation; kind: DatabaseKind }[] {
  return (['sqlite', 'postgres'] as const)
    .filter((kind) => (only('DATABASE') ?? kind) === kind)
    .flatMap((kind) => all.map((operation) => ({ operation, kind })))
    .filter(({ operation }) => (only('OPERATION') ?? operation.name) === operation.name)
}
