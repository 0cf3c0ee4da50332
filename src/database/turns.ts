/** Lets one caller in at a time, in the order in which they came. */
export interface Turns {
  /** Resolves to the function that ends the turn, or to undefined where it did not come within `seconds`. */
  take(seconds: number): Promise<(() => void) | undefined>
}

export function createTurns(): Turns {
  let taken = false
  const waiting: (() => void)[] = []

  function end(): void {
    const next = waiting.shift()
    if (next === undefined) taken = false
    else next()
  }

  return {
    take(seconds) {
      if (!taken) {
        taken = true
        return Promise.resolve(end)
      }
      return new Promise((resolve) => {
        const enter = (): void => {
          clearTimeout(timer)
          resolve(end)
        }
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(enter), 1)
          resolve(undefined)
        }, seconds * 1000)
        waiting.push(enter)
      })
    },
  }
}
