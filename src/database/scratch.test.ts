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
