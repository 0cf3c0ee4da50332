import { createHash } from 'node:crypto'
import { sidecarPath, versionPath } from '../../archive/layout.ts'
import type { OnProgress } from '../../contract/reports.ts'
import type { Scratch } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import type { MediaStore } from '../../media/media-store.ts'
import { mediaTypeOf } from '../../reading/media-type.ts'
import { insertMember } from '../staging/record-keeper.ts'

export interface FilesToRead {
  readonly scratch: Scratch
  /** The media folder of Papermerge: it has the layout of our own. */
  readonly media: Pick<MediaStore, 'open'>
  /** How messages name the database and the media folder. */
  readonly database: string
  readonly folder: string
  /** Where what cannot be read goes; without it, that ends the reading. */
  readonly leaveOut: ((code: string, about: string, message: string) => void) | undefined
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}

const headBytes = 1024

/**
 * Reads every file that the staged rows name, and notes in `members` what it is; what is not there is not noted. Only what
 * a backup of Papermerge would hold is looked at: originals, and the text layer of pages. Throws `papermerge.wrong_media`,
 * `file.…`. Gives the number of files and their bytes.
 */
export async function readFiles(files: FilesToRead): Promise<{ readonly files: number; readonly bytes: number }> {
  const { scratch, database, folder, leaveOut, onProgress } = files
  const counts = { tried: 0, files: 0, bytes: 0 }
  const total = Number(scratch.first('select count(*) as n from raw_versions where file_name is not null')?.n)
  for (const row of scratch.rows(`${documents} where v.file_name is not null`)) {
    const { user_id, document_id, number, file_name } = row
    await readFile(versionPath(String(user_id), String(document_id), Number(number), String(file_name)))
    counts.tried += 1
    onProgress({ phase: 'reading the files', done: counts.tried, total, unit: 'files' })
  }
  if (counts.tried > 0 && counts.files === 0 && leaveOut === undefined) {
    throw new StrongroomError('papermerge.wrong_media', { database, media: folder, tried: counts.tried })
  }
  const pages = Number(scratch.first('select count(*) as n from raw_pages')?.n)
  let done = 0
  for (const { user_id, document_id, number, page } of scratch.rows(pagesOfDocuments)) {
    await readFile(sidecarPath(String(user_id), String(document_id), Number(number), Number(page), '_ocr.svg'))
    done += 1
    onProgress({ phase: 'reading the text layers', done, total: pages, unit: 'pages' })
  }
  return { files: counts.files, bytes: counts.bytes }

  async function readFile(path: string): Promise<void> {
    files.signal?.throwIfAborted()
    // Two versions with the same number have the same file.
    if (scratch.first('select 1 as n from members where path = ?', path) !== undefined) return
    try {
      const found = await hashOf(files, path)
      if (found === undefined) return
      const { size, sha256, head } = found
      counts.files += 1
      counts.bytes += size
      insertMember(scratch, { path, type: 'file', size, sha256, mediaType: mediaTypeOf(head, path) })
    } catch (error) {
      const unreadable = error instanceof StrongroomError && error.code.startsWith('file.')
      if (!unreadable || leaveOut === undefined) throw error
      leaveOut(error.code, path, error.message)
      insertMember(scratch, { path, type: 'damaged', size: 0, sha256: '', mediaType: null })
    }
  }
}

const owners = `json_extract(o.record, '$.id') as user_id, json_extract(d.record, '$.id') as document_id`
const places = `raw_versions v join raw_users o on o.u = v.u join raw_nodes d on d.u = v.u and d.own = v.own and d.n = v.n`
const documents = `select ${owners}, v.number, v.file_name from ${places}`
const pagesOfDocuments = `select ${owners}, v.number, p.number as page from ${places}
  join raw_pages p on p.u = v.u and p.own = v.own and p.n = v.n and p.v = v.v`

/** Undefined where there is no regular file at that place, or one only by way of a link. */
async function hashOf(
  { media, signal }: FilesToRead,
  path: string,
): Promise<{ readonly size: number; readonly sha256: string; readonly head: Uint8Array } | undefined> {
  try {
    await using file = await media.open(path)
    const hash = createHash('sha256')
    let head: Uint8Array | undefined
    for await (const chunk of file.chunks()) {
      signal?.throwIfAborted()
      hash.update(chunk)
      head ??= Uint8Array.from(chunk.subarray(0, headBytes))
    }
    return { size: file.size, sha256: hash.digest('hex'), head: head ?? new Uint8Array() }
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'media.missing') return undefined
    throw error
  }
}
