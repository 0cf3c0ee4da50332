import { spawnSync } from 'node:child_process'

/**
 * True where something that a test needs is there. Otherwise says in a line what is skipped for want of it, or fails where
 * STRONGROOM_NO_SKIPS=1 asks for everything.
 */
export function needs(what: string, present: boolean, skipped: string): boolean {
  if (present) return true
  if (process.env.STRONGROOM_NO_SKIPS === '1') throw new Error(`${what} is not there; needed for: ${skipped}`)
  console.warn(`Skipped, for ${what} is not there: ${skipped}`)
  return false
}

/** True where the program can be started. */
export const hasProgram = (program: string, versionFlag = '--version'): boolean =>
  spawnSync(program, [versionFlag], { stdio: 'ignore' }).error === undefined
