import { describe, expect, test } from 'vitest'
import { parseDatabaseUrl, redactUrl } from './url.ts'

describe('the address of a database', () => {
  test.each([
    [undefined, '/data/strongroom.db'],
    ['sqlite:/elsewhere/a b.db', '/elsewhere/a b.db'],
    ['sqlite:///elsewhere/a.db', '/elsewhere/a.db'],
  ])('%s is a file', (url, path) => {
    expect(parseDatabaseUrl(url, '/data')).toEqual({ kind: 'sqlite', path })
  })

  test.each(['postgres://u:p@host:5432/name', 'postgresql://host/name', 'postgres:///name?host=/run/postgresql'])(
    '%s is a server',
    (url) => {
      expect(parseDatabaseUrl(url, '/data')).toEqual({ kind: 'postgres', url })
    },
  )

  test.each([
    '',
    'sqlite:',
    'sqlite::memory:',
    'mysql://u:secret@host/name',
    'postgres:name',
    'postgres://u:secret@host:x/n',
    '/a/path',
  ])('"%s" is refused without a word of its password', (url) => {
    const parse = (): unknown => parseDatabaseUrl(url, '/data')
    expect(parse).toThrow(expect.objectContaining({ code: 'database.invalid_url' }))
    expect(parse).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }))
  })

  test.each([
    ['postgres://me:secret@host:5432/name', 'postgres://me@host:5432/name'],
    ['postgres://me:s%40cret@host/name?password=secret&sslmode=require', 'postgres://me@host/name?sslmode=require'],
    ['postgres://host/name?user=me&sslpassword=secret#secret', 'postgres://host/name?user=me'],
    ['postgres://me:secret@ho st/name', 'postgres:…'],
    ['sqlite:/data/a.db', 'sqlite:/data/a.db'],
    ['nonsense with a secret', '…'],
  ])('%s is shown as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown)
  })
})
