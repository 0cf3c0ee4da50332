import { expect, test } from 'vitest'
import { giveWay } from './turns.ts'

test('a loop that only gives way lets timers have their turn', async () => {
  const rang: number[] = []
  setTimeout(() => rang.push(1), 1)
  while (rang.length === 0) await giveWay()
  expect(rang).toEqual([1])
})
