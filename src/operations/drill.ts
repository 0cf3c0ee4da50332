import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { ArchiveSource } from '../archive/open-archive.ts'
import type { CompareReport } from '../contract/compare-report.ts'
import type { DrilledArchive, DrillOutcome, DrillReport } from '../contract/drill-report.ts'
import { createNotices, type NoticeCollector } from '../contract/notices.ts'
import type { Notice, OnProgress } from '../contract/reports.ts'
import { StrongroomError } from '../errors.ts'
import type { Clock } from '../std/clock.ts'
import type { AgeKeySource } from '../std/age/keys.ts'
import { onFile } from '../std/files.ts'
import type { Ids } from '../std/ids.ts'
import { createBackup, type BackupParts } from './backup.ts'
import { freeBytes } from './backup/target.ts'
import { createCheck } from './check.ts'
import { compareContents } from './compare.ts'
import { openArchiveContents, type ArchiveContents } from './contents/archive-contents.ts'
import { openInstanceContents } from './contents/instance-contents.ts'
import { momentInName, newestArchive } from './drill/choose-archive.ts'
import { examine } from './drill/examine.ts'
import { openScratchInstance, restoreInto } from './drill/restored.ts'
import { openScratchPlace, type ScratchPlace } from './drill/scratch-place.ts'
import { readDrillState, reportFiles, saveDrillState, saveReports } from './drill/state.ts'
import { createFacts, describeProof } from './drill/proof-text.ts'
import { strictFindings } from './staging/findings.ts'
import { originOf } from './staging/writer-of.ts'

/** The instance that the archive is held against. */
type Living = BackupParts & { readonly dataDirectory: string }

export interface DrillParts {
  readonly living: Living | undefined
  readonly clock: Clock
  readonly ids: Ids
  /** For the scratch instance. */
  readonly temporaryDirectory: string
  /** Of the living instance, where it is on PostgreSQL. */
  readonly postgresUrl: string | undefined
}

export interface DrillInput {
  /** Asked for what opens an encrypted archive. */
  readonly keys?: AgeKeySource
  /** An archive, */
  readonly archive?: string
  /** or a folder whose newest one is taken; without either, a backup is made for the drill. */
  readonly from?: string
  /** Where the report goes besides the data directory. */
  readonly reportFile?: string
  /** The report as a text for people. */
  readonly render: (report: DrillReport) => string
}

/**
 * Restores an archive into a scratch instance, checks that, holds it against the archive, and the archive against the living
 * instance, which it only reads. Writes a report, and for the living instance `drill.json`. A damaged archive is a result,
 * not an error. Throws `drill.no_archive`, `file.…`, `database.…`, `instance.closed_to_writers`; that is written down too.
 */
export function createDrill(parts: DrillParts) {
  const { living, clock } = parts
  return async function drill(input: DrillInput, onProgress: OnProgress, signal?: AbortSignal): Promise<DrillReport> {
    const run = createRun(clock.now(), input, living)
    try {
      await using place = await openScratchPlace(parts.temporaryDirectory)
      await carryOut(parts, input, place, run, onProgress, signal)
    } catch (error) {
      if (!(error instanceof StrongroomError) || error.kind === 'interrupted') throw error
      run.error = { code: error.code, message: error.message }
      run.outcome = error.code.startsWith('archive.') && error.kind !== 'denied' ? 'archive_damaged' : 'failed'
      if (run.outcome === 'failed') {
        // What went wrong first is the one to tell of.
        await keep(run.report(), input, living).catch(() => undefined)
        throw error
      }
    }
    signal?.throwIfAborted()
    const report = run.report()
    await keep(report, input, living)
    return report
  }
}

async function keep(report: DrillReport, input: DrillInput, living: Living | undefined): Promise<void> {
  await saveReports(report, input.render, living?.dataDirectory)
  if (living !== undefined) await saveDrillState(living.dataDirectory, living.instanceId, report)
}

