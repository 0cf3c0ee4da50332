import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { databases } from '../../../test/support/databases.ts'
import { aNode, aTag, aUser, aVersion } from '../../../test/support/rows.ts'
import type { Tx } from '../database.ts'
import { allMigrations } from '../migrations.ts'
import { openDatabase } from '../open.ts'
import { findChild, insertNodes } from '../queries/nodes.ts'
import { insertTags, tagNode, tagsOf } from '../queries/tags.ts'
import { moveToTrash } from '../queries/trash.ts'
import { insertUsers } from '../queries/users.ts'
import { insertVersions, versionsOf } from '../queries/versions.ts'
import type { NodeRow } from '../schema.ts'

const now = '2026-11-24T14:03:52.304446Z'

/** A row of schema 1, which knew nothing of a trash. */
const insertOld = ({ deleted_at: _at, deleted_parent: _parent, deleted_from: _from, ...row }: NodeRow, tx: Tx) =>
  tx.$extendTables<{ nodes: typeof row }>().insertInto('nodes').values(row).execute()

describe.each(databases)('the step from schema 1 to the trash on $name', ({ place }) => {
  test('keeps everything, and what is in the trash gives up its title', async () => {
    await using made = await place()
    const user = aUser()
    const home = aNode({ user_id: user.id, title: '.home' })
    const folder = aNode({ user_id: user.id, parent_id: home.id, title: '\u{1f600}'.repeat(4096) })
    const document = aNode({ user_id: user.id, parent_id: folder.id, title: 'deed.pdf', type: 'document' })
    const version = aVersion({ document_id: document.id })
    const tag = aTag({ user_id: user.id })
    {
      await using released = await openDatabase({ ...made, create: true, migrations: allMigrations.slice(0, 1) })
      await released.migrate(now)
      await released.write(async (tx) => {
        await insertUsers(tx, [user])
        for (const node of [home, folder, document]) await insertOld(node, tx)
        await insertVersions(tx, [version])
        await insertTags(tx, [tag])
        await tagNode(tx, document.id, tag.id)
      })
    }
    await using database = await openDatabase(made)
    expect(await database.migrate(now)).toMatchObject({ from: 1, to: allMigrations.length })
    const { db, write } = database
    expect(await db.selectFrom('nodes').selectAll().orderBy('title').execute()).toEqual([home, document, folder])
    expect(await versionsOf(db, [document.id])).toEqual([version])
    expect(await tagsOf(db, [document.id])).toEqual([{ ...tag, node_id: document.id }])
    expect(await findChild(db, user.id, home.id, folder.title)).toEqual(folder)

    const twin = aNode({ user_id: user.id, parent_id: home.id, title: folder.title })
    await expect(write((tx) => insertNodes(tx, [twin]))).rejects.toMatchObject({ code: 'program.fault' })
    await write(async (tx) => {
      await moveToTrash(tx, folder.id, now)
      await insertNodes(tx, [twin])
    })
    expect(await findChild(db, user.id, home.id, folder.title)).toEqual(twin)
  })

  test('answers the search for a child by its index', async () => {
    await using made = await place()
    await using database = await openDatabase({ ...made, create: true })
    await database.migrate(now)
    const { db } = database
    const isSqlite = database.dialect === 'sqlite'
    const title = isSqlite ? sql`title = 'a'` : sql`md5(title) = md5('a')`
    const query = sql`select id from nodes
      where user_id = 'u' and coalesce(parent_id, '') = 'p' and deleted_at is null and ${title}`
    const plan = await db.connection().execute(async (connection) => {
      if (!isSqlite) await sql`set enable_seqscan = off`.execute(connection)
      return sql`${sql.raw(isSqlite ? 'explain query plan' : 'explain')} ${query}`.execute(connection)
    })
    expect(JSON.stringify(plan.rows)).toContain('nodes_by_title')
  })
})
