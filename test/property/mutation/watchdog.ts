import { Worker } from 'node:worker_threads'

/** From a thread of its own, for a loop that never ends lets no timer run: kills the process if nothing was told for long. */
const guard = `
const { parentPort, workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
let doing = 'nothing', since = Date.now()
parentPort.on('message', (what) => { doing = what; since = Date.now() })
setInterval(() => {
  if (Date.now() - since < workerData) return
  writeSync(2, 'Still at it after ' + workerData / 1000 + ' seconds: ' + doing + '\\n')
  process.kill(process.pid, 'SIGKILL')
}, 1000)`

export function startWatchdog(seconds: number) {
  const worker = new Worker(guard, { eval: true, workerData: seconds * 1000 })
  return {
    /** What is being done from now on. */
    tell: (what: string): void => worker.postMessage(what),
    [Symbol.asyncDispose]: async (): Promise<void> => void (await worker.terminate()),
  }
}
