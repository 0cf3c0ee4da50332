import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, vi } from 'vitest'
import type { DrillReport, DrillState } from '../../src/contract/drill-report.ts'
import { fixedClock } from '../../src/std/clock.ts'
import { createCommandInstance, type CommandInstance } from './command-instances.ts'
import type { CommandOptions, CommandResult } from './command-line.ts'
import { databases, type TestDatabases } from './databases.ts'
import { fillSmall, temporaryFolder, type SmallInstance } from './small-instance.ts'

/** For a command that is to run at that moment. */
export const at = (moment: string): CommandOptions => ({ overrides: { clock: fixedClock(new Date(moment)) } })
/** When the archive of a drill is made: later than anything in the instance; and when the drill is. */
export const madeAt = at('2026-11-25T02:15:00Z')
export const later = at('2026-11-26T09:00:00Z')
export const archiveName = 'strongroom-20261125T021500Z.tar.gz'

export interface Filled extends AsyncDisposable {
  readonly instance: CommandInstance
  readonly files: SmallInstance
  /** A folder with the archive in it. */
  readonly backups: string
  readonly archive: string
}

interface Drilled extends CommandResult {
  readonly report: DrillReport
  readonly codes: readonly string[]
}

/** The folders of the drills of a test file, and what its tests do with them. */
export function drillPlace() {
  const here = { folder: '', temporary: '' }
  let places = 0
  let owned: Awaited<ReturnType<typeof temporaryFolder>>
  beforeAll(async () => {
    owned = await temporaryFolder()
    here.folder = owned.path
    here.temporary = join(owned.path, 'tmp')
    await mkdir(here.temporary)
    vi.stubEnv('TMPDIR', here.temporary)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await owned[Symbol.asyncDispose]()
  })

  async function createFilled(kind: TestDatabases = databases[0]!): Promise<Filled> {
    const instance = await createCommandInstance(kind)
    const files = await fillSmall(instance)
    const backups = join(here.folder, `backups-${(places += 1)}`)
    await instance.report(['backup', `${backups}/`], madeAt)
    const dispose = () => instance[Symbol.asyncDispose]()
    return { instance, files, backups, archive: join(backups, archiveName), [Symbol.asyncDispose]: dispose }
  }

  const drillFolders = async (): Promise<readonly string[]> =>
    (await readdir(here.temporary)).filter((name) => name.startsWith('strongroom-drill-'))

  async function expectNothingLeft(instance: CommandInstance): Promise<void> {
    expect(await drillFolders()).toEqual([])
    expect(await schemasOf(instance)).toBe(0)
  }

  return { here, createFilled, drillFolders, expectNothingLeft }
}

export async function drill(instance: CommandInstance, ...args: readonly string[]): Promise<Drilled> {
  const result = await instance.run(['drill', '--json', ...args], later)
  const report = JSON.parse(result.stdout) as DrillReport
  return { ...result, report, codes: Object.keys(report.leftOut?.byCode ?? {}) }
}

export async function stateOf({ dataDirectory }: CommandInstance): Promise<DrillState> {
  return JSON.parse(await readFile(join(dataDirectory, 'drill.json'), 'utf8')) as DrillState
}

/** The schemas of drills that are there. */
async function schemasOf({ url }: CommandInstance): Promise<number> {
  if (url === undefined) return 0
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rowCount } = await client.query("select 1 from pg_namespace where nspname like 'strongroom_drill%'")
  await client.end()
  return rowCount ?? 0
}