function createRun(at: string, input: DrillInput, living: Living | undefined) {
  const facts = createFacts()
  const warnings = createNotices()
  const findings = createNotices()
  const files = [
    ...(living === undefined ? [] : reportFiles(living.dataDirectory, at)),
    ...(input.reportFile === undefined ? [] : [input.reportFile]),
  ]
  const run = {
    facts,
    warnings,
    findings,
    outcome: undefined as DrillOutcome | undefined,
    archive: null as DrillReport['archive'],
    restore: null as DrillReport['restore'],
    since: null as DrillReport['since'],
    error: null as DrillReport['error'],
    report: (): DrillReport => ({
      operation: 'drill',
      at,
      outcome: run.outcome ?? (findings.count > 0 ? 'proved_with_findings' : 'proved'),
      source: input.archive !== undefined ? 'named' : input.from !== undefined ? 'newest' : 'fresh',
      archive: run.archive,
      instance: living?.instanceId ?? null,
      restore: run.restore,
      since: run.since,
      proved: run.error === null ? facts.proved() : [],
      notProved: facts.notProved(),
      error: run.error,
      files,
      warnings: warnings.collected(),
      leftOut: findings.collected(),
    }),
  }
  return run
}

type Run = ReturnType<typeof createRun>

async function carryOut(
  parts: DrillParts,
  input: DrillInput,
  place: ScratchPlace,
  run: Run,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { living } = parts
  const path = await chooseArchive(parts, input, place, onProgress, signal)
  const { size: bytes } = await onFile(path, 'read', () => stat(path))
  run.archive = { path, name: basename(path), bytes, sha256: null, writer: null, created: null }
  await assertSpace(path, bytes, parts.temporaryDirectory)
  const source = { archive: path, ...(input.keys === undefined ? {} : { keys: input.keys }) }
  await using archived = await openArchiveContents(
    source,
    // It comes to lie there in the clear whatever else does.
    { scratchDirectory: place.path, sealedScratch: place.path },
    strictFindings(run.warnings.add),
    onProgress,
    signal,
  )
  run.archive = { ...run.archive, sha256: await archived.archive.sha256(), ...originOf(archived.staged) }
  await holdAgainstDates(run, run.archive, living)
  const own = archived.staged.dialect === 'strongroom'
  const created = own && run.archive.created !== null ? run.archive.created : undefined
  const { restore } = await restoreAndCheck(parts, archived, source, place, run, onProgress, signal)
  const compared =
    living === undefined
      ? undefined
      : await holdAgainstLiving(living, archived, created, place, run, onProgress, signal)
  describeProof(run.facts, {
    restore,
    proved: archived.staged.survey.proved,
    compared,
    isFresh: input.archive === undefined && input.from === undefined,
  })
}

async function chooseArchive(
  { living }: DrillParts,
  input: DrillInput,
  place: ScratchPlace,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (input.archive !== undefined) return resolve(input.archive)
  if (input.from !== undefined) return newestArchive(resolve(input.from))
  if (living === undefined) throw new TypeError('a drill without an archive needs an instance')
  const target = { location: join(place.path, 'backup/'), overwrite: false, verify: false, links: 'symbolic' } as const
  return (await createBackup(living)(target, onProgress, signal)).archive
}

/** What comes out of an archive is hardly less than the archive; the restore itself asks again when it knows how much it is. */
async function assertSpace(archive: string, needed: number, folder: string): Promise<void> {
  const free = await freeBytes(folder)
  if (needed > free)
    throw new StrongroomError('file.too_little_space', { path: `The drill of ${archive} in ${folder}`, needed, free })
}

