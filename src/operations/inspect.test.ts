import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../../test/support/command-line.ts'
import { createCommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { packPapermerge, papermerge, rewriteArchive } from '../../test/support/odd-archives.ts'
import { fillSmall, type SmallInstance } from '../../test/support/small-instance.ts'
import type { InspectReport } from '../contract/inspect-report.ts'

let folder = ''
let sound = ''
let place: SmallInstance

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-inspect-'))
  sound = join(folder, 'sound.tar.gz')
  await using instance = await createCommandInstance(databases[0]!)
  place = await fillSmall(instance)
  await instance.report(['backup', sound])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

// It needs no instance; the folder that it runs in holds none.
async function inspect(path: string): Promise<InspectReport> {
  const { exitCode, stdout, stderr } = await runCommand(['--json', 'inspect', path], { workingDirectory: folder })
  expect(exitCode, stderr).toBe(0)
  return JSON.parse(stdout) as InspectReport
}

test('counts what an archive holds, by user, and shows its tree', async () => {
  const report = await inspect(sound)
  expect(report).toMatchObject({
    operation: 'inspect',
    format: 'Strongroom 1',
    reading: 'part',
    proved: false,
    groups: 0,
    tags: 1,
    folders: 1,
    documents: 1,
    versions: 2,
    pages: 1,
    sidecars: 1,
    bytes: 29,
    nodesNotListed: 0,
  })
  expect(
    report.users.map(({ username, folders, documents, versions, bytes }) => [
      username,
      folders,
      documents,
      versions,
      bytes,
    ]),
  ).toEqual([
    ['ada', 1, 1, 2, 23],
    ['root', 0, 0, 0, 0],
  ])
  expect(report.nodes.map(({ username, path, versions, size }) => [username, path.join('/'), versions, size])).toEqual([
    ['ada', '.home', 0, null],
    ['ada', '.home/Taxes', 0, null],
    ['ada', '.home/Taxes/2023.pdf', 2, 12],
    ['ada', '.inbox', 0, null],
    ['root', '.home', 0, null],
    ['root', '.inbox', 0, null],
  ])
})

test('lists paths element by element, by their bytes, as tree does', async () => {
  const path = join(folder, 'order.tar.gz')
  const names = ['a', 'a b', 'a-b', 'a/', 'é', 'z', 'B']
  const nodes = [
    papermerge.folder('.home/'),
    ...names.filter((name) => name !== 'a/').map((name) => papermerge.folder(`.home/${name}/`)),
  ]
  await packPapermerge(path, [papermerge.user({ nodes: [...nodes, papermerge.folder('.home/a/inner/')] })])
  const report = await inspect(path)
  expect(report.nodes.map((node) => node.path.slice(1).join('>')).filter((name) => name !== '')).toEqual([
    'B',
    'a',
    'a>inner',
    'a b',
    'a-b',
    'z',
    'é',
  ])
  expect(report.folders).toBe(7)
})

test('stops at what is wrong, and says what', async () => {
  const path = join(folder, 'altered.tar.gz')
  await rewriteArchive({ from: sound, to: path, scratch: folder }, (members) =>
    members.filter(({ name }) => name !== place.original),
  )
  const { exitCode, stdout } = await runCommand(['--json', 'inspect', path])
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([4, { error: { code: 'archive.missing_file' } }])
})
