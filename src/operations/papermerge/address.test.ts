import { expect, test } from 'vitest'
import { parseDatabaseUrl } from '../../database/url.ts'
import { papermergeDatabase } from './address.ts'

test.each([
  ['papermerge.db', { kind: 'sqlite', path: '/here/papermerge.db' }],
  ['../a b.db', { kind: 'sqlite', path: '/a b.db' }],
  ['/srv/papermerge.db', { kind: 'sqlite', path: '/srv/papermerge.db' }],
  ['sqlite:papermerge.db', { kind: 'sqlite', path: '/here/papermerge.db' }],
  ['sqlite:/srv/papermerge.db', { kind: 'sqlite', path: '/srv/papermerge.db' }],
  ['sqlite:///srv/papermerge.db', { kind: 'sqlite', path: '/srv/papermerge.db' }],
  ['sqlite:////srv/papermerge.db', { kind: 'sqlite', path: '/srv/papermerge.db' }],
  ['postgres://ada@db/papermerge', { kind: 'postgres', url: 'postgres://ada@db/papermerge' }],
])('%s is the address of a database', (typed, address) => {
  expect(parseDatabaseUrl(papermergeDatabase(typed, '/here'), '/data')).toEqual(address)
})

test.each(['mysql://db/papermerge', 'sqlite://papermerge.db', 'http://db'])('%s is none', (typed) => {
  expect(() => parseDatabaseUrl(papermergeDatabase(typed, '/here'), '/data')).toThrow(/is not understood/)
})
