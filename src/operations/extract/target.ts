/** A path below the place that is written to, outermost name first. Each name is one that every file system takes. */
export type OutputPath = readonly string[]

export interface OutputFile {
  readonly path: OutputPath
  /** Seconds since 1970. */
  readonly mtime: number
}

/** Where documents are written to: a folder, or a file that holds folders. */
export interface OutputTarget extends AsyncDisposable {
  folder(path: OutputPath, mtime: number): Promise<void>
  /**
   * Writes the same bytes at each place, one at least. False, with nothing written, where they are not those with this hash;
   * any bytes are right where that is undefined. Throws what `chunks` throws, with nothing written, and `file.…`.
   */
  file(
    places: readonly OutputFile[],
    content: { readonly size: number | undefined; readonly sha256: string | undefined; readonly mediaType: string },
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<boolean>
  /** Resolves when all of it would survive a loss of power, under its final name. */
  finish(): Promise<void>
}
