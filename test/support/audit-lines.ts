import { expect } from 'vitest'
import type { AuditLine } from '../../src/contract/audit.ts'
import type { CommandInstance } from './command-instances.ts'

export interface AuditReport {
  readonly lines: readonly AuditLine[]
}

/** All that was noted of an instance. */
export async function linesOf(instance: CommandInstance, ...options: readonly string[]): Promise<readonly AuditLine[]> {
  return (await instance.report<AuditReport>(['audit', '--last', '0', ...options])).lines
}

/**
 * The lines that a command leaves, each without its number and its moment; what was noted before must stay. A password is
 * given to it.
 */
export async function linesLeft(
  instance: CommandInstance,
  args: readonly string[],
): Promise<Omit<AuditLine, 'number' | 'at'>[]> {
  const before = await linesOf(instance)
  await instance.report(args, { stdin: 'a long secret\n' })
  const after = await linesOf(instance)
  expect(after.slice(0, before.length)).toEqual(before)
  return after.slice(before.length).map(({ number: _number, at: _at, ...line }) => line)
}

/** A line as it is to be. */
export const auditLine = (action: string, username: string | null, about: string, details: object) => ({
  action,
  username,
  about,
  details,
})
