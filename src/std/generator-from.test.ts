import { expect, test } from 'vitest'
import { generatorFrom } from './generator-from.ts'

test('the values come in their order, each only when it is asked for', async () => {
  const log: string[] = []
  const values = generatorFrom<number>(async (emit) => {
    for (const value of [1, 2, 3]) {
      log.push(`made ${value}`)
      await emit(value)
    }
    log.push('end')
  })
  for await (const value of values) log.push(`read ${value}`)
  expect(log).toEqual(['made 1', 'read 1', 'made 2', 'read 2', 'made 3', 'read 3', 'end'])
})

test('a failure reaches the reader after the values before it', async () => {
  const failure = new Error('broken')
  const values = generatorFrom<number>(async (emit) => {
    await emit(1)
    throw failure
  })
  expect(await values.next()).toEqual({ value: 1, done: false })
  await expect(values.next()).rejects.toBe(failure)
  expect(await values.next()).toEqual({ value: undefined, done: true })
})

test('where the reader stops early, the work ends before the reader goes on', async () => {
  let cleaned = false
  const values = generatorFrom<number>(async (emit) => {
    try {
      for (let value = 1; ; value += 1) await emit(value)
    } finally {
      cleaned = true
    }
  })
  for await (const value of values) if (value === 3) break
  expect(cleaned).toBe(true)
})

test('no value at all is no failure', async () => {
  expect(await Array.fromAsync(generatorFrom<number>(async () => undefined))).toEqual([])
})
