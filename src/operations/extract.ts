import { createHash } from 'node:crypto'
import type { Writable } from 'node:stream'
import type { ArchiveSource } from '../archive/open-archive.ts'
import type { ExtractReport } from '../contract/extract-report.ts'
import { createNotices, type NoticeCollector } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { Scratch } from '../database/scratch.ts'
import { StrongroomError } from '../errors.ts'
import type { Clock } from '../std/clock.ts'
import { openArchiveContents, type ArchiveContents } from './contents/archive-contents.ts'
import { choose, type Choice } from './contents/choose.ts'
import { planOutput } from './extract/plan-output.ts'
import { writeFolder } from './extract/write-folder.ts'
import type { ScratchPlaces } from './scratch-places.ts'
import { salvagingFindings, strictFindings, type Findings } from './staging/findings.ts'

export interface ExtractInput extends ArchiveSource {
  readonly choice: Choice
  /** A folder, made where it is not there; or a stream that takes the bytes of one document. */
  readonly to: string | Writable
  readonly versions: 'last' | 'all'
  /** Whether files that are there and different may be replaced. */
  readonly overwrite: boolean
  /** Whether what is damaged in the archive is left out and the rest written. */
  readonly keepGoing: boolean
}

/**
 * Takes files out of an archive under their human names, without an instance. Every byte of them is checked before the first
 * is written; of an archive without a directory, every byte of all. Throws `archive.…`, `contents.…`, `file.…`, `extract.…`; `usage.invalid` where a stream is to take more
 * than one document.
 */
export function createExtract(parts: ScratchPlaces & { readonly clock: Clock }) {
  return async function extract(
    input: ExtractInput,
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<ExtractReport> {
    const { choice, keepGoing, overwrite, to, versions } = input
    const warnings = createNotices()
    const leftOut = createNotices()
    const findings = (scratch: Scratch): Findings =>
      keepGoing ? notingFindings(scratch, warnings) : strictFindings(warnings.add)
    await using contents = await openArchiveContents(input, parts, findings, onProgress, signal, {
      choice,
      files: 'originals',
    })
    const { scratch } = contents
    const chosen = choose(contents, choice)
    if (typeof to !== 'string' && (chosen.length !== 1 || chosen[0]?.node?.row.type !== 'document')) {
      const reason = 'Standard output can take one document alone: name it by its path or with --document.'
      throw new StrongroomError('usage.invalid', { command: 'extract', reason })
    }
    planOutput(scratch, chosen, {
      versions,
      companions: [],
      userFolders: true,
      reserved: [],
      now: parts.clock.now(),
      onNoFile: (about) => warnings.add('document.no_file', about, 'It has no file.'),
    })
    if (keepGoing) tellDamage(scratch, warnings, leftOut)
    const written =
      typeof to === 'string'
        ? await writeFolder(
            { contents, leftOut, keepGoing, onProgress, signal },
            { root: to, overwrite },
            () => Promise.reject(new StrongroomError('program.fault', { reason: 'an archive holds files alone' })),
            async () => ({ files: 0, bytes: 0 }),
          )
        : { ...(await writeStream(contents, to, signal)), folders: 0, unchanged: 0, replaced: 0 }
    return {
      operation: 'extract',
      archive: contents.name,
      to: typeof to === 'string' ? to : '-',
      ...written,
      proved: contents.staged.survey.proved || contents.staged.reading === 'part',
      reading: contents.staged.reading,
      warnings: warnings.collected(),
      leftOut: leftOut.collected(),
    }
  }
}

/** Goes on where a restore would with --keep-going, and keeps what was damaged until it is known whether it was asked for. */
function notingFindings(scratch: Scratch, warnings: NoticeCollector): Findings {
  scratch.exec('create table damaged_members (code text, member text, message text)')
  return salvagingFindings(scratch, warnings.add, (code, member, message) =>
    scratch.run('insert into damaged_members values (?, ?, ?)', code, member, message),
  )
}

const placeOfMember = /\/document_([0-9a-f-]{36})\/(?:v(\d+)\/)?/

/** What was damaged and asked for is left out; what nobody asked for is told all the same. */
function tellDamage(scratch: Scratch, warnings: NoticeCollector, leftOut: NoticeCollector): void {
  for (const { code, member, message } of scratch.all('select * from damaged_members')) {
    const [, document = null, number = null] = placeOfMember.exec(String(member)) ?? []
    const about = scratch.first(chosenDocument, document)?.about
    const files = scratch.all(lostFiles, document, number)
    // It is told here, so it need not be told again.
    for (const { n } of files) scratch.run("update output_files set state = 'left out' where n = ?", n!)
    const notices = document === null || about !== undefined ? leftOut : warnings
    notices.add(String(code), String(about ?? member), String(message))
  }
}

const chosenDocument = 'select f.about from plan_nodes n join output_files f on f.node = n.seq where n.id = ? limit 1'

const lostFiles = `select f.n, f.about from plan_nodes d join output_files f on f.node = d.seq
  join plan_versions v on v.id = f.version
  where d.id = ? and v.number = coalesce(?, v.number) and f.kind = 'file' and f.media_key is null`

/** Writes the one file there is to a stream. Throws `contents.file_lost` before its first byte. */
async function writeStream(
  { name, scratch, files }: ArchiveContents,
  stream: Writable,
  signal: AbortSignal | undefined,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const row = scratch.first("select * from output_files where kind = 'file'")
  const lost = (reason: string) =>
    new StrongroomError('contents.file_lost', { document: String(row?.about ?? 'the document'), archive: name, reason })
  if (row === undefined) throw lost('it never had a file')
  if (row.media_key === null) throw lost('the file was lost before the backup was made, or is damaged now')
  for await (const file of files((key) => key === row.media_key, signal)) {
    if (file.sha256 !== undefined && file.sha256 !== row.sha256) throw lost('its bytes are not those that came in')
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of file.chunks()) {
      hash.update(chunk)
      bytes += chunk.length
      await new Promise<void>((resolve, reject) => {
        stream.write(chunk, (error) => (error === null || error === undefined ? resolve() : reject(error)))
      })
    }
    if (hash.digest('hex') === row.sha256) return { files: 1, bytes }
    break
  }
  throw new StrongroomError('archive.changed', { archive: name })
}
