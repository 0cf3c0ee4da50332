import { rmSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { openForeignDatabase } from '../../src/database/foreign.ts'
import { createCommandInstance } from '../support/command-instances.ts'
import { createPostgresDatabase, databases, dropPostgresDatabase } from '../support/databases.ts'
import { addDocument, fileOf, papermergeOfAda, uuid } from '../support/papermerge-of-ada.ts'
import { createPapermerge, papermergeKinds } from '../support/papermerge.ts'
import { everything } from '../support/restoring.ts'
import { workplace } from '../support/workplace.ts'

const { here, strongroom, done, makeInstance, failure } = workplace()

describe('import-papermerge does not mistake one database for another', () => {
  test.each([
    ['--media .', /--from .* must name the database of Papermerge/],
    ['--database mysql://papermerge@db/papermerge --media .', /mysql:…/],
    ['--from x.db', /--media must name/],
    ['--from mysql://papermerge@db/papermerge --media .', /mysql:…/],
  ])('2: %s', async (words, message) => {
    const result = await failure(`import-papermerge --migrate ${words}`)
    expect(result.exitCode).toBe(2)
    expect(result.stderr).toMatch(message)
    expect(await readdir(here.folder)).toEqual([])
  })

  test.each(papermergeKinds)('that of Papermerge as ours: refused, and not touched (%s)', async (kind) => {
    await using papermerge = await papermergeOfAda(kind)
    const before = await papermerge.files()
    const tablesOf = async (): Promise<readonly string[]> => {
      await using database = await openForeignDatabase(papermerge.from)
      return [...database.tables.keys()].toSorted()
    }
    const tables = await tablesOf()
    const ours = ['--database', papermerge.from, '--data', 'mine']
    expect(await failure([...papermerge.args, ...ours])).toMatchObject({ exitCode: 6, code: 'data.missing' })
    expect(await failure([...papermerge.args, ...ours, '--migrate'])).toMatchObject({ code: 'database.foreign' })
    expect(await failure(['migrate', ...ours])).toMatchObject({ exitCode: 5, code: 'database.foreign' })
    expect(await tablesOf()).toEqual(tables)
    expect(await papermerge.files()).toEqual(before)
  })

  test('ours as that of Papermerge, on both databases', async () => {
    await makeInstance()
    await mkdir(join(here.folder, 'media'))
    const command = 'import-papermerge --media media --from'
    expect(await failure(`${command} data/strongroom.db`)).toMatchObject({
      exitCode: 5,
      code: 'papermerge.own_database',
    })
    await using other = await createCommandInstance(databases[1]!)
    expect(await failure(`${command} ${other.url}`)).toMatchObject({ exitCode: 5, code: 'papermerge.own_database' })
  })
})

describe('import-papermerge refuses what is no Papermerge 2.1, and makes no instance for it', () => {
  const imported = (from: string): string => `import-papermerge --from ${from} --media media --migrate`

  test('another database, a file that is none, and an empty one', async () => {
    await mkdir(join(here.folder, 'media'))
    await writeFile(
      join(here.folder, 'text.db'),
      'no database at all, and long enough to be taken for one. '.repeat(50),
    )
    const other = new DatabaseSync(join(here.folder, 'other.db'))
    other.exec('create table recipes (id integer)')
    other.close()
    for (const name of ['text.db', 'other.db', 'sqlite:other.db']) {
      const result = await failure(imported(name))
      expect(result).toMatchObject({ exitCode: 4, code: 'papermerge.not_papermerge' })
      if (name !== 'text.db') expect(result.stderr).toContain('found was recipes')
    }
    const url = await createPostgresDatabase()
    expect(await failure(imported(url))).toMatchObject({ exitCode: 4, code: 'papermerge.not_papermerge' })
    await dropPostgresDatabase(url)
    expect(await readdir(here.folder)).toEqual(['media', 'other.db', 'text.db'])
  })

  test('a Papermerge of another version', async () => {
    await using papermerge = await createPapermerge('SQLite')
    const args = [...papermerge.args, '--migrate']
    await mkdir(join(papermerge.media, 'docvers'))
    expect(await failure(args)).toMatchObject({ exitCode: 4, code: 'papermerge.other_version' })
    rmSync(join(papermerge.media, 'docvers'), { recursive: true })
    await papermerge.run('create table core_customfield (id integer)')
    expect(await failure(args)).toMatchObject({ exitCode: 4, code: 'papermerge.other_version' })
    await papermerge.run('drop table core_customfield')
    await papermerge.run('alter table core_page drop column text')
    expect(await failure(args)).toMatchObject({ exitCode: 4, code: 'papermerge.not_papermerge' })
    await papermerge.run('drop table core_documentversion')
    const old = await failure(args)
    expect(old).toMatchObject({ exitCode: 4, code: 'papermerge.other_version' })
    expect(old.stderr).toContain('2.0 or older')
    expect(await readdir(here.folder)).toEqual([])
  })

  test('a database or a media folder that is not there', async () => {
    await using papermerge = await createPapermerge('SQLite')
    const { from, media } = papermerge
    const base = ['import-papermerge', '--migrate']
    expect(await failure([...base, '--from', 'nothing.db', '--media', media])).toMatchObject({
      exitCode: 6,
      code: 'file.not_found',
    })
    expect(await failure([...base, '--from', from, '--media', 'nothing'])).toMatchObject({
      exitCode: 6,
      code: 'file.not_found',
    })
    const nobody = 'postgres://ada:s3cret@127.0.0.1:1/papermerge'
    const unreachable = await failure([...base, '--from', nobody, '--media', media])
    expect(unreachable).toMatchObject({ exitCode: 9, code: 'database.unreachable' })
    expect(unreachable.stderr).not.toContain('s3cret')
    expect(await readdir(here.folder)).toEqual([])
  })

  test('the media folder of another instance, unless --keep-going says that all is lost', async () => {
    await using papermerge = await papermergeOfAda('SQLite')
    await addDocument(papermerge, 10, 'a.pdf')
    await addDocument(papermerge, 11, 'b.pdf')
    await done('migrate')
    expect(await failure(papermerge.args)).toMatchObject({ exitCode: 4, code: 'papermerge.wrong_media' })
    const { exitCode, stderr } = await strongroom([...papermerge.args, '--keep-going'])
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/^left out: ada: a\.pdf \(version 1\): Its file docs\/.*scan\.pdf is not in /m)
  })
})

