import { numberedComponent, shortenPath, twinKey } from '../archive/member-names.ts'
import type { Scratch } from '../database/scratch.ts'

/** A path that had to be shortened may meet another that was; `shortened` in the scratch database has them. */
export function uniquePath(scratch: Scratch, whole: readonly string[]): readonly string[] {
  const short = shortenPath(whole)
  if (short === whole) return whole
  const last = short.at(-1)!
  let components = short
  for (let number = 2; ; number += 1) {
    const key = twinKey(components.join('/'))
    if (scratch.first('select 1 as n from shortened where key = ?', key) === undefined) {
      scratch.run('insert into shortened values (?)', key)
      return components
    }
    components = [...short.slice(0, -1), numberedComponent(last, number)]
  }
}
