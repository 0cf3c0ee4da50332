import { open } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { reasonOf } from '../std/text.ts'
import { headBytes, isPdf } from './media-type.ts'
import type { PageCount, PageCountAnswer } from './page-count-worker.ts'

/** Counts pages until it is disposed; one file at a time, however many are asked for. */
export interface PageCounter extends AsyncDisposable {
  /**
   * The pages of a PDF, encrypted and damaged ones included where they can be told; undefined for a file that is no PDF.
   * The file is read in blocks as they are needed, never whole. Rejects only where the file itself cannot be read.
   */
  countPages(path: string): Promise<PageCount | undefined>
}

/** How long one file may take before it is given up. */
const defaultTimeLimit = 30_000
const workerFile = new URL('./page-count-worker.ts', import.meta.url)

/**
 * Counting runs in a thread of its own with limits on time and memory, since PDF files come from anywhere. The thread is
 * started with the first PDF, used again for the next, and holds no process open.
 */
export function createPageCounter(limits: { readonly milliseconds?: number } = {}): PageCounter {
  const milliseconds = limits.milliseconds ?? defaultTimeLimit
  let worker: Worker | undefined
  let turn: Promise<unknown> = Promise.resolve()

  async function discardWorker(): Promise<void> {
    const old = worker
    worker = undefined
    await old?.terminate()
  }

  async function ask(path: string): Promise<PageCount> {
    worker ??= startWorker()
    const used = worker
    used.ref()
    const answer = await answerOf(used, path, milliseconds)
    used.unref()
    if (!answer.reusable) await discardWorker()
    return answer.count
  }

  return {
    async countPages(path) {
      if (!isPdf(await readHead(path))) return undefined
      const mine = turn.then(() => ask(path))
      turn = mine.catch(() => undefined)
      return mine
    },
    async [Symbol.asyncDispose]() {
      await turn
      await discardWorker()
    },
  }
}

function startWorker(): Worker {
  const worker = new Worker(workerFile, {
    resourceLimits: { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 },
    stdout: true,
    stderr: true,
  })
  worker.unref()
  return worker
}

function answerOf(worker: Worker, path: string, milliseconds: number): Promise<PageCountAnswer> {
  return new Promise((resolve) => {
    const failed = (problem: string) => settle({ count: { problem }, reusable: false })
    const onMessage = (answer: PageCountAnswer) => settle(answer)
    const onError = (error: unknown) => failed(`its pages could not be counted (${reasonOf(error)})`)
    const onExit = () => failed('its pages could not be counted (the reader ended)')
    const timer = setTimeout(() => failed(`counting its pages took longer than ${milliseconds / 1000} s`), milliseconds)
    function settle(answer: PageCountAnswer): void {
      clearTimeout(timer)
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      // The thread may still fail while it is being ended; nobody waits for it any more.
      if (!answer.reusable) worker.on('error', () => undefined)
      resolve(answer)
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage(path)
  })
}

async function readHead(path: string): Promise<Uint8Array> {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  return buffer.subarray(0, bytesRead)
}
