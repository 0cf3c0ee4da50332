import { StrongroomError } from '../errors.ts'

/** True for what ends the reading of an archive, where more cannot be read. */
export const breaksOff = (error: unknown): error is StrongroomError =>
  error instanceof StrongroomError && (error.code === 'archive.truncated' || error.code === 'archive.damaged')
