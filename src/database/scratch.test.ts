import { expect, test } from 'vitest'
import { memoryFolder } from '../std/spool.ts'
import { openScratch } from './scratch.ts'

test('a scratch database in memory is refused to grow beyond its limit, and says what to do', () => {
  using scratch = openScratch(memoryFolder, 1)
  scratch.exec('create table texts (id integer primary key, text text)')
  const fill = (): void => {
    for (let id = 0; id < 300; id += 1) scratch.run('insert into texts values (?, ?)', id, 'x'.repeat(10_000))
  }
  expect(fill).toThrow(
    expect.objectContaining({
      code: 'scratch.memory_full',
      details: { limit: 1 },
      hint: expect.stringContaining('STRONGROOM_SCRATCH') as string,
    }),
  )
  expect(Number(scratch.first('select count(*) as n from texts')?.n)).toBeGreaterThan(50)
})

test('a scratch database in memory sorts there too', () => {
  using scratch = openScratch(memoryFolder)
  expect(scratch.first('pragma temp_store')).toEqual({ temp_store: 2 })
})

test('readers of the same rows do not disturb each other, also where one stops early', () => {
  using scratch = openScratch(memoryFolder)
  scratch.exec('create table numbers (n integer primary key); insert into numbers values (1), (2), (3)')
  const numbers = () => scratch.rows('select n from numbers order by n')
  const pairs: string[] = []
  for (const { n: one } of numbers()) for (const { n: other } of numbers()) pairs.push(`${one}${other}`)
  expect(pairs).toEqual(['11', '12', '13', '21', '22', '23', '31', '32', '33'])
  for (const { n } of numbers()) if (n === 2) break
  expect([...numbers()].map(({ n }) => n)).toEqual([1, 2, 3])
})

test('a change says how many rows it changed', () => {
  using scratch = openScratch(memoryFolder)
  scratch.exec('create table numbers (n integer primary key)')
  const insert = (): number => scratch.change('insert into numbers values (?) on conflict (n) do nothing', 1)
  expect([insert(), insert()]).toEqual([1, 0])
})
