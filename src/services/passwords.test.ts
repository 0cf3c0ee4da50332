import { pbkdf2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { hashPassword, unusablePassword, verifyPassword } from './passwords.ts'

test('a new password is kept as argon2id in the form of Django, and matches itself alone', async () => {
  const stored = await hashPassword('correct horse')
  expect(stored).toMatch(/^argon2\$argon2id\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(stored.length).toBeLessThanOrEqual(128)
  expect(await verifyPassword('correct horse', stored)).toBe(true)
  expect(await verifyPassword('correct horse ', stored)).toBe(false)
  expect(await hashPassword('correct horse')).not.toBe(stored)
})

test('a hash of the reference implementation of argon2 matches', async () => {
  // The test vector "password" / "somesalt" of version 0x13 in phc-winner-argon2's test.c: t=2, m=2^16, p=1.
  const stored = 'argon2$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  expect(await verifyPassword('password', stored)).toBe(true)
  expect(await verifyPassword('Password', stored)).toBe(false)
})

test('a hash that Django made with pbkdf2_sha256 matches', async () => {
  const hash = pbkdf2Sync('geheim', 'Tz07gCAfjH8n3rUQhlBLfR', 260_000, 32, 'sha256').toString('base64')
  const stored = `pbkdf2_sha256$260000$Tz07gCAfjH8n3rUQhlBLfR$${hash}`
  expect(await verifyPassword('geheim', stored)).toBe(true)
  expect(await verifyPassword('Geheim', stored)).toBe(false)
})

test.each([
  '',
  'geheim',
  '!',
  '!geheim',
  'md5$salt$hash',
  'pbkdf2_sha256$1$salt',
  'pbkdf2_sha256$1$$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'pbkdf2_sha256$0$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'pbkdf2_sha256$-1$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'pbkdf2_sha256$1e3$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'pbkdf2_sha256$10000001$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'pbkdf2_sha256$99999999999999$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  'pbkdf2_sha256$1000$salt$AA==',
  'argon2$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  'argon2$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  'argon2$argon2id$v=19$m=7,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  'argon2$argon2id$v=19$m=65536,t=2,p=1$c29t$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  'argon2$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  'argon2$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ',
  'argon2$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$***',
])('nothing matches the hash %j, and it does not fail', async (stored) => {
  expect(await verifyPassword('geheim', stored)).toBe(false)
})

test('no password matches an unusable one', async () => {
  const stored = unusablePassword()
  expect(stored).toMatch(/^!.{40}$/)
  expect(await verifyPassword('', stored)).toBe(false)
  expect(await verifyPassword(stored, stored)).toBe(false)
})

test('an empty password, one with NUL and one with half a surrogate pair are refused and never shown', async () => {
  await expect(hashPassword('')).rejects.toMatchObject({ code: 'user.empty_password' })
  await expect(hashPassword('secret\0')).rejects.toMatchObject({
    code: 'text.nul',
    message: expect.not.stringContaining('secret'),
  })
  await expect(hashPassword('secret\ud800')).rejects.toMatchObject({
    code: 'text.surrogate',
    message: expect.not.stringContaining('secret'),
  })
})
