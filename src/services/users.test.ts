import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { databases } from '../../test/support/databases.ts'
import { createInstance, type TestInstance, testTime } from '../../test/support/instances.ts'

describe.each(databases)('users on $name', (kind) => {
  let instance: TestInstance

  beforeEach(async () => {
    instance = await createInstance(kind)
  })

  afterEach(async () => {
    await instance[Symbol.asyncDispose]()
  })

  test('a new user has a home, an inbox, groups and a password that can be checked', async () => {
    const { users, nodes } = instance
    const id = await users.add({
      username: 'ada',
      password: 'secret',
      email: 'ada@example.org',
      groups: ['family', 'family'],
    })
    expect(await users.list()).toEqual([
      {
        id,
        username: 'ada',
        email: 'ada@example.org',
        first_name: '',
        last_name: '',
        is_active: 1,
        is_superuser: 0,
        is_staff: 0,
        date_joined: testTime,
        last_login: null,
        created_at: testTime,
        updated_at: testTime,
        groups: ['family'],
      },
    ])
    expect((await nodes.resolve({ username: 'ada', path: '.home' })).type).toBe('folder')
    expect((await nodes.resolve({ username: 'ada', path: '.inbox' })).type).toBe('folder')
    expect(await users.checkPassword({ username: 'ada', password: 'secret' })).toBe(true)
    expect(await users.checkPassword({ username: 'ada', password: 'Secret' })).toBe(false)
  })

  test('users stand in the order of their names, and share groups', async () => {
    const { users } = instance
    for (const username of ['é', 'b', 'B', 'a b']) await users.add({ username, password: null, groups: ['all'] })
    const list = await users.list()
    expect(list.map((one) => one.username)).toEqual(['B', 'a b', 'b', 'é'])
    expect(list.map((one) => one.groups)).toEqual([['all'], ['all'], ['all'], ['all']])
  })

  test('a name is taken once, and differs from others by every character', async () => {
    const { users } = instance
    await users.add({ username: 'ada', password: null })
    await expect(users.add({ username: 'ada', password: null })).rejects.toMatchObject({ code: 'user.exists' })
    await users.add({ username: 'Ada', password: null })
    await users.add({ username: 'ada ', password: null })
    expect(await users.list()).toHaveLength(3)
  })

  test('without a password nobody gets in, until one is set', async () => {
    const { users } = instance
    await users.add({ username: 'ada', password: null })
    expect(await users.checkPassword({ username: 'ada', password: '' })).toBe(false)
    await users.setPassword({ username: 'ada', password: 'new' })
    expect(await users.checkPassword({ username: 'ada', password: 'new' })).toBe(true)
    await expect(users.setPassword({ username: 'ada', password: '' })).rejects.toMatchObject({
      code: 'user.empty_password',
    })
  })

  test('the last active superuser cannot be disabled', async () => {
    const { users } = instance
    await users.add({ username: 'ada', password: null, superuser: true })
    await users.add({ username: 'eve', password: null })
    await expect(users.disable({ username: 'ada' })).rejects.toMatchObject({ code: 'user.last_superuser' })
    await users.disable({ username: 'eve' })
    await users.add({ username: 'bob', password: null, superuser: true })
    await Promise.allSettled([users.disable({ username: 'ada' }), users.disable({ username: 'bob' })])
    const active = (await users.list()).filter((one) => one.is_active === 1)
    expect(active).toHaveLength(1)
    expect(active[0]).toMatchObject({ is_superuser: 1, is_staff: 1 })
    for (const username of ['ada', 'bob', 'eve']) await users.enable({ username })
    expect((await users.list()).every((one) => one.is_active === 1)).toBe(true)
  })

  test('what can be no name is refused before the database is asked, and an unknown user is named', async () => {
    const { users } = instance
    await expect(users.add({ username: '', password: null })).rejects.toMatchObject({ code: 'text.empty' })
    await expect(users.add({ username: 'a\0', password: null })).rejects.toMatchObject({ code: 'text.nul' })
    await expect(users.add({ username: 'a', password: null, groups: ['\ud800'] })).rejects.toMatchObject({
      code: 'text.surrogate',
    })
    await expect(users.add({ username: 'a'.repeat(501), password: null })).rejects.toMatchObject({
      code: 'text.too_long',
    })
    await expect(users.disable({ username: 'a\0' })).rejects.toMatchObject({ code: 'text.nul' })
    await expect(users.disable({ username: 'nobody' })).rejects.toMatchObject({ code: 'user.not_found' })
    expect(await users.list()).toEqual([])
  })
})
