import { createHash } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { OnProgress } from '../../contract/reports.ts'
import type { ForeignDatabase } from '../../database/foreign-database.ts'
import { openForeignDatabase } from '../../database/foreign.ts'
import type { Scratch } from '../../database/scratch.ts'
import { redactUrl } from '../../database/url.ts'
import { StrongroomError } from '../../errors.ts'
import { openDiskStore } from '../../media/disk-store.ts'
import type { MediaStore } from '../../media/media-store.ts'
import type { Source } from '../restore/source.ts'
import { createRawTables, createRecordKeeper } from '../staging/record-keeper.ts'
import type { Findings } from '../staging/findings.ts'
import type { Staged } from '../staging/staged.ts'
import type { PapermergePlace } from './address.ts'
import { papermergeFiles } from './papermerge-files.ts'
import { readFiles } from './read-files.ts'
import { readRows } from './read-rows.ts'
import { assertPapermerge } from './tables.ts'

/**
 * A living Papermerge 2.1 as a source: the rows of one moment of its database, and the files that they name below its media
 * folder. Nothing of it is written, and no link in the media folder is followed. Throws `papermerge.…`, `database.…`,
 * `file.…`.
 */
export async function openPapermerge(place: PapermergePlace): Promise<Source> {
  const name = redactUrl(place.database).replace(/^sqlite:/, '')
  const media = await openMedia(place)
  return {
    operation: 'import-papermerge',
    name,
    async stage(scratch, { keepGoing, warning, leftOut }, onProgress, signal) {
      const findings: Findings = {
        warning,
        problem(error) {
          if (error.code !== 'papermerge.missing_file') throw error
          leftOut(error.code, String(error.details['about']), error.message)
        },
      }
      const staged = await stage(place, name, media, scratch, { findings, leftOut, keepGoing, onProgress, signal })
      return { staged, findings }
    },
    identity: (scratch) => Promise.resolve(identityOf(scratch)),
    files: (scratch, isWanted, signal) => papermergeFiles(media, scratch, isWanted, changed, signal),
    changed,
    mayEnd: () => false,
    [Symbol.asyncDispose]: () => media[Symbol.asyncDispose](),
  }

  function changed(): StrongroomError {
    return new StrongroomError('papermerge.changed', { media: place.media })
  }
}

/** Sees to it that there is a Papermerge 2.1 at that place. Throws what `openPapermerge` throws. */
export async function assertPapermergeAt(place: PapermergePlace): Promise<void> {
  await (await openMedia(place))[Symbol.asyncDispose]()
  await (await openDatabase(place))[Symbol.asyncDispose]()
}

async function openDatabase(place: PapermergePlace): Promise<ForeignDatabase> {
  const database = await openForeignDatabase(place.database).catch((error: unknown) => {
    throw aboutPapermerge(error)
  })
  try {
    assertPapermerge(database)
    return database
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
}

/** What is no database at all is none of Papermerge's. */
function aboutPapermerge(error: unknown): unknown {
  if (!(error instanceof StrongroomError) || error.code !== 'database.damaged') return error
  const { database = '', reason = '' } = error.details
  return new StrongroomError('papermerge.not_papermerge', { database, reason }, { cause: error })
}

async function openMedia(place: PapermergePlace): Promise<MediaStore & AsyncDisposable> {
  const media = await openDiskStore(place.media)
  const newer = await lstat(join(place.media, 'docvers')).catch(() => undefined)
  if (newer === undefined) return media
  await media[Symbol.asyncDispose]()
  throw new StrongroomError('papermerge.other_version', { database: place.media, version: '3' })
}

interface Staging {
  readonly findings: Findings
  readonly leftOut: Findings['warning']
  readonly keepGoing: boolean
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}

async function stage(
  place: PapermergePlace,
  name: string,
  media: MediaStore,
  scratch: Scratch,
  { findings, leftOut, keepGoing, onProgress, signal }: Staging,
): Promise<Staged> {
  const invalid = (reason: string): StrongroomError =>
    new StrongroomError('papermerge.invalid', { database: name, reason })
  createRawTables(scratch)
  scratch.exec('begin')
  let about = ''
  const keeper = createRecordKeeper(scratch, (reason) => findings.problem(invalid(`${about} (${reason})`)))
  const header = await withDatabase(place, (database) =>
    readRows({
      database,
      scratch,
      findings,
      leftOut,
      onProgress,
      signal,
      keep(path, places, value, row) {
        about = row
        keeper.keep({ path, places, value })
      },
      invalid: (reason) => findings.problem(invalid(reason)),
    }),
  )
  const found = await readFiles({
    scratch,
    media,
    database: name,
    folder: place.media,
    leaveOut: keepGoing ? leftOut : undefined,
    onProgress,
    signal,
  })
  scratch.exec('commit')
  const metadataBytes = Number(
    scratch.first(`select (select coalesce(sum(length(record)), 0) from raw_versions)
      + (select coalesce(sum(length(record)), 0) from raw_pages) + (select coalesce(sum(length(record)), 0) from raw_nodes)
      + (select coalesce(sum(length(record)), 0) from raw_users) as n`)?.n,
  )
  return {
    name,
    scratch,
    survey: { proved: false, ...found, folders: 0, links: 0, strangers: 0, metadataBytes: metadataBytes + 1 },
    header,
    dialect: 'papermerge-2',
    unread: { originals: false, sidecars: false },
    invalid,
    missing: (member, document) =>
      new StrongroomError('papermerge.missing_file', { media: place.media, member, about: document }),
  }
}

/** Papermerge's database is let go before its files are read: whoever writes to a SQLite file waits until then. */
async function withDatabase<T>(place: PapermergePlace, work: (database: ForeignDatabase) => Promise<T>): Promise<T> {
  await using database = await openDatabase(place)
  try {
    return await work(database)
  } catch (error) {
    throw aboutPapermerge(error)
  }
}

function identityOf(scratch: Scratch): string {
  const hash = createHash('sha256')
  for (const table of ['raw_users', 'raw_tags', 'raw_nodes', 'raw_node_tags', 'raw_versions', 'raw_pages']) {
    for (const { record } of scratch.rows(`select record from ${table}`)) hash.update(`${table} ${String(record)}\n`)
  }
  for (const { path, sha256 } of scratch.rows('select path, sha256 from members')) {
    hash.update(`${String(sha256)} ${String(path)}\n`)
  }
  return hash.digest('hex')
}
