/**
 * Turns a function that hands out values into a generator of them. `emit` resolves when the reader asks for the next value,
 * so nothing piles up. Where the reader stops early, `emit` rejects, and the generator ends when `work` has.
 */
export async function* generatorFrom<T>(
  work: (emit: (value: T) => Promise<void>) => Promise<void>,
): AsyncGenerator<T, void, undefined> {
  const stopped = new Error('the reader stopped')
  let reading = true
  let offered = Promise.withResolvers<{ readonly value: T } | undefined>()
  let taken = Promise.withResolvers<void>()
  const ended = work(async (value) => {
    if (!reading) throw stopped
    taken = Promise.withResolvers<void>()
    offered.resolve({ value })
    await taken.promise
  }).then(
    () => offered.resolve(undefined),
    (error: unknown) => offered.reject(error),
  )
  try {
    for (;;) {
      const offer = await offered.promise
      if (offer === undefined) return
      offered = Promise.withResolvers()
      yield offer.value
      taken.resolve()
    }
  } finally {
    reading = false
    // Nobody may wait for either any more; that is no unhandled failure.
    taken.promise.catch(() => undefined)
    offered.promise.catch(() => undefined)
    taken.reject(stopped)
    await ended
  }
}
