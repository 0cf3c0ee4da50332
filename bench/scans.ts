import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/** What the corpus has for scans: PDFs of JPEGs, or random bytes of their size, which nothing compresses. */
export type Bodies = 'scans' | 'random'

/** A scan and what text recognition made of it. */
export interface Scan {
  readonly file: Uint8Array
  readonly text: string
  readonly svg: string
}

/** The scans 0 to `count` - 1, in their order, made by as many threads as there are cores. */
export async function* scansOf(count: number, bodies: Bodies): AsyncGenerator<Scan> {
  const threads = Array.from(
    { length: availableParallelism() },
    () => new Worker(new URL('./scan-worker.ts', import.meta.url), { workerData: bodies }),
  )
  const answers = (number: number): Promise<Scan> => {
    const thread = threads[number % threads.length]!
    thread.postMessage(number)
    return once(thread, 'message').then(([scan]) => scan as Scan)
  }
  try {
    for (let start = 0; start < count; start += threads.length) {
      const numbers = Array.from({ length: Math.min(threads.length, count - start) }, (_, index) => start + index)
      yield* await Promise.all(numbers.map(answers))
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()))
  }
}
