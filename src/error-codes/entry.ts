/** What sort of failure a code is; the command line turns it into an exit code, HTTP into a status. */
export type ErrorKind =
  | 'fault' // the program itself is wrong
  | 'usage' // the command was written wrongly
  | 'corrupt' // the input is damaged or hostile
  | 'invalid' // the input is well formed and not acceptable
  | 'conflict' // something is there already
  | 'not_found' // what was named does not exist
  | 'busy' // somebody else is at work
  | 'denied' // permission
  | 'unavailable' // no space, input/output error, unreachable database
  | 'interrupted' // ended by a signal

/** What a code stands for. */
export interface ErrorEntry {
  readonly kind: ErrorKind
  readonly message: string
  readonly hint: string
}
