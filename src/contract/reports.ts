/** What an operation did: the same shape for people, for --json and for HTTP. */

/** One thing worth knowing: what it is about, and what happened to it. */
export interface Notice {
  /** A stable word for programs, as `version.damaged`. */
  readonly code: string
  /** The path, user, file or archive member. */
  readonly about: string
  /** A sentence for people. */
  readonly message: string
}

/** Notices as a report carries them: the first few of each code, and how many there were of each. */
export interface Notices {
  readonly total: number
  readonly byCode: Readonly<Record<string, number>>
  readonly listed: readonly Notice[]
}

/** Every report has these. */
export interface Report {
  readonly operation: string
  /** Altered, doubtful or ignored, with nothing missing from the result. */
  readonly warnings: Notices
  /** Missing from the result although it was asked for; the exit code is then 3. */
  readonly leftOut: Notices
}

/** How far a long operation is. `total` is unknown where it is undefined. */
export interface Progress {
  readonly phase: string
  readonly done: number
  readonly total?: number
  readonly unit: 'bytes' | 'documents' | 'files' | 'pages'
}

export type OnProgress = (progress: Progress) => void
