import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { collectingSink } from '../../test/support/collecting-sink.ts'
import { surveyReport } from '../../test/support/survey-report.ts'
import { inChunks } from '../../test/support/tar-pieces.ts'
import { createArchiveWriter, type ArchiveWriter } from './archive-writer.ts'
import type { DirectoryNode, DirectoryUser } from './directory-format.ts'
import { createDirectoryWriter, type DirectoryContents } from './directory-writer.ts'

const scratch = mkdtempSync(join(tmpdir(), 'strongroom-check-directory-'))
afterAll(() => rm(scratch, { recursive: true, force: true }))

const user = 'ce67fe07-e5e3-4269-8d20-d262e8fb655a'
const ids = [1, 2, 3, 4].map((digit) => `0000000${digit}-0000-4000-8000-000000000000`) as [
  string,
  string,
  string,
  string,
]
const fileOf = (id: string): string => `docs/user_${user}/document_${id}/v1/a.pdf`

/** A home with two documents, and one in the trash; each with a file. */
const records = [
  { ctype: 'folder', title: '.home', strongroom: { id: ids[0], parent: null } },
  { id: ids[1], ctype: 'document', title: 'a', versions: [versionOf(ids[1])], strongroom: { parent: ids[0] } },
  { id: ids[2], ctype: 'document', title: 'b', versions: [versionOf(ids[2])], strongroom: { parent: ids[0] } },
  { id: ids[3], ctype: 'document', title: 'c', versions: [versionOf(ids[3])], strongroom: { parent: null } },
].map((record) => JSON.stringify(record)) as [string, string, string, string]

function versionOf(id: string) {
  return { file_path: fileOf(id), strongroom: { sha256: '0'.repeat(64) }, pages: [] }
}

const parts = [
  '{"strongroom":{"format":2},"users":[\n',
  `{"id":"${user}","username":"ada","nodes":[`,
  `\n${records[0]},\n${records[1]},\n${records[2]}`,
  `],"strongroom":{"nodes":[`,
  `\n${records[3]}`,
  ']}}\n]}\n',
]
const metadata = parts.join('')
const placeOf = (text: string): readonly [number, number] => [metadata.indexOf(text), text.length]

const nodes: readonly DirectoryNode[] = records.map((record, number) => ({
  id: ids[number]!,
  type: number === 0 ? 'folder' : 'document',
  title: ['.home', 'a', 'b', 'c'][number]!,
  parent: number === 1 || number === 2 ? 0 : null,
  end: number === 0 ? 3 : number + 1,
  own: number === 3 ? 1 : 0,
  record: placeOf(record),
  originals: [Math.max(0, number - 1), number === 0 ? 0 : 1],
  sidecars: [0, 0],
}))
const head = parts[0]!.length
const users: readonly DirectoryUser[] = [
  {
    id: user,
    username: 'ada',
    nodes: [0, 3, 4],
    head: [head, head + parts[1]!.length],
    own: [metadata.indexOf(parts[3]!), metadata.indexOf(parts[3]!) + parts[3]!.length],
  },
]
const truth: DirectoryContents = {
  metadataHead: head,
  users,
  nodes,
  documents: [1, 2, 3].map((number) => ({ id: ids[number]!, number })),
  originals: 3,
  sidecars: 0,
  damage: false,
}

/** An archive with this directory, whose chain of proof is right. With `shown`, the directory leads there for backup.json. */
async function archiveWith(contents: DirectoryContents, shown?: string): Promise<Buffer> {
  const { sink, bytes } = collectingSink()
  await using archive = await createArchiveWriter(sink, scratch)
  const add = (name: string, text: string) =>
    archive.addFile({ name, size: text.length, mtime: 1, content: inChunks(Buffer.from(text), 100) })
  const renamed: ArchiveWriter = {
    ...archive,
    addFile: (file) => archive.addFile({ ...file, name: file.name === 'backup.json' ? 'README.txt' : file.name }),
  }
  if (shown !== undefined) await add('backup.json', metadata)
  const directory = createDirectoryWriter(shown === undefined ? archive : renamed, scratch)
  const text = shown ?? metadata
  await directory.addMetadata(text.length, 1, inChunks(Buffer.from(text), 50))
  if (shown === undefined) await add('README.txt', 'This is a backup.')
  for (const id of [ids[1], ids[2], ids[3]]) await add(fileOf(id), `the file of ${id}`)
  await archive.finish(1, await directory.finish(1, contents))
  return bytes()
}

const problemsOf = async (archive: Buffer): Promise<readonly string[]> =>
  (await surveyReport(inChunks(archive, 1000), scratch)).messages

test('a directory that says what backup.json says is proved', async () => {
  expect(await problemsOf(await archiveWith(truth))).toEqual([])
})

const changed = (number: number, change: Partial<DirectoryNode>): DirectoryContents => ({
  ...truth,
  nodes: nodes.map((node, index) => (index === number ? { ...node, ...change } : node)),
})
const changedUser = (change: Partial<DirectoryUser>): DirectoryContents => ({
  ...truth,
  users: [{ ...users[0]!, ...change }],
})

test.each<readonly [string, DirectoryContents]>([
  ['another title', changed(1, { title: 'A' })],
  ['another id', changed(1, { id: ids[2] })],
  ['the record of another document', changed(1, { record: nodes[2]!.record })],
  ['a part of a record', changed(1, { record: [nodes[1]!.record[0] + 1, nodes[1]!.record[1] - 1] })],
  ['another folder', changed(1, { parent: null })],
  ['a folder behind what it holds', changed(1, { parent: 2 })],
  ['another end of a folder', changed(0, { end: 2 })],
  ['another end of a document', changed(1, { end: 3 })],
  ['the other list', changed(3, { own: 0 })],
  ['another kind', changed(0, { type: 'document' })],
  ['the file of another document', changed(1, { originals: [1, 1] })],
  ['more files than it has', changed(1, { originals: [0, 2] })],
  ['a sidecar that is not there', changed(1, { sidecars: [0, 1] })],
  ['a node less', { ...truth, nodes: nodes.slice(0, 3), users: [{ ...users[0]!, nodes: [0, 3, 3] }] }],
  ['a node of nobody', { ...truth, nodes: [...nodes, nodes[3]!] }],
  ['another beginning of a user', changedUser({ head: [head + 1, users[0]!.head[1]] })],
  [
    'another beginning of what Papermerge does not read',
    changedUser({ own: [users[0]!.own[0], users[0]!.own[1] - 1] }),
  ],
  ['no user', { ...truth, users: [] }],
  ['a document less', { ...truth, documents: [...truth.documents].slice(1) }],
  ['documents in no order', { ...truth, documents: [...truth.documents].toReversed() }],
  [
    'a wrong number of a document',
    { ...truth, documents: [...truth.documents].map((each) => ({ ...each, number: 1 })) },
  ],
  ['another name of a user', changedUser({ username: 'eve' })],
  ['a damage.json that is not there', { ...truth, damage: true }],
  ['another beginning of the users', { ...truth, metadataHead: head - 2 }],
])('a directory with %s is found', async (_, contents) => {
  const problems = await problemsOf(await archiveWith(contents))
  expect(problems).toEqual([expect.stringContaining('its directory is damaged')])
})

test('a directory that leads to another backup.json is found', async () => {
  const other = metadata.replace('"title":"a"', '"title":"x"')
  const problems = await problemsOf(await archiveWith(changed(1, { title: 'x' }), other))
  expect(problems).toEqual([expect.stringContaining('it leads to another backup.json')])
})
