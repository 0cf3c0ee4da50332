import { metadataName } from '../../archive/layout.ts'
import type { Scratch } from '../../database/scratch.ts'
import type { StrongroomError } from '../../errors.ts'

/** Where what is found goes: a restore throws at the first problem, a verification collects them. */
export interface Findings {
  problem(error: StrongroomError): void
  warning(code: string, about: string, message: string): void
  /** Whether an archive that breaks off is a problem like others. */
  readonly salvage?: boolean
  /** Whether it is proved that the index and the directory lead to what they name. */
  readonly places?: boolean
}

/** Stops at the first problem. */
export const strictFindings = (warning: Findings['warning']): Findings => ({
  problem(error) {
    throw error
  },
  warning,
})

/**
 * Goes on where a file is damaged or missing, or the archive breaks off after its backup.json: what is left out is told to
 * `leftOut`. Everything else stops it, as nothing can be believed then.
 */
export function salvagingFindings(
  scratch: Scratch,
  warning: Findings['warning'],
  leftOut: Findings['warning'],
): Findings {
  const bearable = new Set([
    'archive.missing_file',
    'archive.checksum_mismatch',
    'archive.truncated',
    'archive.damaged',
  ])
  return {
    warning,
    salvage: true,
    problem(error) {
      const member = String(error.details['member'] ?? '')
      if (!bearable.has(error.code) || member === metadataName) throw error
      if (error.code === 'archive.checksum_mismatch') {
        scratch.run("update members set type = 'damaged', used = 1 where path = ?", member)
      }
      leftOut(error.code, member, error.message)
    },
  }
}
