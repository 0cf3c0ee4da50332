/** How many to keep; for the periods: how many of them that have one at all. `all` sets no limit. */
export type KeepCount = number | 'all'

/** Which backups are kept, in the words of restic's `forget`. */
export interface KeepRules {
  readonly last?: KeepCount
  readonly daily?: KeepCount
  readonly weekly?: KeepCount
  readonly monthly?: KeepCount
  readonly yearly?: KeepCount
}

export type KeepReason = keyof KeepRules

/** The period that a moment lies in, in UTC; a week as ISO 8601 counts them. */
const periods: Readonly<Record<Exclude<KeepReason, 'last'>, (moment: string) => string>> = {
  daily: (moment) => moment.slice(0, 10),
  weekly: isoWeek,
  monthly: (moment) => moment.slice(0, 7),
  yearly: (moment) => moment.slice(0, 4),
}

const dayMilliseconds = 86_400_000

/** A week belongs to the year that its Thursday is in. */
function isoWeek(moment: string): string {
  const day = new Date(`${moment.slice(0, 10)}T00:00:00Z`)
  const fromMonday = (day.getUTCDay() + 6) % 7
  const thursday = new Date(day.getTime() + (3 - fromMonday) * dayMilliseconds)
  const year = thursday.getUTCFullYear()
  const week = 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * dayMilliseconds))
  return `${year}-${week}`
}

/**
 * Why each of these moments (ISO 8601 in UTC, the newest first) is kept; an empty list for one that may go. A rule keeps
 * the newest of each period, as many periods as it says, and while it has not had as many, the oldest of all too, so that
 * the history is as long as it can be. Source: restic, "Removing backup snapshots", and its ApplyPolicy.
 */
export function keepReasons(newestFirst: readonly string[], rules: KeepRules): KeepReason[][] {
  const reasons: KeepReason[][] = newestFirst.map(() => [])
  for (const [rule, count] of Object.entries(rules) as [KeepReason, KeepCount | undefined][]) {
    let left = count === 'all' ? Infinity : (count ?? 0)
    let period: string | undefined
    for (const [at, moment] of newestFirst.entries()) {
      if (left === 0) break
      const its = rule === 'last' ? String(at) : periods[rule](moment)
      if (its === period && at < newestFirst.length - 1) continue
      reasons[at]!.push(rule)
      period = its
      left -= 1
    }
  }
  return reasons
}
