import { PassThrough } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { showProgress } from './progress.ts'

const never = new AbortController().signal

function screen(isTTY: boolean) {
  const chunks: string[] = []
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100 })
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  return { stream, text: () => chunks.join('') }
}

test('without a terminal a line is written every five seconds, with amount, rate and time left', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const { stream, text } = screen(false)
    using progress = await showProgress(stream, false, never)
    const at = (done: number) => progress.onProgress({ phase: 'Writing', done, total: 30_000_000, unit: 'bytes' })
    at(0)
    vi.advanceTimersByTime(4000)
    at(8_000_000)
    vi.advanceTimersByTime(1000)
    at(10_000_000)
    expect(text()).toBe('Writing: 10.0 MB of 30.0 MB, 2.0 MB/s, 10 s left\n')
  } finally {
    vi.useRealTimers()
  }
})

test('on a terminal a bar is drawn', async () => {
  const { stream, text } = screen(true)
  using progress = await showProgress(stream, false, never)
  progress.onProgress({ phase: 'Reading', done: 5, total: 10, unit: 'documents' })
  expect(text()).toContain('Reading')
  expect(text()).toContain('50%')
  expect(text()).toContain('5 of 10 documents')
})

test('quiet shows nothing', async () => {
  const { stream, text } = screen(true)
  using progress = await showProgress(stream, true, never)
  progress.onProgress({ phase: 'Reading', done: 5, total: 10, unit: 'files' })
  expect(text()).toBe('')
})

test('an operation that reports progress learns that it is to end', async () => {
  const interrupted = new AbortController()
  const { stream } = screen(false)
  using progress = await showProgress(stream, true, interrupted.signal)
  interrupted.abort(new Error('enough'))
  expect(() => progress.onProgress({ phase: 'Reading', done: 1, unit: 'files' })).toThrow('enough')
})
