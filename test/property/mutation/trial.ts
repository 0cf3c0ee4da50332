import { cp, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { runCommand } from '../../support/command-line.ts'
import type { CommandResult } from '../../support/command-line.ts'
import type { BaseArchive } from './base-archives.ts'
import type { Mutant } from './mutate.ts'

/** An instance in which archives are tried; what a restore made of it goes before the next one. */
export interface Target {
  readonly dataDirectory: string
  /** Undefined for SQLite. */
  readonly url: string | undefined
  /** Makes it as it was in the beginning. */
  reset(): Promise<void>
  /** Where it is the same as after the reset, nothing was written to the database since; it may change without need. */
  moment(): unknown
}

/** Around the instance lie files that nobody may touch. */
export interface Surroundings {
  readonly root: string
  readonly outside: string
}

export async function makeSurroundings(root: string): Promise<Surroundings> {
  const outside = join(root, 'outside')
  await mkdir(outside)
  await writeFile(join(outside, 'untouched'), 'untouched')
  return { root, outside }
}

async function listing(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const lines = await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      const { mode, size, mtimeMs } = await lstat(path)
      return `${path.slice(folder.length)} ${mode} ${entry.isDirectory() ? '' : `${size} ${mtimeMs}`}`
    }),
  )
  return lines.toSorted().join('\n')
}

interface Report {
  readonly sound?: boolean
  readonly warnings?: { readonly byCode: Readonly<Record<string, number>> }
  readonly leftOut?: { readonly total: number; readonly byCode: Readonly<Record<string, number>> }
  readonly error?: { readonly code: string; readonly message: string }
}

/** What came of the trials so far. */
export interface Outcome {
  tried: number
  sound: number
  refused: number
  conflicts: number
}

/**
 * Tries archives on an instance: `verify` and `restore` must agree, fail only as they say they do, change nothing behind an
 * error, and leave whole instances that can be backed up.
 */
export async function createTrial(target: Target, { root, outside }: Surroundings, outcome: Outcome) {
  const base = ['--data', target.dataDirectory, ...(target.url === undefined ? [] : ['--database', target.url])]
  const archive = join(root, 'mutant.tar.gz')
  const strongroom = (...args: string[]): Promise<CommandResult> =>
    runCommand([...base, '--json', '--debug', ...args], { workingDirectory: outside })
  const rows = async (): Promise<string> =>
    (await strongroom('tree', '--text')).stdout + (await strongroom('user', 'list')).stdout
  const media = (): Promise<string> => listing(join(target.dataDirectory, 'media'))
  await target.reset()
  const before = { rows: await rows(), media: await media() }
  let moment = target.moment()
  const around = await listing(outside)
  const names = await readdir(root)

  /** Restores with these options. Resolves to what is wrong, nothing if all is right. */
  return async function attempt(mutant: Mutant, thorough: boolean, options: readonly string[] = []): Promise<string[]> {
    const keepsGoing = options.includes('--keep-going')
    const hasChoice = options.includes('--on-conflict') || options.includes('--replace')
    const wrong: string[] = []
    await writeFile(archive, mutant.bytes)
    const verified = await strongroom('verify', archive)
    const restored = await strongroom('restore', archive, ...options)
    const proof = reportOf(verified, 'verify', wrong)
    const report = reportOf(restored, 'restore', wrong)
    const codes = [verified.exitCode, restored.exitCode]
    const say = (problem: string): void =>
      void wrong.push(
        `${['restore', ...options].join(' ')}: ${problem}\n  verify ${short(proof)}\n  restore ${short(report)}\n${verified.stderr}${restored.stderr}`,
      )
    if (![0, 4].includes(verified.exitCode)) say(`verify ended with ${verified.exitCode}`)
    if (![0, 4, ...(keepsGoing ? [3] : []), ...(hasChoice ? [] : [5])].includes(restored.exitCode))
      say(`restore ended with ${restored.exitCode}`)
    if (verified.exitCode === 0 && proof.sound !== true) say('verify ended with 0 and does not say sound')
    if (codes.join() === '0,3') say('verify says sound, and restore leaves something out')
    if (codes.join() === '0,4') say('verify says sound, and restore refuses')
    if (codes.join() === '4,0') say('verify says not sound, and restore takes it')
    const left = await readdir(join(target.dataDirectory, 'tmp'))
    if (left.length > 0) say(`left in tmp: ${left.join(', ')}`)
    outcome.tried += 1
    if (restored.exitCode === 0 || restored.exitCode === 3) {
      outcome.sound += 1
      await examine(report, thorough, say)
      await target.reset()
      moment = target.moment()
    } else {
      outcome[restored.exitCode === 5 ? 'conflicts' : 'refused'] += 1
      const now = target.moment()
      if (now !== moment && (await rows()) !== before.rows) say('the rows changed behind an error')
      if ((await media()) !== before.media) say('the media changed behind an error')
      if (wrong.length > 0) await target.reset()
      moment = target.moment()
    }
    if ((await listing(outside)) !== around) say('something outside was changed')
    const strangers = (await readdir(root)).filter((name) => !names.includes(name) && name !== 'mutant.tar.gz')
    if (strangers.length > 0) say(`written outside: ${strangers.join(', ')}`)
    return wrong
  }

  async function examine(report: Report, thorough: boolean, say: (problem: string) => void): Promise<void> {
    const check = await strongroom('check')
    const found = reportOf(check, 'check', [])
    // An archive may declare that a file was changed before; it is so still.
    const declared = Object.keys(report.warnings?.byCode ?? {}).some((code) => /^(version|sidecar)\./.test(code))
    const findings = Object.keys(found.leftOut?.byCode ?? {})
    const onlyDeclared = check.exitCode === 3 && declared && findings.every((code) => code === 'check.changed')
    if (check.exitCode !== 0 && !onlyDeclared) say(`check ended with ${check.exitCode}: ${short(found)}`)
    if (!thorough) return
    const again = join(root, 'again.tar.gz')
    const backup = await strongroom('backup', again, '--overwrite')
    // What --keep-going left out is known as lost, and a backup names it again.
    const leftOut = Object.keys(reportOf(backup, 'backup', []).leftOut?.byCode ?? {})
    const onlyLost =
      (report.leftOut?.total ?? 0) > 0 && leftOut.length > 0 && leftOut.every((code) => code.endsWith('.missing'))
    if (backup.exitCode !== 0 && !(backup.exitCode === 3 && (declared || onlyLost))) {
      say(`its backup ended with ${backup.exitCode}: ${short(reportOf(backup, 'backup', []))} ${backup.stderr}`)
    }
    await rm(again, { force: true })
  }
}

