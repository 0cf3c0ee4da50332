import { createNotices } from '../../contract/notices.ts'
import type { Report } from '../../contract/reports.ts'

/** The report of a small command that leaves nothing out: what it was about. */
export function done<Facts extends object>(operation: string, facts: Facts): Report & Facts {
  const nothing = createNotices().collected()
  return { operation, ...facts, warnings: nothing, leftOut: nothing }
}
