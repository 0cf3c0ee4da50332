import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { Report } from '../../src/contract/reports.ts'
import { databases } from '../support/databases.ts'
import { createCommandInstance, listMedia, withDatabase } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { plainPasswords, readExpected, samples } from '../support/samples.ts'
import type { Expected, ExpectedNode, ExpectedUser, ExpectedVersion, Sample } from '../support/samples.ts'
import type { Tree } from '../support/tree-report.ts'
import { foundTree, is3, moment, wantedTree } from './expected-tree.ts'

test.skipIf(samples.length === 0)('there are samples to walk', () => {
  expect(samples.length).toBeGreaterThan(0)
})

const canary = '/tmp/pm-canary/secret.txt'
const secret = 'nobody may read or write this'
let hadCanary = false

beforeAll(async () => {
  hadCanary = existsSync(dirname(canary))
  await mkdir(dirname(canary), { recursive: true })
  await writeFile(canary, secret)
})
afterAll(async () => {
  if (!hadCanary) await rm(dirname(canary), { recursive: true, force: true })
})

/** The places at which hostile samples aim. */
async function expectNothingOutside(instance: CommandInstance): Promise<void> {
  expect(await readdir(dirname(canary))).toEqual(['secret.txt'])
  expect(await readFile(canary, 'utf8')).toBe(secret)
  for (const place of ['/tmp', tmpdir(), dirname(instance.dataDirectory), process.cwd(), dirname(process.cwd())]) {
    expect((await readdir(place)).filter((name) => name.startsWith('pwned'))).toEqual([])
  }
  expect((await readdir(instance.dataDirectory, { recursive: true })).filter((name) => name.includes('pwned'))).toEqual(
    [],
  )
  expect(existsSync('/etc/passwd-like')).toBe(false)
}

async function expectClean(instance: CommandInstance): Promise<void> {
  await instance.report(['check'])
  const scratch = join(instance.dataDirectory, 'tmp')
  expect(existsSync(scratch) ? await readdir(scratch) : []).toEqual([])
}

async function stateOf(instance: CommandInstance): Promise<unknown> {
  const { stdout } = await instance.run(['tree', '--json', '--text'])
  return { stdout, media: await listMedia(instance) }
}

const smallName = 'golden-2.1.9-small.tar.gz'
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const gigabyteOfZerosSha256 = '49bc20df15e412a64472421e13fe86ff1c5165e18b2afccf160d4dc19fe68a14'

type Change<T> = (value: T) => T

/** The small golden sample's expectation with its one document, or its one version, changed. */
const withDocument =
  (change: Change<ExpectedNode>): Change<Expected> =>
  (expected) => ({
    ...expected,
    users: expected.users.map((user) => ({
      ...user,
      nodes: user.nodes.map((node) => (node.ctype === 'document' ? change(node) : node)),
    })),
  })
const withVersion = (change: Change<ExpectedVersion>): Change<Expected> =>
  withDocument((node) => ({ ...node, versions: (node.versions ?? []).map(change) }))
const withUser =
  (values: Partial<ExpectedUser>): Change<Expected> =>
  (expected) => ({ ...expected, users: expected.users.map((user) => ({ ...user, ...values })) })
const withFile = (bytes: number, sha256: string): Change<Expected> =>
  withVersion((version) => ({ ...version, file: { path: '', bytes, sha256 } }))

/** How a sample that was made from the small golden one differs from it; others do not. */
const changes: Readonly<Record<string, Change<Expected>>> = {
  'hostile-gzip-bomb.tar.gz': withFile(2 ** 30, gigabyteOfZerosSha256),
  'hostile-json-version-file-empty.tar.gz': withFile(0, emptySha256),
  'hostile-json-users-empty.tar.gz': (expected) => ({ ...expected, users: [] }),
  'hostile-json-breadcrumb-no-home.tar.gz': withDocument((node) => ({ ...node, path: ['My Invoice.pdf'] })),
  'hostile-json-proto.tar.gz': withUser({
    tags: [{ name: '__proto__', bg_color: '#ffffff', fg_color: '#000000', description: null, pinned: false }],
  }),
  'hostile-json-html.tar.gz': (expected) =>
    withUser({ first_name: '<img src=x onerror=alert(1)>' })(
      withVersion((version) => ({
        ...version,
        short_description: '<script>alert(1)</script>',
        text: '<script>alert(2)</script>',
      }))(expected),
    ),
  'hostile-json-missing-sidecar.tar.gz': withVersion((version) => ({
    ...version,
    pages: version.pages.map((page) => ({ ...page, text: 'with text' })),
  })),
  'hostile-json-password-plain.tar.gz': withUser({ plain_password: null, password: '!' }),
}

