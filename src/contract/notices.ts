import type { Notice, Notices } from './reports.ts'

export interface NoticeCollector {
  add(code: string, about: string, message: string): void
  readonly count: number
  collected(): Notices
}

/** Collects notices in bounded memory: keeps the first `limit` of each code and counts the rest. */
export function createNotices(limit = 100): NoticeCollector {
  const listed: Notice[] = []
  const byCode = new Map<string, number>()
  let total = 0
  return {
    add(code, about, message) {
      total += 1
      const seen = (byCode.get(code) ?? 0) + 1
      byCode.set(code, seen)
      if (seen <= limit) listed.push({ code, about, message })
    },
    get count() {
      return total
    },
    collected: () => ({ total, byCode: Object.fromEntries(byCode), listed: [...listed] }),
  }
}
