/** How long work that blocks may keep everything else waiting, in milliseconds. */
const longestTurn = 10

let begun = performance.now()

/**
 * Lets signals, timers and what the threads have finished have their turn, where that was long ago. To be awaited between
 * steps that block: a loop of them alone would never hear of an interruption.
 */
export function giveWay(): Promise<void> | undefined {
  if (performance.now() - begun < longestTurn) return undefined
  return new Promise((resolve) => {
    setImmediate(() => {
      begun = performance.now()
      resolve()
    })
  })
}