function expectationOf(sample: Sample): Expected | undefined {
  const own = readExpected(sample)
  if (own !== undefined) return own
  const small = samples.find(({ name }) => name === smallName)
  const expected = small === undefined ? undefined : readExpected(small)
  return expected === undefined ? undefined : (changes[sample.name] ?? ((same) => same))(expected)
}

/** What is not shown by `tree`. */
async function expectUserFields(instance: CommandInstance, expected: Expected): Promise<void> {
  const rows = await withDatabase(instance, (db) => db.selectFrom('users').selectAll().execute())
  for (const user of expected.users) {
    const row = rows.find(({ username }) => username === user.username)
    if (is3(expected)) {
      expect(row).toMatchObject({ is_superuser: 0, is_staff: 0 })
      continue
    }
    expect(row).toMatchObject({
      first_name: user.first_name ?? '',
      last_name: user.last_name ?? '',
      is_staff: Number(user.is_staff),
      date_joined: moment(user.date_joined),
      last_login: moment(user.last_login),
    })
  }
}

async function expectPasswords(instance: CommandInstance, sample: Sample, expected: Expected): Promise<void> {
  const passwords =
    sample.expected === undefined
      ? new Map(
          expected.users.flatMap(({ username, plain_password: plain }) => (plain === null ? [] : [[username, plain]])),
        )
      : plainPasswords(sample)
  const app = createApp(readConfig({}, { data: instance.dataDirectory, database: instance.url }, '/'))
  await using opened = await app.open({ access: 'read', command: 'test' })
  for (const { username } of expected.users) {
    const password = passwords.get(username)
    const known = await opened.users.checkPassword({ username, password: password ?? 'plaintext' })
    expect(known, `the password of ${username}`).toBe(password !== undefined)
    if (password !== undefined)
      expect(await opened.users.checkPassword({ username, password: `${password} ` })).toBe(false)
  }
}

describe.each(databases)('on $name', (kind) => {
  const refused = samples.filter(({ must }) => must === 'refuse')
  const restored = samples.filter(({ must }) => must !== 'refuse')

  describe('a sample that must be refused leaves the instance as it was:', () => {
    let instance: CommandInstance
    let before: unknown
    beforeAll(async () => {
      instance = await createCommandInstance(kind)
      await instance.report(['user', 'add', 'keeper', '--superuser'], { stdin: 'kept\n' })
      before = await stateOf(instance)
    })
    afterAll(() => instance[Symbol.asyncDispose]())

    test.each(refused)('$name', async ({ path, exit }) => {
      const { exitCode, stdout, stderr } = await instance.run(['restore', path, '--json'])
      expect(exitCode, stdout + stderr).toBe(exit)
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string; hint: string } }
      expect(error.code).toMatch(/^archive\.[a-z_]+$/)
      expect(error.message).not.toMatch(/[{}]|undefined|\[object/)
      expect(error.hint).not.toBe('')
      expect(stdout + stderr).not.toMatch(/\n\s+at /)
      expect(await stateOf(instance)).toEqual(before)
      await expectClean(instance)
      await expectNothingOutside(instance)
    })
  })

  describe('a sample that must be restored comes back:', () => {
    test.each(restored)('$name', async (sample) => {
      await using instance = await createCommandInstance(kind)
      const report = await instance.report<Report>(['restore', sample.path])
      if (sample.must === 'restore and warn') expect(report.warnings.total).toBeGreaterThan(0)
      expect(report.leftOut.total).toBe(0)
      await expectClean(instance)
      await expectNothingOutside(instance)
      const expected = expectationOf(sample)
      if (expected === undefined) return
      const tree = await instance.report<Tree>(['tree', '--text'])
      const media = await listMedia(instance)
      expect(foundTree(tree, media, expected)).toStrictEqual(wantedTree(expected))
      await expectUserFields(instance, expected)
      await expectPasswords(instance, sample, expected)
    })
  })
})
