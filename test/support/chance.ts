/** Chance that is the same for the same seed. */
export interface Chance {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number
  /** True once in so many times. */
  once(inTimes: number): boolean
  /** One of them. Throws where there is none. */
  pick<T>(from: readonly T[]): T
  bytes(length: number): Buffer
}

/** Mulberry32: small, quick, and good enough to choose where to hit. */
export function createChance(seed: number): Chance {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return (value ^ (value >>> 14)) >>> 0
  }
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit)
  return {
    below,
    once: (inTimes) => below(inTimes) === 0,
    pick(from) {
      if (from.length === 0) throw new RangeError('There is nothing to choose from')
      return from[below(from.length)]!
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  }
}
