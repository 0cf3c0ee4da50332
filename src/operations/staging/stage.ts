import { metadataName } from '../../archive/layout.ts'
import type { OpenArchive } from '../../archive/open-archive.ts'
import type { HeaderRecord } from '../../archive/records.ts'
import { surveyArchive, type Survey } from '../../archive/survey.ts'
import type { OnProgress } from '../../contract/reports.ts'
import type { Scratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import { mediaTypeOf } from '../../reading/media-type.ts'
import { createRawTables, createRecordKeeper } from './record-keeper.ts'
import type { Dialect, Staged } from './staged.ts'

/** Where what is found goes: a restore throws at the first problem, a verification collects them. */
export interface Findings {
  problem(error: StrongroomError): void
  warning(code: string, about: string, message: string): void
  /** Whether an archive that breaks off is a problem like others. */
  readonly salvage?: boolean
}

/** Stops at the first problem. */
export const strictFindings = (warning: Findings['warning']): Findings => ({
  problem(error) {
    throw error
  },
  warning,
})

/**
 * Goes on where a file is damaged or missing, or the archive breaks off after its backup.json: what is left out is told to
 * `leftOut`. Everything else stops it, as nothing can be believed then.
 */
export function salvagingFindings(
  scratch: Scratch,
  warning: Findings['warning'],
  leftOut: Findings['warning'],
): Findings {
  const bearable = new Set([
    'archive.missing_file',
    'archive.checksum_mismatch',
    'archive.truncated',
    'archive.damaged',
  ])
  return {
    warning,
    salvage: true,
    problem(error) {
      const member = String(error.details['member'] ?? '')
      if (!bearable.has(error.code) || member === metadataName) throw error
      if (error.code === 'archive.checksum_mismatch') {
        scratch.run("update members set type = 'damaged', used = 1 where path = ?", member)
      }
      leftOut(error.code, member, error.message)
    },
  }
}

/** An archive whose contents lie on disk as rows, read and checked once, not yet related to each other. */
export interface StagedArchive extends Staged {
  readonly survey: Survey
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
  createRawTables(scratch)
  scratch.exec('begin')
  const invalid = (reason: string): StrongroomError =>
    new StrongroomError('archive.invalid_metadata', { archive: archive.name, reason })
  const missing = (member: string): StrongroomError =>
    new StrongroomError('archive.missing_file', { archive: archive.name, member })
  const keeper = createRecordKeeper(scratch, (reason) => findings.problem(invalid(reason)))

  const survey = await surveyArchive(
    archive,
    scratchFolder,
    {
      onProblem: findings.problem,
      salvage: findings.salvage ?? false,
      onWarning: findings.warning,
      onRead: (position) => onProgress({ phase: 'reading', done: position, total: archive.size, unit: 'bytes' }),
      onRecord: (record) => keeper.keep(record),
      onDamage(value) {
        const text = (key: string): string | null => (typeof value[key] === 'string' ? value[key] : null)
        scratch.run(
          'insert into damage (version, page, path, what, reason) values (?, ?, ?, ?, ?)',
          text('version'),
          text('page'),
          text('path'),
          text('what') ?? 'missing',
          text('reason'),
        )
      },
      onContent(member) {
        const earlier = scratch.first('select type, sha256 from members where path = ?', member.path)
        if (earlier === undefined) {
          scratch.run(
            'insert into members (path, type, size, sha256, media_type) values (?, ?, ?, ?, ?)',
            member.path,
            member.type,
            member.size,
            member.sha256,
            mediaTypeOf(member.head, member.path),
          )
        } else if (earlier.type === member.type && earlier.sha256 === member.sha256) {
          if (member.type === 'file') {
            findings.warning(
              'archive.member_twice',
              member.path,
              'The archive holds this file twice, with the same bytes.',
            )
          }
        } else {
          findings.problem(
            new StrongroomError('archive.damaged', {
              archive: archive.name,
              reason: `it holds ${member.path} twice, and not the same`,
            }),
          )
        }
      },
    },
    signal,
  )
  scratch.exec('commit')
  const header = keeper.header()
  const dialect = dialectOf(survey, header)
  return { name: archive.name, scratch, survey, header, dialect, invalid, missing }
}

function dialectOf(survey: Survey, header: HeaderRecord | undefined): Dialect {
  if (survey.ours) return 'strongroom'
  return header?.version?.startsWith('3.') === true ? 'papermerge-3' : 'papermerge-2'
}
