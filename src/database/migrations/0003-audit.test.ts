import { describe, expect, test } from 'vitest'
import { databases } from '../../../test/support/databases.ts'
import { aNode, aUser } from '../../../test/support/rows.ts'
import { allMigrations } from '../migrations.ts'
import { openDatabase } from '../open.ts'
import { insertAuditLines, listAuditLines } from '../queries/audit.ts'
import { insertNodes } from '../queries/nodes.ts'
import { deleteUser, insertUsers } from '../queries/users.ts'

const now = '2026-11-24T14:03:52.304446Z'

describe.each(databases)('the step from schema 2 to the audit on $name', ({ place }) => {
  test('keeps everything, and begins an audit whose numbers rise and are never given twice', async () => {
    await using made = await place()
    const user = aUser()
    const home = aNode({ user_id: user.id, title: '.home' })
    {
      await using released = await openDatabase({ ...made, create: true, migrations: allMigrations.slice(0, 2) })
      await released.migrate(now)
      await released.write(async (tx) => {
        await insertUsers(tx, [user])
        await insertNodes(tx, [home])
      })
    }
    await using database = await openDatabase(made)
    expect(await database.migrate(now)).toMatchObject({ from: 2, to: allMigrations.length })
    const { db, write } = database
    expect(await db.selectFrom('users').selectAll().execute()).toEqual([user])
    expect(await db.selectFrom('nodes').selectAll().execute()).toEqual([home])

    const line = (about: string) => ({ at: now, action: 'user.added', username: user.username, about, details: '{}' })
    const all = () => listAuditLines(db, {}, { after: 0, upTo: Number.MAX_SAFE_INTEGER, limit: 1000 })
    const many = Array.from({ length: 250 }, (_, index) => line(String(index)))
    await write((tx) => insertAuditLines(tx, many))
    await write((tx) => deleteUser(tx, user.id))
    const lines = await all()
    expect(lines.map(({ number: _, ...rest }) => rest)).toEqual(many)
    const newest = lines.at(-1)!.number
    expect(lines.map(({ number }) => number)).toEqual(many.map((_, index) => newest - many.length + 1 + index))
    await write(async (tx) => {
      await tx.deleteFrom('audit').where('number', '=', newest).execute()
      await insertAuditLines(tx, [line('after it')])
    })
    expect((await all()).at(-1)).toEqual({ ...line('after it'), number: newest + 1 })
  })
})
