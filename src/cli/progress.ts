import type { OnProgress, Progress } from '../contract/reports.ts'
import { bytesText, countText, secondsText } from './units.ts'
import type { Terminal } from './terminal.ts'

export interface ProgressDisplay extends Disposable {
  readonly onProgress: OnProgress
}

const lineEveryMs = 5000

const amount = (value: number, unit: Progress['unit']): string =>
  unit === 'bytes' ? bytesText(value) : countText(value)

/** `1.2 GB of 3.0 GB, 104.2 MB/s, 17 s left`; what cannot be known is left out. */
function describe({ done, total, unit }: Progress, seconds: number): string {
  const rate = seconds > 0.5 ? done / seconds : 0
  const parts = [total === undefined ? amount(done, unit) : `${amount(done, unit)} of ${amount(total, unit)}`]
  if (unit !== 'bytes') parts[0] += ` ${unit}`
  if (rate > 0) parts.push(`${amount(Math.round(rate), unit)}/s`)
  if (rate > 0 && total !== undefined && total >= done) parts.push(`${secondsText((total - done) / rate)} left`)
  return parts.join(', ')
}

/**
 * Shows how far an operation is, on standard error: a bar on a terminal, else a line every five seconds. Asking for
 * progress is also where an operation learns that it is to end: `onProgress` throws the reason of an aborted signal.
 */
export async function showProgress(
  stderr: Terminal['stderr'],
  quiet: boolean,
  signal: AbortSignal,
): Promise<ProgressDisplay> {
  const show = quiet ? undefined : await (stderr.isTTY === true ? bar(stderr) : lines(stderr))
  return {
    onProgress(progress) {
      signal.throwIfAborted()
      show?.onProgress(progress)
    },
    [Symbol.dispose]: () => show?.[Symbol.dispose](),
  }
}

function timer() {
  let phase: string | undefined
  let started = 0
  return (progress: Progress): number => {
    const now = performance.now()
    if (progress.phase !== phase) {
      phase = progress.phase
      started = now
    }
    return (now - started) / 1000
  }
}

function lines(stderr: Terminal['stderr']): ProgressDisplay {
  const secondsIn = timer()
  let lastLine = performance.now()
  return {
    onProgress(progress) {
      const seconds = secondsIn(progress)
      if (performance.now() - lastLine < lineEveryMs) return
      lastLine = performance.now()
      stderr.write(`${progress.phase}: ${describe(progress, seconds)}\n`)
    },
    [Symbol.dispose]: () => undefined,
  }
}

async function bar(stderr: Terminal['stderr']): Promise<ProgressDisplay> {
  const { SingleBar } = await import('cli-progress')
  const secondsIn = timer()
  let phase: string | undefined
  let shown: InstanceType<typeof SingleBar> | undefined
  const stop = () => {
    shown?.stop()
    shown = undefined
  }
  return {
    onProgress(progress) {
      const text = describe(progress, secondsIn(progress))
      if (progress.phase !== phase) {
        stop()
        phase = progress.phase
        const format = progress.total === undefined ? '{phase}: {text}' : '{phase} {bar} {percentage}%  {text}'
        const options = { format, stream: stderr as NodeJS.WriteStream, clearOnComplete: true, hideCursor: true }
        // Signals are the command's own business; the bar must not catch them.
        shown = new SingleBar({ ...options, gracefulExit: false, barsize: 24, fps: 5 })
        shown.start(progress.total ?? 0, progress.done, { phase, text })
        return
      }
      if (progress.total !== undefined) shown?.setTotal(progress.total)
      shown?.update(progress.done, { text })
    },
    [Symbol.dispose]: stop,
  }
}
