import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { DrillReport, DrillState } from '../../contract/drill-report.ts'
import { makeFolders, onFile, replaceFile } from '../../std/files.ts'
import { drillsFolder, drillStateFile } from '../data-directory.ts'

/** How many drills leave their reports. */
const reportsKept = 20

const archiveSchema = z.object({
  path: z.string(),
  name: z.string(),
  bytes: z.number(),
  sha256: z.string().nullable(),
  writer: z.string().nullable(),
  created: z.string().nullable(),
})

const stateSchema = z.object({
  strongroom: z.literal('drill'),
  format: z.literal(1),
  at: z.string(),
  outcome: z.enum(['proved', 'proved_with_findings', 'archive_damaged', 'not_restored', 'failed']),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  findings: z.record(z.string(), z.number()),
  archive: archiveSchema.nullable(),
  instance: z.string(),
  restoreSeconds: z.number().nullable(),
  restoredBytes: z.number().nullable(),
  lastProved: z.object({ at: z.string(), archive: archiveSchema }).nullable(),
})

/** What the last drill of an instance found; undefined where there was none, or its file tells nothing. */
export async function readDrillState(dataDirectory: string): Promise<DrillState | undefined> {
  try {
    return stateSchema.safeParse(JSON.parse(await readFile(drillStateFile(dataDirectory), 'utf8'))).data
  } catch {
    return undefined
  }
}

export const isProved = ({ outcome }: Pick<DrillReport, 'outcome'>): boolean =>
  outcome === 'proved' || outcome === 'proved_with_findings'

/** Notes what a drill found where `check` and others look for it. */
export async function saveDrillState(dataDirectory: string, instance: string, report: DrillReport): Promise<void> {
  const { at, outcome, error, archive, restore } = report
  const before = await readDrillState(dataDirectory)
  const proved = isProved(report) && archive !== null ? { at, archive } : (before?.lastProved ?? null)
  const state: DrillState = {
    strongroom: 'drill',
    format: 1,
    at,
    outcome,
    error,
    findings: report.leftOut.byCode,
    archive,
    instance,
    restoreSeconds: restore?.seconds ?? null,
    restoredBytes: restore?.bytes ?? null,
    lastProved: proved,
  }
  await replaceFile(drillStateFile(dataDirectory), `${JSON.stringify(state, null, 2)}\n`)
}

/** Where the reports of a drill of this moment lie in the data directory, for people and for programs. */
export function reportFiles(dataDirectory: string, at: string): readonly [text: string, json: string] {
  const name = `drill-${at.slice(0, 19).replace(/[-:]/g, '')}Z`
  return [join(drillsFolder(dataDirectory), `${name}.txt`), join(drillsFolder(dataDirectory), `${name}.json`)]
}

const kept = /^drill-\d{8}T\d{6}Z\.(?:txt|json)$/
const unfinished = /^drill-.*\.[0-9a-f-]{36}\.tmp$/

/** Writes a report to each of its files: as JSON where the name ends so, else as a text. Of those in `drills/` the last stay. */
export async function saveReports(
  report: DrillReport,
  render: (report: DrillReport) => string,
  dataDirectory: string | undefined,
): Promise<void> {
  const folder = dataDirectory === undefined ? undefined : drillsFolder(dataDirectory)
  if (folder !== undefined) await onFile(folder, 'made', () => makeFolders(folder, 0o700))
  for (const file of report.files)
    await replaceFile(file, file.endsWith('.json') ? `${JSON.stringify(report, null, 2)}\n` : render(report))
  if (folder === undefined) return
  const names = await onFile(folder, 'read', () => readdir(folder))
  const old = names
    .filter((name) => kept.test(name))
    .toSorted()
    .slice(0, -2 * reportsKept)
  // No report is being written for longer than it takes to write the next.
  for (const name of [...old, ...names.filter((each) => unfinished.test(each))])
    await onFile(folder, 'emptied', () => rm(join(folder, name), { force: true }))
}
