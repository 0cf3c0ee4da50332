import { describe, expect, test } from 'vitest'
import { papermergeOfAda } from '../../test/support/papermerge-of-ada.ts'
import { papermergeKinds } from '../../test/support/papermerge.ts'
import type { ForeignDatabase, ForeignRow } from './foreign-database.ts'
import { openForeignDatabase } from './foreign.ts'

async function all(database: ForeignDatabase, sql: string): Promise<ForeignRow[]> {
  const rows: ForeignRow[] = []
  for await (const row of database.rows(sql)) rows.push(row)
  return rows
}

const titles = 'select title from core_basetreenode order by title'

describe.each(papermergeKinds)('the database of another program on %s', (kind) => {
  test('shows one moment, whatever is written meanwhile', async () => {
    await using papermerge = await papermergeOfAda(kind)
    // Without it a SQLite file cannot be written while it is read, and the writer waits.
    if (kind === 'SQLite') await papermerge.run('pragma journal_mode = wal')
    await using database = await openForeignDatabase(papermerge.from)
    const before = await all(database, titles)
    await papermerge.run("update core_basetreenode set title = 'another'")
    expect(await all(database, titles)).toEqual(before)
    await using later = await openForeignDatabase(papermerge.from)
    expect(await all(later, titles)).toEqual([{ title: 'another' }, { title: 'another' }])
  })

  test('cannot be written', async () => {
    await using papermerge = await papermergeOfAda(kind)
    await using database = await openForeignDatabase(papermerge.from)
    const write =
      kind === 'SQLite'
        ? "insert into auth_group (name) values ('x') returning id"
        : "select setval('auth_group_id_seq', 5)"
    await expect(all(database, write)).rejects.toThrow(/readonly|read-only/)
    await using later = await openForeignDatabase(papermerge.from)
    expect(await all(later, 'select name from auth_group')).toEqual([])
  })

  test('has numbers that JavaScript cannot hold as nothing, and many rows one by one', async () => {
    await using papermerge = await papermergeOfAda(kind)
    await papermerge.run('insert into core_user_groups (group_id) values (9007199254740993)')
    await using database = await openForeignDatabase(papermerge.from)
    expect(await all(database, 'select group_id from core_user_groups')).toEqual([{ group_id: null }])
    const many = `with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000) select i from n`
    expect(await all(database, many)).toHaveLength(1000)
    for await (const { i } of database.rows(many)) if (i === 5) break
    expect(await all(database, many)).toHaveLength(1000)
    expect([...(database.tables.get('core_folder') ?? [])]).toEqual(['basetreenode_ptr_id'])
  })
})
