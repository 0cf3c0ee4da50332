import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { databases } from '../../../test/support/databases.ts'
import { aNode, aTag, aUser } from '../../../test/support/rows.ts'
import {
  clearMemberships,
  deleteGroup,
  findGroupById,
  findGroupByName,
  insertGroups,
  insertMemberships,
  listGroups,
  membershipsOf,
} from './groups.ts'
import { findNode, insertNodes } from './nodes.ts'
import { findTagById, insertTags } from './tags.ts'
import {
  countActiveSuperusers,
  deleteUser,
  findUserById,
  findUserByName,
  insertUsers,
  listUsers,
  updateUser,
} from './users.ts'

describe.each(databases)('users and groups on $name', ({ create }) => {
  test('users are found by id and by name, and listed by the bytes of their names', async () => {
    await using made = await create()
    const { database } = made
    const users = ['é', 'b', 'B', 'a', 'x'.repeat(10_000)].map((username) => aUser({ username }))
    await database.write((tx) => insertUsers(tx, users))
    for (const user of users) {
      expect(await findUserById(database.db, user.id)).toEqual(user)
      expect(await findUserByName(database.db, user.username)).toEqual(user)
    }
    expect(await findUserByName(database.db, 'A')).toBeUndefined()
    expect((await listUsers(database.db)).map(({ username }) => username.slice(0, 2))).toEqual([
      'B',
      'a',
      'b',
      'xx',
      'é',
    ])
  })

  test('two users cannot have one name, and a flag is 0 or 1', async () => {
    await using made = await create()
    const { database } = made
    const twins = database.write((tx) => insertUsers(tx, [aUser({ username: 'a' }), aUser({ username: 'a' })]))
    await expect(twins).rejects.toMatchObject({ code: 'program.fault' })
    const odd = database.write((tx) => insertUsers(tx, [aUser({ is_active: 2 as 1 })]))
    await expect(odd).rejects.toMatchObject({ code: 'program.fault' })
    expect(await listUsers(database.db)).toEqual([])
  })

  test('a user is changed, and the active superusers are counted', async () => {
    await using made = await create()
    const { database } = made
    const [boss, other] = [aUser({ is_superuser: 1 }), aUser({ is_superuser: 1, is_active: 0 })]
    await database.write((tx) => insertUsers(tx, [boss, other]))
    expect(await countActiveSuperusers(database.db)).toBe(1)
    expect(await database.write((tx) => updateUser(tx, other.id, { is_active: 1, email: 'o@example.org' }))).toBe(true)
    expect(await countActiveSuperusers(database.db)).toBe(2)
    expect(await findUserById(database.db, other.id)).toEqual({ ...other, is_active: 1, email: 'o@example.org' })
    expect(await database.write((tx) => updateUser(tx, other.id, {}))).toBe(true)
    expect(await database.write((tx) => updateUser(tx, randomUUID(), { is_active: 0 }))).toBe(false)
    expect(await database.write((tx) => updateUser(tx, randomUUID(), {}))).toBe(false)
  })

  test('a user goes with all that is theirs', async () => {
    await using made = await create()
    const { database } = made
    const [leaving, staying] = [aUser(), aUser()]
    const root = aNode({ user_id: leaving.id })
    const below = aNode({ user_id: leaving.id, parent_id: root.id })
    const kept = aNode({ user_id: staying.id })
    const tag = aTag({ user_id: leaving.id })
    await database.write(async (tx) => {
      await insertUsers(tx, [leaving, staying])
      await insertNodes(tx, [root, below, kept])
      await insertTags(tx, [tag])
      expect(await deleteUser(tx, leaving.id)).toBe(true)
      expect(await deleteUser(tx, leaving.id)).toBe(false)
    })
    expect(await findNode(database.db, below.id)).toBeUndefined()
    expect(await findTagById(database.db, tag.id)).toBeUndefined()
    expect(await findNode(database.db, kept.id)).toEqual(kept)
  })

  test('groups are found and listed, and users belong to them', async () => {
    await using made = await create()
    const { database } = made
    const users = [aUser(), aUser(), aUser()]
    const groups = ['b', 'Z', 'a'].map((name) => ({ id: randomUUID(), name }))
    const [b, z, a] = groups
    await database.write(async (tx) => {
      await insertUsers(tx, users)
      await insertGroups(tx, groups)
      await insertMemberships(tx, [
        { user_id: users[0]!.id, group_id: b!.id },
        { user_id: users[0]!.id, group_id: z!.id },
        { user_id: users[1]!.id, group_id: a!.id },
      ])
    })
    expect(await listGroups(database.db)).toEqual([z, a, b])
    expect(await findGroupByName(database.db, 'Z')).toEqual(z)
    expect(await findGroupByName(database.db, 'z')).toBeUndefined()
    expect(await findGroupById(database.db, a!.id)).toEqual(a)
    expect(await membershipsOf(database.db, [users[0]!.id, users[2]!.id])).toEqual([
      { user_id: users[0]!.id, group_id: z!.id, name: 'Z' },
      { user_id: users[0]!.id, group_id: b!.id, name: 'b' },
    ])
    await database.write((tx) => clearMemberships(tx, users[0]!.id))
    expect(await database.write((tx) => deleteGroup(tx, a!.id))).toBe(true)
    expect(await database.write((tx) => deleteGroup(tx, a!.id))).toBe(false)
    expect(
      await membershipsOf(
        database.db,
        users.map(({ id }) => id),
      ),
    ).toEqual([])
  })
})