describe('import-papermerge of a Papermerge that is at work', () => {
  test.each(['removed', 'changed'])(
    'a file that is %s after it was looked at ends it, and nothing came in',
    async (what) => {
      await using papermerge = await papermergeOfAda('SQLite')
      await addDocument(papermerge, 10, 'a.pdf', { content: 'a' })
      await addDocument(papermerge, 11, 'b.pdf', { content: 'b' })
      await using instance = await createCommandInstance(databases[0]!)
      const before = await everything(instance)
      const path = join(papermerge.media, fileOf(uuid(11)))
      const app = createApp(readConfig({}, { data: instance.dataDirectory }, here.folder))
      {
        await using open = await app.open({ access: 'exclusive', command: 'import-papermerge' })
        const archive = { database: papermerge.from, media: papermerge.media }
        const importing = open.restore({ archive }, ({ phase }) => {
          if (phase !== 'reading the text layers') return
          if (what === 'removed') rmSync(path, { force: true })
          else writeFileSync(path, 'c')
        })
        await expect(importing).rejects.toMatchObject({ code: 'papermerge.changed' })
      }
      expect(await everything(instance)).toEqual(before)
      await instance.report(['check'])
    },
  )

  test('a plan that was kept holds as long as Papermerge says the same', async () => {
    await using papermerge = await papermergeOfAda('SQLite')
    await addDocument(papermerge, 10, 'a.pdf', { content: 'a' })
    await done('migrate')
    await done([...papermerge.args, '--dry-run', '--save-plan', 'kept.json'])
    await addDocument(papermerge, 11, 'b.pdf', { content: 'b' })
    const args = [...papermerge.args, '--plan', 'kept.json']
    expect(await failure(args)).toMatchObject({ exitCode: 5, code: 'restore.plan_outdated' })
    await done([...papermerge.args, '--dry-run', '--save-plan', 'newer.json'])
    await done([...papermerge.args, '--plan', 'newer.json'])
    const { stdout } = await done('audit')
    expect(stdout).toContain('papermerge.db')
    expect(JSON.parse(await readFile(join(here.folder, 'kept.json'), 'utf8'))).toMatchObject({ onConflict: 'fail' })
  })

  test('what a person is shown says where it came from', async () => {
    await using papermerge = await papermergeOfAda('PostgreSQL')
    await addDocument(papermerge, 10, 'a.pdf', { content: 'a' })
    await done('migrate')
    const planned = await done([...papermerge.args, '--dry-run'])
    expect(planned.stdout).toMatch(/^Papermerge +postgres:\/\/postgres@/)
    expect(planned.stdout).toContain('An import would do just this.')
    const { stdout } = await done(papermerge.args)
    expect(stdout).toMatch(/^Papermerge +postgres:\/\/postgres@/)
    expect(stdout).toContain('Papermerge keeps no hashes')
    expect(stdout).not.toContain('Written')
  })
})
