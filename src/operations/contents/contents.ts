import type { Scratch } from '../../database/scratch.ts'

/** A file that belongs to a version or a page. */
export interface ContentsFile {
  /** Each key (`media_key` of plan_versions and plan_sidecars) that has these bytes; one at least. */
  readonly keys: readonly string[]
  readonly size: number
  /** What its bytes have, where that is known before they are read. */
  readonly sha256?: string
  /** To be read once, before the next file is asked for. Throws `media.missing`, `file.…`, `archive.…`. */
  chunks(): AsyncIterable<Uint8Array>
}

/**
 * What an archive or an instance holds, looked at in one way: rows in the plan_ tables (staging/plan.ts) of a scratch
 * database, and files by their keys. Dispose it.
 */
export interface Contents extends AsyncDisposable {
  /** How messages name it. */
  readonly name: string
  readonly scratch: Scratch
  /**
   * The files with a key that is wanted, one after the other, in the order in which they are read fastest. A file that the
   * rows name and that is not there throws when its bytes are read; where an archive lacks it, its row has no key.
   */
  files(isWanted: (key: string) => boolean, signal?: AbortSignal): AsyncIterable<ContentsFile>
}
