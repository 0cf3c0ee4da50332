import type { JsonRecord } from '../../archive/json-records.ts'
import { metadataName } from '../../archive/layout.ts'
import type { OpenArchive } from '../../archive/open-archive.ts'
import {
  headerSchema,
  nodeSchema,
  pageSchema,
  readRecord,
  tagSchema,
  userSchema,
  versionSchema,
  withOwnKeys,
  type HeaderRecord,
} from '../../archive/records.ts'
import { surveyArchive, type Survey } from '../../archive/survey.ts'
import type { OnProgress } from '../../contract/reports.ts'
import type { Scratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import { mediaTypeOf } from '../../reading/media-type.ts'

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

/** Which program's form an archive has. */
export type Dialect = 'papermerge-2' | 'papermerge-3' | 'strongroom'

/** An archive whose contents lie on disk as rows, read and checked once, not yet related to each other. */
export interface StagedArchive {
  readonly archive: OpenArchive
  readonly scratch: Scratch
  readonly survey: Survey
  readonly header: HeaderRecord | undefined
  readonly dialect: Dialect
}

/**
 * Raw records by their places in backup.json: user, own (1 for what lies in the user's `strongroom.nodes`), node, version,
 * page. Written numbers and names are those that Papermerge sees; files lie by them.
 */
const tables = `
  create table raw_users (u integer primary key, record text not null);
  create table raw_tags (u integer, t integer, record text not null, primary key (u, t)) without rowid;
  create table raw_nodes (u integer, own integer, n integer, record text not null, primary key (u, own, n)) without rowid;
  create table raw_node_tags (u integer, own integer, n integer, t integer, record text not null,
    primary key (u, own, n, t)) without rowid;
  create table raw_versions (u integer, own integer, n integer, v integer, number integer, file_name text, record text not null,
    primary key (u, own, n, v)) without rowid;
  create table raw_pages (u integer, own integer, n integer, v integer, p integer, number integer, record text not null,
    primary key (u, own, n, v, p)) without rowid;
  create table members (path text primary key, type text not null, size integer not null, sha256 text not null,
    media_type text, used integer not null default 0) without rowid;
  create table damage (version text, page text, path text, what text not null, reason text);
  create index damage_path on damage (path)`

/** Reads an archive through into `scratch`, checking all that can be checked on the way. */
export async function stageArchive(
  archive: OpenArchive,
  scratch: Scratch,
  scratchFolder: string,
  findings: Findings,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<StagedArchive> {
  scratch.exec(tables)
  scratch.exec('begin')
  let header: HeaderRecord | undefined
  const invalid = (place: string, problem: string): void =>
    findings.problem(
      new StrongroomError('archive.invalid_metadata', { archive: archive.name, reason: `${place}: ${problem}` }),
    )

  const survey = await surveyArchive(
    archive,
    scratchFolder,
    {
      onProblem: findings.problem,
      salvage: findings.salvage ?? false,
      onWarning: findings.warning,
      onRead: (position) => onProgress({ phase: 'reading', done: position, total: archive.size, unit: 'bytes' }),
      onRecord: (record) => keep(record),
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
  return { archive, scratch, survey, header, dialect: dialectOf(survey, header) }

  function keep({ path, places, value }: JsonRecord): void {
    const merged = withOwnKeys(value)
    const own = path.startsWith('users.strongroom.') ? 1 : 0
    const [u = 0, n = 0, v = 0, p = 0] = places
    switch (own === 1 ? path.replace('.strongroom', '') : path) {
      case '': {
        const read = readRecord(headerSchema, value)
        if ('problem' in read) return invalid('top level', read.problem)
        header = read.value
        return
      }
      case 'users': {
        const read = readRecord(userSchema, merged)
        if ('problem' in read) return invalid(`users[${u}]`, read.problem)
        return scratch.run('insert into raw_users values (?, ?)', u, JSON.stringify(read.value))
      }
      case 'users.tags': {
        const read = readRecord(tagSchema, merged)
        if ('problem' in read) return invalid(`users[${u}].tags[${n}]`, read.problem)
        return scratch.run('insert into raw_tags values (?, ?, ?)', u, n, JSON.stringify(read.value))
      }
      case 'users.nodes': {
        const read = readRecord(nodeSchema, merged)
        if ('problem' in read) return invalid(`users[${u}].nodes[${n}]`, read.problem)
        return scratch.run('insert into raw_nodes values (?, ?, ?, ?)', u, own, n, JSON.stringify(read.value))
      }
      case 'users.nodes.tags': {
        const read = readRecord(tagSchema, merged)
        if ('problem' in read) return invalid(`users[${u}].nodes[${n}].tags[${v}]`, read.problem)
        return scratch.run('insert into raw_node_tags values (?, ?, ?, ?, ?)', u, own, n, v, JSON.stringify(read.value))
      }
      case 'users.nodes.versions': {
        const written = readRecord(versionSchema, value)
        const read = readRecord(versionSchema, merged)
        if ('problem' in written) return invalid(`users[${u}].nodes[${n}].versions[${v}]`, written.problem)
        if ('problem' in read) return invalid(`users[${u}].nodes[${n}].versions[${v}]`, read.problem)
        return scratch.run(
          'insert into raw_versions values (?, ?, ?, ?, ?, ?, ?)',
          u,
          own,
          n,
          v,
          written.value.number,
          written.value.file_name ?? null,
          JSON.stringify(read.value),
        )
      }
      default: {
        const written = readRecord(pageSchema, value)
        const read = readRecord(pageSchema, merged)
        const place = `users[${u}].nodes[${n}].versions[${v}].pages[${p}]`
        if ('problem' in written) return invalid(place, written.problem)
        if ('problem' in read) return invalid(place, read.problem)
        return scratch.run(
          'insert into raw_pages values (?, ?, ?, ?, ?, ?, ?)',
          u,
          own,
          n,
          v,
          p,
          written.value.number,
          JSON.stringify(read.value),
        )
      }
    }
  }
}

function dialectOf(survey: Survey, header: HeaderRecord | undefined): Dialect {
  if (survey.ours) return 'strongroom'
  return header?.version?.startsWith('3.') === true ? 'papermerge-3' : 'papermerge-2'
}