function reportOf(result: CommandResult, command: string, wrong: string[]): Report {
  try {
    return JSON.parse(result.stdout) as Report
  } catch {
    wrong.push(`${command} printed no report but ${JSON.stringify(result.stdout.slice(0, 500))}`)
    return {}
  }
}

const short = (report: Report): string => JSON.stringify(report.error ?? report).slice(0, 1500)

type Run = (args: readonly string[]) => Promise<void>

/** One user. */
export const fillEmpty = (run: Run): Promise<void> => run(['user', 'add', 'keeper', '--superuser'])

/** What the mutants come from, changed since: nearly everything in them is then there already, the same or another. */
export const fillLiving =
  (root: string, bases: readonly BaseArchive[]) =>
  async (run: Run): Promise<void> => {
    await fillEmpty(run)
    const path = join(root, 'living.tar.gz')
    for (const name of ['little, symbolic links', 'Papermerge 2', 'Papermerge 3']) {
      await writeFile(path, bases.find((base) => base.name === name)!.bytes)
      await run(['restore', path, '--on-conflict', 'skip'])
    }
    await rm(path)
    const user = ['--user', 'ada lovelace']
    await run(['mv', '.inbox/never', '.inbox/meanwhile', ...user])
    await run(['mv', '.inbox/empty', '.inbox/never', ...user])
    await run(['mv', '.inbox/meanwhile', '.inbox/empty', ...user])
    await run(['tag', 'add', '.home/and\\/or/é/what?.pdf', 'since', ...user])
    await run(['mkdir', '.home/new', ...user])
    await run(['rm', '.home/lost', '--user', 'docs'])
  }

/** A SQLite instance that is reset by a copy of the first one. */
export async function createSqliteTarget(
  root: string,
  name = 'data',
  fill: (run: Run) => Promise<void> = fillEmpty,
): Promise<Target & AsyncDisposable> {
  const dataDirectory = join(root, name)
  const template = join(root, `${name}-template`)
  const run: Run = async (args) => {
    const { exitCode, stderr } = await runCommand(['--data', dataDirectory, ...args], { stdin: 'a long secret\n' })
    if (exitCode !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  }
  await run(['migrate'])
  await fill(run)
  await cp(dataDirectory, template, { recursive: true, preserveTimestamps: true })
  let watcher: DatabaseSync | undefined
  return {
    dataDirectory,
    url: undefined,
    async reset() {
      watcher?.close()
      await rm(dataDirectory, { recursive: true, force: true })
      await cp(template, dataDirectory, { recursive: true, preserveTimestamps: true })
      watcher = new DatabaseSync(join(dataDirectory, 'strongroom.db'), { readOnly: true })
    },
    moment: () => watcher?.prepare('pragma data_version').get()?.['data_version'],
    async [Symbol.asyncDispose]() {
      watcher?.close()
    },
  }
}