/** An older archive under a newer name, or where a newer one was, is whole and yet not what it is taken for. */
async function holdAgainstDates(run: Run, archive: DrilledArchive, living: Living | undefined): Promise<void> {
  const { created, name } = archive
  const told = momentInName(name)
  if (created === null) return
  if (told !== undefined && created.slice(0, 19) !== told) {
    run.findings.add(
      'drill.name_differs',
      name,
      `This archive was made on ${created}, although its name says ${told}Z: it is another one than it is called.`,
    )
  }
  const last = living === undefined ? undefined : (await readDrillState(living.dataDirectory))?.lastProved
  if (last?.archive.created !== null && last?.archive.created !== undefined && created < last.archive.created) {
    const message = `It was made on ${created}; the archive that the last drill proved is newer, from ${last.archive.created}.`
    run.warnings.add('drill.older_than_last', name, message)
  }
}

async function restoreAndCheck(
  parts: DrillParts,
  archived: ArchiveContents,
  source: ArchiveSource,
  place: ScratchPlace,
  run: Run,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<{ readonly restore: NonNullable<DrillReport['restore']> }> {
  await using scratch = await openScratchInstance(place.path, parts, run.warnings)
  const restore = await restoreInto(scratch, source, parts, onProgress, signal)
  run.restore = restore
  const { database, media } = scratch
  const checked = await createCheck({ database, media, dataDirectory: scratch.dataDirectory, clock: parts.clock })(
    { quick: false },
    onProgress,
    signal,
  )
  await using restored = await openInstanceContents({ database, media, scratchDirectory: place.path }, signal)
  const sides = { left: archived, right: restored }
  const warnings = createNotices()
  const compared = await compareContents(
    { sides, scratchDirectory: place.path, quick: false, warnings },
    onProgress,
    signal,
  )
  for (const { about, message } of [...checked.leftOut.listed, ...checked.warnings.listed.filter(isLost)])
    run.findings.add('drill.declared_damage', about, `${message} The archive has it so, and says so.`)
  if (!compared.equal) {
    run.outcome = 'not_restored'
    for (const { username, name, kind } of compared.listed)
      run.findings.add('drill.not_restored', `${username ?? ''}: ${name}`, `It did not come back as it is: ${kind}.`)
  }
  return { restore }
}

const isLost = ({ code }: Notice): boolean => code === 'check.lost'

async function holdAgainstLiving(
  living: Living,
  archived: ArchiveContents,
  created: string | undefined,
  place: ScratchPlace,
  run: Run,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<CompareReport> {
  await using lock = await living.database.lock('shared', living.lockWaitSeconds)
  if (lock === undefined) throw new StrongroomError('instance.closed_to_writers')
  const { database, media } = living
  await using contents = await openInstanceContents({ database, media, scratchDirectory: place.path }, signal)
  const found = createNotices()
  let newDocuments = 0
  const compared = await compareContents(
    {
      sides: { left: archived, right: contents },
      scratchDirectory: place.path,
      quick: false,
      warnings: createNotices(),
      examine(scratch) {
        examine(scratch, created, found)
        newDocuments = Number(
          scratch.first(
            `select count(*) as n from things r where r.side = 1 and r.kind = 'node' and json_extract(r.fields, '$.type') = 'document'
               and not exists (select 1 from things l where l.side = 0 and l.kind = 'node' and l.id = r.key)`,
          )?.n,
        )
      },
    },
    onProgress,
    signal,
  )
  addAll(found, run.findings)
  const others = compared.right.damaged - (found.collected().byCode['drill.instance_damaged'] ?? 0)
  if (others > 0) {
    const message = `Damaged or missing files of the instance that this archive does not have whole: ${others}. "strongroom check" names them.`
    run.findings.add('drill.instance_damaged', database.name, message)
  }
  run.since = { total: compared.total, byKind: compared.byKind, newDocuments }
  return compared
}

/** Those beyond what a list holds are counted by one line each. */
function addAll(from: NoticeCollector, to: NoticeCollector): void {
  const { listed, byCode } = from.collected()
  for (const { code, about, message } of listed) to.add(code, about, message)
  for (const [code, count] of Object.entries(byCode)) {
    const more = count - listed.filter((each) => each.code === code).length
    if (more > 0) to.add(code, '', `… and ${more} more.`)
  }
}
