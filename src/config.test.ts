import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const work = '/somewhere'

test('the data directory is the option, else the variable, else ./data', () => {
  expect(readConfig({ STRONGROOM_DATA: 'b' }, { data: 'a' }, work).dataDirectory).toBe('/somewhere/a')
  expect(readConfig({ STRONGROOM_DATA: '/b' }, {}, work).dataDirectory).toBe('/b')
  expect(readConfig({ STRONGROOM_DATA: '' }, {}, work).dataDirectory).toBe('/somewhere/data')
})

test('the database is the option, else the variable, else the file that a variable names, else none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-config-'))
  try {
    await writeFile(join(folder, 'url'), 'postgres://c\n')
    const file = { STRONGROOM_DATABASE_URL_FILE: 'url' }
    const both = { STRONGROOM_DATABASE_URL: 'postgres://b', ...file }
    expect(readConfig(both, { database: 'postgres://a' }, folder).databaseUrl).toBe('postgres://a')
    expect(readConfig(both, {}, folder).databaseUrl).toBe('postgres://b')
    expect(readConfig(file, {}, folder).databaseUrl).toBe('postgres://c')
    expect(readConfig({}, {}, folder).databaseUrl).toBeUndefined()
    await writeFile(join(folder, 'url'), '\n')
    expect(() => readConfig(file, {}, folder)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    await rm(join(folder, 'url'))
    expect(() => readConfig(file, {}, folder)).toThrow(expect.objectContaining({ code: 'file.not_found' }))
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a relative path of a SQLite database starts at the working directory', () => {
  expect(readConfig({}, { database: 'sqlite:a/b.db' }, work).databaseUrl).toBe('sqlite:/somewhere/a/b.db')
  expect(readConfig({}, { database: 'sqlite:/a/b.db' }, work).databaseUrl).toBe('sqlite:/a/b.db')
})

test('what was encrypted stays in memory, unless a variable names a folder; another names the key file', () => {
  expect(readConfig({}, {}, work)).toMatchObject({ sealedScratch: ':memory:', keyFile: undefined })
  const variables = { STRONGROOM_SCRATCH: '/crypt/tmp', STRONGROOM_KEY_FILE: 'key' }
  expect(readConfig(variables, {}, work)).toMatchObject({ sealedScratch: '/crypt/tmp', keyFile: '/somewhere/key' })
})

test('SOURCE_DATE_EPOCH fixes the time', () => {
  expect(readConfig({ SOURCE_DATE_EPOCH: '1700000000' }, {}, work).fixedTime).toEqual(new Date(1_700_000_000_000))
  expect(readConfig({}, {}, work).fixedTime).toBeUndefined()
  for (const wrong of ['soon', '-1', '1.5', '99999999999999']) {
    expect(() => readConfig({ SOURCE_DATE_EPOCH: wrong }, {}, work)).toThrow(
      expect.objectContaining({ code: 'config.invalid', kind: 'usage' }),
    )
  }
})

test('a configuration cannot be changed', () => {
  expect(Object.isFrozen(readConfig({}, {}, work))).toBe(true)
})
