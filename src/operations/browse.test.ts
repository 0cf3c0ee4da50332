import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../../test/support/command-line.ts'
import { createCommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { aFile, rewriteArchive } from '../../test/support/odd-archives.ts'
import { fillSmall, temporaryFolder, type SmallInstance } from '../../test/support/small-instance.ts'
import type { Tree } from '../../test/support/tree-report.ts'
import type { FindReport } from '../contract/find-report.ts'

let place: Awaited<ReturnType<typeof temporaryFolder>>
let archive = ''
let small: SmallInstance
let tree: Tree
let trashedId = ''

beforeAll(async () => {
  place = await temporaryFolder()
  archive = join(place.path, 'archive.tar.gz')
  await using instance = await createCommandInstance(databases[0]!)
  small = await fillSmall(instance)
  await fillDirectly(instance, async ({ user, node, tag, version, page }) => {
    const bob = await user({ username: 'bob' })
    const letters = await node({ user_id: bob.id, parent_id: bob.home, title: 'Briefe' })
    const lease = await node({ user_id: bob.id, parent_id: letters, title: 'Mietvertrag.pdf', type: 'document' })
    await tag({ user_id: bob.id, name: 'Wohnung' }, [lease])
    const old = await version({ user: bob.id, document: lease }, { number: 1, file_name: 'old.pdf' }, 'old')
    await page(old, { number: 1, text: 'An old text about a garage' })
    const text = `${'padding '.repeat(30)}Herr MÜLLER\n  wohnt in der Königstraße${' and more'.repeat(30)}`
    const last = await version({ user: bob.id, document: lease }, { number: 2, file_name: 'lease.pdf' }, 'new')
    await page(last, { number: 3, text })
    trashedId = await node({
      user_id: bob.id,
      title: 'Garagenvertrag.pdf',
      type: 'document',
      deleted_at: '2026-11-24T15:00:00.000001Z',
      deleted_from: '.home/Garagenvertrag.pdf',
    })
    await version({ user: bob.id, document: trashedId }, { file_name: 'x.pdf' }, 'removed')
  })
  tree = await instance.report<Tree>(['tree', '--text'])
  await instance.report(['backup', archive])
})
afterAll(() => place[Symbol.asyncDispose]())

async function inspect(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(['inspect', archive, ...args])
  expect(exitCode, stderr).toBe(0)
  return stdout
}

const inspectJson = async <T>(...args: readonly string[]): Promise<T> =>
  JSON.parse(await inspect('--json', ...args)) as T

const found = async (...args: readonly string[]): Promise<unknown[]> =>
  (await inspectJson<FindReport>(...args)).hits.map(({ username, path, found: where, version, page }) =>
    [username, path.join('/'), where, version, page].filter((each) => each !== null),
  )

test('inspect --tree shows just what tree shows of the instance', async () => {
  expect(await inspectJson('--tree', '--text')).toEqual(tree)
  expect(await inspectJson('--tree', '--text', '--user', 'bob')).toEqual({
    users: tree.users.filter(({ username }) => username === 'bob'),
  })
  expect(await inspect('--user', 'ada')).toBe(
    'ada  <ada@example.org>\n  .home/\n    Taxes/  [paid]\n      2023.pdf  2 versions, 12 B, 1 page  [paid]\n  .inbox/\n',
  )
})

test('inspect --path shows what lies in a folder, and with --tree what lies below', async () => {
  const people = await inspect('--path', '.home', '--user', 'bob')
  expect(people.split('\n')).toEqual([
    expect.stringMatching(/^Title +Versions/),
    expect.stringMatching(/^Briefe\//),
    '',
  ])
  expect(await inspect('--path', 'Briefe')).toMatch(/\nMietvertrag\.pdf +2 +1 +3 B +\d{4}-\d\d-\d\d +Wohnung\n$/)
  expect(await inspect('--path', '.home', '--user', 'bob', '--tree')).toContain('Mietvertrag.pdf')
  const { users } = await inspectJson<Tree>('--path', '.home', '--user', 'bob')
  expect(users[0]?.nodes.map(({ path }) => path.join('/'))).toEqual(['.home', '.home/Briefe'])
  expect(await inspect('--path', '.inbox', '--user', 'bob')).toBe('There is nothing.\n')
})

test('inspect --path shows a document with its versions and pages, sizes and hashes', async () => {
  const document = tree.users
    .find(({ username }) => username === 'bob')!
    .nodes.find(({ title }) => title.startsWith('Miet'))!
  const people = await inspect('--path', 'Briefe/Mietvertrag.pdf')
  for (const fact of [
    document.id,
    'Wohnung',
    'lease.pdf',
    'old.pdf',
    ...document.versions.map(({ sha256 }) => sha256!),
  ])
    expect(people).toContain(fact)
  expect(people).toMatch(/Version 1\n[^]*Page 1[^]*Version 2\n[^]*Page 3/)
  expect(people).not.toContain('Königstraße')
  expect(await inspect('--document', document.id, '--text')).toContain('Herr MÜLLER\\n  wohnt')
  const { users } = await inspectJson<Tree>('--document', document.id, '--text')
  expect(users.flatMap(({ nodes }) => nodes)).toEqual([document])
})

test('inspect --find looks in titles, tags and pages, whatever the case and the accents', async () => {
  const lease = ['bob', '.home/Briefe/Mietvertrag.pdf']
  expect(await found('--find', 'MIETVERTRAG')).toEqual([[...lease, 'title']])
  expect(await found('--find', 'wohnung')).toEqual([[...lease, 'tag']])
  expect(await found('--find', 'muller wohnt')).toEqual([[...lease, 'text', 2, 3]])
  expect(await found('--find', 'KÖNIGSTRASSE')).toEqual([[...lease, 'text', 2, 3]])
  expect(await found('--find', 'ko\u0308nigstraße', '--path', 'Briefe')).toEqual([[...lease, 'text', 2, 3]])
  expect(await found('--find', 'garage')).toEqual([[...lease, 'text', 1, 1]])
  expect(await found('--find', 'garage', '--user', 'ada')).toEqual([])
  expect(await found('--find', 'garage', '--trash')).toEqual([['bob', 'Garagenvertrag.pdf', 'title']])
  const people = await inspect('--find', 'müller')
  expect(people).toMatch(/^bob: \.home\/Briefe\/Mietvertrag\.pdf\n {2}page 3 of version 2: …/)
  expect(people).toContain('Herr MÜLLER wohnt in der Königstraße')
  expect(people.length).toBeLessThan(300)
  expect(await inspect('--find', 'nowhere')).toContain('Nothing has nowhere')
})

test('inspect --trash shows what was removed, when and from where', async () => {
  expect(await inspect('--trash')).toMatch(/\nbob +2026-11-24T15:00:00\.000001Z +\.home\/Garagenvertrag\.pdf +\S+\n$/)
  const { users } = await inspectJson<Tree>('--trash', '--user', 'bob')
  expect(users[0]?.nodes).toMatchObject([
    { id: trashedId, deleted_at: '2026-11-24T15:00:00.000001Z', deleted_from: '.home/Garagenvertrag.pdf' },
  ])
  expect(await inspect('--document', trashedId)).toContain('Garagenvertrag.pdf')
})

test('inspect says what is near, and how it is used', async () => {
  const failed = async (...args: readonly string[]) => {
    const { exitCode, stdout } = await runCommand(['--json', 'inspect', archive, ...args])
    return [exitCode, (JSON.parse(stdout) as { error: { code: string } }).error.code]
  }
  expect(await failed('--path', 'Brief')).toEqual([6, 'contents.nothing_there'])
  expect(await failed('--path', '.home')).toEqual([5, 'contents.ambiguous_path'])
  expect(await failed('--user', 'eve')).toEqual([6, 'contents.user_not_found'])
  expect(await failed('--trash', '--path', '.home')).toEqual([2, 'usage.invalid'])
  expect(await failed('--find', ' ')).toEqual([2, 'usage.invalid'])
})

test('inspect --keep-going shows what is left of a damaged archive', async () => {
  const path = join(place.path, 'altered.tar.gz')
  await rewriteArchive({ from: archive, to: path, scratch: place.path }, (members) =>
    members.map((member) => (member.name === small.original ? aFile(member.name, 'altered') : member)),
  )
  for (const args of [[], ['--tree'], ['--find', '2023']]) {
    expect((await runCommand(['inspect', path, ...args])).exitCode).toBe(4)
    for (const json of [[], ['--json']]) {
      const { exitCode, stdout } = await runCommand(['inspect', path, '--keep-going', ...args, ...json])
      expect([exitCode, stdout]).toEqual([3, expect.stringContaining('2023.pdf')])
    }
  }
  await writeFile(path, 'no archive')
  expect((await runCommand(['inspect', path, '--keep-going', '--tree'])).exitCode).toBe(4)
})
