import { closeSync, fdatasync, fsync } from 'node:fs'
import { toFileError } from '../std/files.ts'

/** A file or a folder that is open and was written to. */
interface Written {
  readonly descriptor: number
  /** The path for people. */
  readonly path: string
  readonly kind: 'file' | 'folder'
}

/** Makes what is given to it durable, in the background, and closes it. */
export interface SyncQueue {
  add(written: Written): void
  /** Resolves when at most so many are left. Throws what failed since, and from then on always. */
  atMost(count: number): Promise<void>
  /** Resolves when nothing is left, whatever failed. */
  idle(): Promise<void>
}

/**
 * A disk takes many at once, and answers all of them hardly later than one. The launcher has Node make more threads than
 * this, so that what reads and decompresses meanwhile finds some free.
 */
const syncsAtOnce = 8

export function createSyncQueue(): SyncQueue {
  const waiting: Written[] = []
  const waiters = new Set<{ readonly count: number; readonly goOn: () => void }>()
  let running = 0
  let failure: { readonly error: unknown } | undefined

  function start(): void {
    while (running < syncsAtOnce && waiting.length > 0) {
      const written = waiting.shift()!
      running += 1
      const sync = written.kind === 'file' ? fdatasync : fsync
      sync(written.descriptor, (error) => finish(written, error))
    }
  }

  function finish({ descriptor, path }: Written, error: Error | null): void {
    running -= 1
    try {
      closeSync(descriptor)
      if (error !== null) throw error
    } catch (failed) {
      failure ??= { error: toFileError(failed, path, 'written') }
    }
    start()
    wake()
  }

  /** One at a time, who will bring more; at the end everybody. */
  function wake(): void {
    for (const waiter of waiters) {
      if (left() > waiter.count) continue
      waiters.delete(waiter)
      waiter.goOn()
      if (left() > 0) return
    }
  }

  const left = (): number => waiting.length + running

  async function untilAtMost(count: number): Promise<void> {
    if (left() > count) await new Promise<void>((goOn) => waiters.add({ count, goOn }))
  }

  return {
    add(written) {
      waiting.push(written)
      start()
    },
    async atMost(count) {
      await untilAtMost(count)
      if (failure !== undefined) throw failure.error
    },
    idle: () => untilAtMost(0),
  }
}
