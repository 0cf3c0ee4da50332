import type { StrongroomError } from '../errors.ts'
import type { ErrorKind } from '../errors.ts'

/** A fault of the program. */
export const exitFault = 1
/** Done, but the report names something that was left out. */
export const exitLeftOut = 3
/** What was compared is not the same. */
export const exitDifferent = 3
/** The archive is damaged, hostile or invalid, and the report says how. */
export const exitUnsound = 4
/** A dry run found conflicts. */
export const exitConflict = 5
/** The reader of standard output went away: 128 and the number of SIGPIPE, as shells count. */
export const exitBrokenPipe = 141

const ofKind: Readonly<Record<Exclude<ErrorKind, 'interrupted'>, number>> = {
  fault: exitFault,
  usage: 2,
  corrupt: 4,
  invalid: 4,
  conflict: exitConflict,
  not_found: 6,
  busy: 7,
  denied: 8,
  unavailable: 9,
}

const ofSignal: Readonly<Record<string, number>> = { SIGINT: 130, SIGPIPE: exitBrokenPipe, SIGTERM: 143 }

/** The exit code of a failed command. */
export function exitCodeOf(error: StrongroomError): number {
  if (error.kind === 'interrupted') return ofSignal[String(error.details['signal'])] ?? 143
  return ofKind[error.kind]
}
