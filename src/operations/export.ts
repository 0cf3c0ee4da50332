import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { ExportReport } from '../contract/export-report.ts'
import { createNotices } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { Database } from '../database/database.ts'
import type { Scratch, ScratchRow } from '../database/scratch.ts'
import { StrongroomError } from '../errors.ts'
import type { MediaStore } from '../media/media-store.ts'
import type { Clock, Timestamp } from '../std/clock.ts'
import { createPartial, findTarget } from './backup/target.ts'
import { contentsUsers } from './contents/walk.ts'
import { openInstanceContents } from './contents/instance-contents.ts'
import { csvName, describe } from './export/describe.ts'
import { createZipTarget } from './export/zip-target.ts'
import { copyFiles, outputPath, type Copied } from './extract/copy-files.ts'
import { planOutput, type Companion } from './extract/plan-output.ts'
import type { OutputTarget } from './extract/target.ts'
import { writeFolder, writeFolders, type WriteInput, type Written } from './extract/write-folder.ts'

export interface ExportParts {
  readonly database: Database
  readonly media: MediaStore
  readonly clock: Clock
  readonly instanceId: string
  readonly scratchDirectory: string
}

export interface ExportInput {
  readonly username: string
  /** A folder, made where it is not there; or a file that ends in `.zip`. */
  readonly to: string
  readonly versions: 'last' | 'all'
  /** What is told of the documents: in one table, in a file beside each, or not. */
  readonly metadata: 'csv' | 'json' | 'none'
  /** Whether the texts of pages are written beside each document. */
  readonly text: boolean
  /** Whether files that are there and different may be replaced. */
  readonly overwrite: boolean
}

/**
 * Writes the documents of a user as folders and files that need no Strongroom; nothing of the trash. The caller holds the
 * shared lock. A file that is missing or not what came in is in the report's `leftOut`. Throws `user.not_found`, `file.…`,
 * `extract.…`, `database.…`.
 */
export function createExport(parts: ExportParts) {
  return async function exportUser(
    input: ExportInput,
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<ExportReport> {
    const { username, to } = input
    const format = /\.zip$/i.test(to) && !(await isFolder(to)) ? 'zip' : 'folder'
    const target = format === 'zip' ? await findTarget(to, input.overwrite) : undefined
    const warnings = createNotices()
    const leftOut = createNotices()
    await using contents = await openInstanceContents(parts, signal)
    const { scratch } = contents
    const user = contentsUsers(scratch).find((each) => each.username === username)
    if (user === undefined) throw new StrongroomError('user.not_found', { username })
    const now = parts.clock.now()
    planOutput(scratch, [{ user, node: undefined }], {
      versions: input.versions,
      companions: companionsOf(input),
      userFolders: false,
      reserved: input.metadata === 'csv' ? [csvName] : [],
      now,
      onNoFile: (about) => warnings.add('document.no_file', about, 'It has no file.'),
    })
    if (input.metadata === 'csv') planTable(scratch)
    const writing = { contents, leftOut, keepGoing: true, onProgress, signal }
    const others = (output: OutputTarget) => writeDescriptions(scratch, output, signal)
    const written =
      target === undefined
        ? await writeFolder(
            writing,
            { root: to, overwrite: input.overwrite },
            async (row) => sizeAndHash(scratch, row),
            others,
          )
        : await writeZip(parts, writing, { target, overwrite: input.overwrite, now }, others)
    const documents = "select count(*) as n from output_files where kind = 'file' and state in ('written', 'there')"
    return {
      operation: 'export',
      username,
      to,
      format,
      ...written,
      documents: Number(scratch.first(documents)?.n),
      warnings: warnings.collected(),
      leftOut: leftOut.collected(),
    }
  }
}

const companionsOf = ({ metadata, text }: ExportInput): readonly Companion[] => [
  ...(text ? (['text'] as const) : []),
  ...(metadata === 'json' ? (['json'] as const) : []),
]

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  )

/** The table comes last, as it says what could be written; it is as old as the youngest file, so that it is the same twice. */
const planTable = (scratch: Scratch): void =>
  scratch.run(
    `insert into output_files (kind, path, about, mtime)
     select 'csv', ?, ?, coalesce(max(mtime), 315619200) from output_files`,
    JSON.stringify([csvName]),
    csvName,
  )

async function writeDescriptions(
  scratch: Scratch,
  target: OutputTarget,
  signal: AbortSignal | undefined,
): Promise<Copied> {
  let [files, bytes] = [0, 0]
  const rows = "select * from output_files where kind not in ('file', 'folder') and state = 'wanted' order by n"
  for (const row of scratch.rows(rows)) {
    signal?.throwIfAborted()
    const place = { path: outputPath(row), mtime: Number(row.mtime) }
    const content = { size: undefined, sha256: undefined, mediaType: 'text/plain' }
    await target.file([place], content, counted(describe(scratch, row)))
    files += 1
  }
  return { files, bytes }

  async function* counted(pieces: Iterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
    for (const piece of pieces) {
      const chunk = Buffer.from(piece)
      bytes += chunk.length
      yield chunk
    }
  }
}

function sizeAndHash(scratch: Scratch, row: ScratchRow): { readonly size: number; readonly sha256: string } {
  const hash = createHash('sha256')
  let size = 0
  for (const piece of describe(scratch, row)) {
    hash.update(piece)
    size += Buffer.byteLength(piece)
  }
  return { size, sha256: hash.digest('hex') }
}

/** As a backup is written: under another name beside, synced, and then put in place. */
async function writeZip(
  { instanceId, scratchDirectory }: ExportParts,
  writing: WriteInput,
  place: {
    readonly target: Awaited<ReturnType<typeof findTarget>>
    readonly overwrite: boolean
    readonly now: Timestamp
  },
  writeOthers: (target: OutputTarget) => Promise<Copied>,
): Promise<Written> {
  const { target, overwrite, now } = place
  await using partial = await createPartial(target, instanceId)
  await using zip = await createZipTarget((bytes) => partial.write([bytes]), scratchDirectory)
  const folders = await writeFolders(writing, zip)
  const copied = await copyFiles({ ...writing, target: zip })
  const others = await writeOthers(zip)
  await zip.finish()
  await partial.sync()
  writing.signal?.throwIfAborted()
  await partial.putInPlace(overwrite, now)
  const [files, bytes] = [copied.files + others.files, copied.bytes + others.bytes]
  return { folders, files, bytes, unchanged: 0, replaced: 0 }
}
