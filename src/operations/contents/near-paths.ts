import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { formatPath } from '../../domain/paths.ts'
import { homeTitle } from '../../domain/roots.ts'
import { foldText } from '../../std/text.ts'
import { pathOf } from './walk.ts'

const shown = 3
/** Longer titles are compared by their beginnings. */
const compared = 100

/** How many letters the right folder is worth. */
const elsewhere = 3

/**
 * Paths of what is called almost like the last of the titles, for a message: the most alike first, those in a folder of the
 * right name before others, at most three.
 */
export function nearPaths(scratch: Scratch, users: readonly ScratchRow[], titles: readonly string[]): string[] {
  const wanted = foldText(titles.at(-1) ?? '').slice(0, compared)
  if (wanted === '') return []
  const folder = foldText(titles.at(-2) ?? homeTitle)
  const isThere = (row: ScratchRow): boolean => {
    const parent =
      row.parent_seq === null ? undefined : scratch.first('select title from plan_nodes where seq = ?', row.parent_seq!)
    return parent !== undefined && foldText(String(parent.title)) === folder
  }
  let best: { readonly row: ScratchRow; readonly distance: number }[] = []
  for (const { u } of users) {
    for (const row of scratch.rows('select * from plan_nodes where u = ? and in_trash = 0', u!)) {
      const distance = distanceOf(wanted, foldText(String(row.title)).slice(0, compared))
      if (distance === undefined) continue
      best.push({ row, distance: isThere(row) ? distance : distance + elsewhere })
      if (best.length > 10 * shown) best = nearest(best)
    }
  }
  return nearest(best).map(({ row }) => formatPath(pathOf(scratch, row)))
}

const nearest = <T extends { readonly distance: number }>(found: readonly T[]): T[] =>
  found.toSorted((left, right) => left.distance - right.distance).slice(0, shown)

/** The number of letters to change; undefined for a name that nobody would take for the other. */
function distanceOf(wanted: string, title: string): number | undefined {
  const most = Math.floor(wanted.length / 3)
  if (wanted.length > 2 && title.includes(wanted)) return 1 + (title.length - wanted.length) / compared
  if (Math.abs(wanted.length - title.length) > most) return undefined
  const distance = editDistance(wanted, title)
  return distance <= most ? distance : undefined
}

/** Levenshtein's distance, row by row. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at]
    for (let other = 1; other <= right.length; other += 1) {
      const same = left[at - 1] === right[other - 1] ? 0 : 1
      next.push(Math.min(row[other]! + 1, next[other - 1]! + 1, row[other - 1]! + same))
    }
    row = next
  }
  return row.at(-1)!
}
