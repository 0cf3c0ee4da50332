/** What is known of a file once it is on disk. */
export interface StoredFile {
  readonly key: string
  readonly size: number
  /** 64 lower-case hex digits. */
  readonly sha256: string
}

/** A file opened for reading; its size is fixed at opening. Dispose it. */
export interface MediaFile extends AsyncDisposable {
  readonly size: number
  /** The bytes in chunks of up to 1 MiB; each chunk is valid until the next is asked for. */
  chunks(): AsyncIterable<Uint8Array>
}

/**
 * The bytes of an instance. A key is a relative path below `docs/` or `sidecars/` made by media/keys.ts. A file is
 * written once and never changed. Errors: `file.no_space`, `file.denied`, `file.io`, `media.missing`.
 */
export interface MediaStore {
  /** Starts a group of files that become durable together. */
  begin(): MediaBatch
  /** Opens a regular file, never through a link. Throws `media.missing`. */
  open(key: string): Promise<MediaFile>
  /** Size in bytes, or undefined where there is no regular file. */
  size(key: string): Promise<number | undefined>
  /** Removes a file, and the folders that it leaves empty. Removing what is not there is no error. Not durable. */
  remove(key: string): Promise<void>
  /** Removes each of these files so that no loss of power brings one back. */
  removeAll(keys: readonly string[]): Promise<void>
  /** Everything below `docs/` and `sidecars/` that is no folder (links too), in no order, whatever refers to it. */
  list(): AsyncIterable<{ key: string; size: number }>
  /** Bytes that may still be written to its disk. */
  freeBytes(): Promise<number>
}

/** Dispose it to close what is open still; without `sync` before that, nothing is sure to be durable. */
export interface MediaBatch extends AsyncDisposable {
  /**
   * Writes a new file under its final name and hashes it on the way. The key must be listed in `pending_files` by then.
   * Throws where a file is there already (`file.exists`). Not durable before `sync`.
   */
  put(key: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredFile>
  /** Resolves when every file put so far, and every folder made for it, would survive a loss of power. */
  sync(): Promise<void>
}
