import type { ArchiveDirectory } from '../../archive/directory.ts'
import type { JsonObject } from '../../archive/json-records.ts'
import type { OpenArchive } from '../../archive/open-archive.ts'
import type { HeaderRecord } from '../../archive/records.ts'
import { surveyParts, wantedMembers, type Parts } from '../../archive/survey-parts.ts'
import { surveyArchive, type ContentMember, type Survey, type SurveyEvents } from '../../archive/survey.ts'
import { readTar, type TarEntry } from '../../archive/tar-reader.ts'
import type { OnProgress } from '../../contract/reports.ts'
import type { Scratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import { mediaTypeOf } from '../../reading/media-type.ts'
import type { Findings } from './findings.ts'
import { createRawTables, createRecordKeeper, insertMember, type RecordKeeper } from './record-keeper.ts'
import type { Dialect, Staged } from './staged.ts'

/** An archive whose contents lie on disk as rows, read and checked once, not yet related to each other. */
export interface StagedArchive extends Staged {
  readonly survey: Survey
  /** Whether all of it was read, or what was wanted. */
  readonly reading: 'whole' | 'part'
  /** What was read, to be read again; the files of documents among it. */
  entries(): AsyncIterable<TarEntry>
}

/** Reads an archive through into `scratch`, checking all that can be checked on the way. */
export async function stageArchive(
  archive: OpenArchive,
  scratch: Scratch,
  scratchFolder: string,
  findings: Findings,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<StagedArchive> {
  const { keeper, events } = beginStaging(archive, scratch, findings, onProgress)
  const survey = await surveyArchive(archive, scratchFolder, events, signal)
  scratch.exec('commit')
  const nothing = (): void => undefined
  return {
    ...stagedBy(archive, scratch, survey, keeper.header()),
    reading: 'whole',
    unread: { originals: false, sidecars: false },
    entries: () => readTar(archive.tar(nothing), archive.name, nothing),
  }
}

/** Reads what is wanted of an archive into `scratch`. Throws DirectoryError; `scratch` may then be staged into again. */
export async function stageParts(
  archive: OpenArchive,
  { directory, parts }: { readonly directory: ArchiveDirectory; readonly parts: Parts },
  scratch: Scratch,
  findings: Findings,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<StagedArchive> {
  const { keeper, events } = beginStaging(archive, scratch, findings, onProgress)
  try {
    const survey = await surveyParts(archive.name, directory, parts, events, signal)
    await archive.assertUnchanged()
    return {
      ...stagedBy(archive, scratch, survey, keeper.header()),
      reading: 'part',
      unread: { originals: parts.files === 'none', sidecars: parts.files !== 'all' },
      entries: () => wantedMembers(directory, parts),
    }
  } finally {
    scratch.exec('commit')
  }
}

function beginStaging(
  archive: OpenArchive,
  scratch: Scratch,
  findings: Findings,
  onProgress: OnProgress,
): { readonly keeper: RecordKeeper; readonly events: SurveyEvents } {
  createRawTables(scratch)
  scratch.exec('begin')
  const keeper = createRecordKeeper(scratch, (reason) => findings.problem(invalid(archive, reason)))
  const events: SurveyEvents = {
    onProblem: findings.problem,
    salvage: findings.salvage ?? false,
    places: findings.places ?? false,
    onWarning: findings.warning,
    onRead: (position) => onProgress({ phase: 'reading', done: position, total: archive.size, unit: 'bytes' }),
    onRecord: (record) => keeper.keep(record),
    onDamage: (value) => keepDamage(scratch, value),
    onContent: (member) => keepMember(archive, scratch, member, findings),
  }
  return { keeper, events }
}

function keepDamage(scratch: Scratch, value: JsonObject): void {
  const text = (key: string): string | null => (typeof value[key] === 'string' ? value[key] : null)
  scratch.run(
    'insert into damage (version, page, path, what, reason) values (?, ?, ?, ?, ?)',
    text('version'),
    text('page'),
    text('path'),
    text('what') ?? 'missing',
    text('reason'),
  )
}

function keepMember(
  { name: archive }: OpenArchive,
  scratch: Scratch,
  member: ContentMember,
  { problem, warning }: Findings,
): void {
  const { path, type, size, sha256, head } = member
  const earlier = scratch.first('select type, sha256 from members where path = ?', path)
  if (earlier === undefined) {
    insertMember(scratch, { path, type, size, sha256, mediaType: mediaTypeOf(head, path) })
  } else if (earlier.type === type && earlier.sha256 === sha256) {
    if (type === 'file')
      warning('archive.member_twice', path, 'The archive holds this file twice, with the same bytes.')
  } else {
    problem(new StrongroomError('archive.damaged', { archive, reason: `it holds ${path} twice, and not the same` }))
  }
}

const invalid = ({ name: archive }: OpenArchive, reason: string): StrongroomError =>
  new StrongroomError('archive.invalid_metadata', { archive, reason })

function stagedBy(archive: OpenArchive, scratch: Scratch, survey: Survey, header: HeaderRecord | undefined) {
  return {
    name: archive.name,
    scratch,
    survey,
    header,
    dialect: dialectOf(survey, header),
    invalid: (reason: string) => invalid(archive, reason),
    missing: (member: string) => new StrongroomError('archive.missing_file', { archive: archive.name, member }),
  }
}

function dialectOf(survey: Survey, header: HeaderRecord | undefined): Dialect {
  if (survey.ours) return 'strongroom'
  return header?.version?.startsWith('3.') === true ? 'papermerge-3' : 'papermerge-2'
}
