import type { OnProgress } from '../../contract/reports.ts'
import type { Scratch } from '../../database/scratch.ts'
import type { StrongroomError } from '../../errors.ts'
import type { Choice } from '../contents/choose.ts'
import type { ArchivedFile } from '../staging/archive-files.ts'
import type { Findings } from '../staging/findings.ts'
import type { Staged } from '../staging/staged.ts'

type Note = Findings['warning']

/** Where it is noted what was found. */
export interface SourceNotes {
  /** Whether what can be done without is left out, where it is damaged, instead of ending the reading. */
  readonly keepGoing: boolean
  readonly warning: Note
  readonly leftOut: Note
  /** What of it is wanted; all of it without. */
  readonly choice?: Choice
}

/** Where what is restored comes from: an archive, or a living Papermerge. It is read twice. Dispose it. */
export interface Source extends AsyncDisposable {
  /** The command that brings such a thing in. */
  readonly operation: 'restore' | 'import-papermerge'
  /** How messages name it. */
  readonly name: string
  /**
   * The first reading: checks all that is wanted, and keeps the records in `scratch`. What is found there goes to the notes, and what is
   * found when the records are related goes to the findings that it gives.
   */
  stage(
    scratch: Scratch,
    notes: SourceNotes,
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<{ readonly staged: Staged; readonly findings: Findings }>
  /** The same for what holds the same, once it was staged: 64 lower-case hex digits. */
  identity(scratch: Scratch): Promise<string>
  /**
   * The second reading: the planned files with a key that is wanted. Throws `changed()` where they are not what they were.
   */
  files(scratch: Scratch, isWanted: (key: string) => boolean, signal?: AbortSignal): AsyncIterable<ArchivedFile>
  /** The error for what was not the same in the second reading. */
  changed(): StrongroomError
  /** Whether an error of the second reading may end it, where the first went on after the same. */
  mayEnd(error: unknown): boolean
}
