/** A version or page as the archive lists it, with the number that its files lie by. */
export interface Numbered {
  readonly written: number
  readonly wanted: number
  readonly place: number
}

/** The largest number that both databases keep. */
const largestNumber = 2 ** 31 - 1

const after = (number: number): number => (number === largestNumber ? 1 : number + 1)

/** The number of each, by its place: its own, or where an earlier one has that the next that nobody wants. */
export function giveNumbers(
  listed: readonly Numbered[],
  onChange: (from: number, to: number) => void,
): ReadonlyMap<number, number> {
  const wanted = new Set(listed.map((entry) => entry.wanted))
  const taken = new Set<number>()
  const next = new Map<number, number>()
  const given = new Map<number, number>()
  for (const entry of listed) {
    let number = entry.wanted
    if (taken.has(number)) {
      number = next.get(number) ?? number
      while (wanted.has(number) || taken.has(number)) number = after(number)
      next.set(entry.wanted, after(number))
      onChange(entry.wanted, number)
    }
    taken.add(number)
    given.set(entry.place, number)
  }
  return given
}
