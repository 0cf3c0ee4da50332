import { breaksOff } from '../../archive/breaks-off.ts'
import type { NoticeCollector } from '../../contract/notices.ts'
import type { OnProgress } from '../../contract/reports.ts'
import type { ScratchRow } from '../../database/scratch.ts'
import { StrongroomError } from '../../errors.ts'
import type { Contents } from '../contents/contents.ts'
import type { OutputPath, OutputTarget } from './target.ts'

export interface CopyInput {
  readonly contents: Contents
  readonly target: OutputTarget
  readonly leftOut: NoticeCollector
  /** Whether a file that cannot be read is left out and the others written. */
  readonly keepGoing: boolean
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}

export interface Copied {
  readonly files: number
  readonly bytes: number
}

export const outputPath = ({ path }: ScratchRow): OutputPath => JSON.parse(String(path)) as string[]

const damaged = ['version.damaged', 'Its bytes are no longer those that came in.'] as const

const wanted = "select * from output_files where media_key = ? and state = 'wanted' order by n"

/**
 * Writes the files of `output_files` that are still wanted, each held to its hash; one whose bytes are others is left out.
 * Throws what reading and writing throw.
 */
export async function copyFiles(input: CopyInput): Promise<Copied> {
  const { contents, target, leftOut, keepGoing, onProgress, signal } = input
  const { scratch } = contents
  const total = Number(
    scratch.first(
      "select coalesce(sum(size), 0) as n from output_files where state = 'wanted' and media_key is not null",
    )?.n,
  )
  let [files, bytes] = [0, 0]

  async function copy(
    rows: readonly ScratchRow[],
    size: number,
    chunks: () => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const [first] = rows
    let unreadable: unknown
    async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
      let done = bytes
      try {
        for await (const chunk of chunks()) {
          yield chunk
          done += chunk.length
          onProgress({ phase: 'writing files', done, total, unit: 'bytes' })
        }
      } catch (error) {
        unreadable = error
        throw error
      }
    }
    const content = { size, sha256: String(first!.sha256), mediaType: mediaTypeOf(first!) }
    const places = rows.map((row) => ({ path: outputPath(row), mtime: Number(row.mtime) }))
    try {
      if (await target.file(places, content, read())) {
        for (const { n } of rows) setState(n!, 'written')
        files += rows.length
        bytes += size * rows.length
      } else leaveOut(rows, ...damaged)
    } catch (error) {
      signal?.throwIfAborted()
      const cut: boolean = breaksOff(error)
      if (!keepGoing || cut || error !== unreadable || !(error instanceof StrongroomError)) throw error
      leaveOut(rows, error.code === 'media.missing' ? 'version.missing' : 'version.unreadable', error.message)
    }
  }

  const setState = (n: NonNullable<ScratchRow['n']>, state: string): void =>
    scratch.run('update output_files set state = ? where n = ?', state, n)

  function leaveOut(rows: readonly ScratchRow[], code: string, message: string): void {
    for (const { n, about } of rows) {
      setState(n!, 'left out')
      leftOut.add(code, String(about), message)
    }
  }

  const mediaTypeOf = ({ version }: ScratchRow): string =>
    String(scratch.first('select media_type from plan_versions where id = ?', version!)?.media_type ?? '')

  try {
    let left = Number(
      scratch.first("select count(*) as n from output_files where state = 'wanted' and media_key is not null")?.n,
    )
    const isWanted = (key: string): boolean => scratch.first(wanted, key) !== undefined
    for await (const { keys, size, sha256, chunks } of contents.files(isWanted, signal)) {
      const rows = keys.flatMap((key) => scratch.all(wanted, key))
      const isTrue = (row: ScratchRow): boolean => sha256 === undefined || row.sha256 === sha256
      leaveOut(
        rows.filter((row) => !isTrue(row)),
        ...damaged,
      )
      const whole = rows.filter(isTrue)
      if (whole.length > 0) await copy(whole, size, chunks)
      left -= rows.length
      if (left <= 0) break
    }
  } catch (error) {
    if (!keepGoing || !breaksOff(error)) throw error
  }
  const rest = scratch.all("select n, about from output_files where kind = 'file' and state = 'wanted'")
  leaveOut(rest, 'version.lost', 'Its file was lost earlier.')
  return { files, bytes }
}
