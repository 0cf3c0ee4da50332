import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../../test/support/command-line.ts'
import { databases } from '../../test/support/databases.ts'
import { createApp } from '../app.ts'
import { readConfig } from '../config.ts'
import { openDatabase } from '../database/open.ts'
import { newestSchemaVersion as newest } from '../database/migrations.ts'

describe.each(databases)('on $name', ({ place }) => {
  async function newPlace() {
    const { dataDirectory: folder, url, ...rest } = await place()
    const data = join(folder, 'data')
    const config = readConfig({}, { data, database: url }, folder)
    return {
      folder,
      data,
      url,
      config,
      app: createApp(config),
      [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose](),
    }
  }

  test('an instance is made, and making it again changes nothing', async () => {
    await using here = await newPlace()
    expect(await here.app.migrate()).toMatchObject({ from: 0, to: newest, copy: null, dataDirectory: here.data })
    expect(await here.app.migrate()).toMatchObject({ from: newest, to: newest, copy: null })
    await using instance = await here.app.open({ access: 'read', command: 'user list' })
    expect(await instance.users.list()).toEqual([])
  })

  test('several at once make one instance', async () => {
    await using here = await newPlace()
    const reports = await Promise.all(Array.from({ length: 4 }, () => createApp(here.config).migrate()))
    expect(reports.filter(({ from }) => from === 0)).toHaveLength(1)
    for (const { to } of reports) expect(to).toBe(newest)
  })

  test('without something to do it waits for nobody', async () => {
    await using here = await newPlace()
    await here.app.migrate()
    await using alone = await here.app.open({ access: 'exclusive', command: 'restore' })
    expect(alone).toBeDefined()
    expect(await here.app.migrate()).toMatchObject({ from: newest, to: newest })
  })

  test('a schema that is newer than the program is refused, by migrate too', async () => {
    await using here = await newPlace()
    await here.app.migrate()
    {
      await using database = await openDatabase({ url: here.url, dataDirectory: here.data })
      const row = { version: newest + 1, name: 'from-the-future', applied_at: '2030-01-01T00:00:00.000000Z' }
      await database.write((tx) => tx.insertInto('schema_migrations').values(row).execute())
    }
    await expect(here.app.migrate()).rejects.toMatchObject({ code: 'schema.newer' })
    await expect(here.app.open({ access: 'read', command: 'tree' })).rejects.toMatchObject({ code: 'schema.newer' })
  })

  test('what dead processes left is cleared up by the next command that writes, and by none that reads', async () => {
    await using here = await newPlace()
    await here.app.migrate()
    const leftOver = join(here.data, 'tmp', 'left-over')
    const key = 'docs/user_1/document_1/v1/a.pdf'
    {
      await using database = await openDatabase({ url: here.url, dataDirectory: here.data })
      await database.write((tx) => tx.insertInto('pending_files').values({ media_key: key }).execute())
    }
    await writeFile(leftOver, 'half')
    const run = (...words: string[]) =>
      runCommand(words, { environment: { STRONGROOM_DATA: here.data, STRONGROOM_DATABASE_URL: here.url } })
    expect((await run('tree')).exitCode).toBe(0)
    expect(await readdir(join(here.data, 'tmp'))).toEqual(['left-over'])
    expect((await run('check')).exitCode).toBe(0)
    expect(await readdir(join(here.data, 'tmp'))).toEqual([])
    await using database = await openDatabase({ url: here.url, dataDirectory: here.data })
    expect(await database.db.selectFrom('pending_files').selectAll().execute()).toEqual([])
  })

  test('while somebody else is at work, what looks left over stays', async () => {
    await using here = await newPlace()
    await here.app.migrate()
    await using beside = await here.app.open({ access: 'write', command: 'backup' })
    expect(beside).toBeDefined()
    await writeFile(join(here.data, 'tmp', 'in-use'), 'half')
    await using other = await here.app.open({ access: 'write', command: 'mkdir' })
    expect(other).toBeDefined()
    expect(await readdir(join(here.data, 'tmp'))).toEqual(['in-use'])
  })
})
