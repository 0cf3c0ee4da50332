import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ImportReport } from '../../src/contract/import-report.ts'
import { createCommandInstance } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { databases } from '../support/databases.ts'
import { expectSoundArchive } from '../support/sound-archive.ts'
import type { Tree } from '../support/tree-report.ts'

/** Folders on disk with whatever a Linux file system takes: names in every script and in none, links, pipes. */

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-import-law-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const letters = [
  ...[
    'a',
    'A',
    'é',
    'e\u0301',
    'ß',
    'ſ',
    'İ',
    '長',
    'ภา',
    'हि',
    'עב',
    'عر',
    '한',
    'Ж',
    'Σ',
    '😀',
    '\u{10ffff}',
    '\ufeff',
  ],
  ...[
    ' ',
    '\n',
    '\u0001',
    '\u007f',
    '\u202e',
    '\\',
    ':',
    '*',
    '"',
    '<',
    '|',
    '.',
    '-',
    '~',
    'CON',
    '.home',
    '.pdf',
    '…',
  ],
]
const wellFormed = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: 4 }).map((all) => all.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom(...letters).map((letter) => letter.repeat(300)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }) },
)
const name = fc
  .oneof(
    { weight: 5, arbitrary: wellFormed.map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 5 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...['ff', 'fe', 'c3', '61ff', '61fe', 'eda080']).map((hex) => Buffer.from(hex, 'hex')),
    },
  )
  .map((bytes) => cutToFit(Buffer.from(bytes.filter((byte) => byte !== 0 && byte !== 0x2f))))
  .filter((bytes) => bytes.length > 0 && !['.', '..'].includes(bytes.toString('latin1')))

/** What a file system takes: 255 bytes, not parted within a character. */
function cutToFit(bytes: Buffer): Buffer {
  let end = Math.min(bytes.length, 255)
  while (end > 0 && end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end)
}

const entry = fc.record({
  place: fc.nat(6),
  name,
  what: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('file' as const) },
    { weight: 3, arbitrary: fc.constantFrom('folder' as const) },
    { weight: 1, arbitrary: fc.constantFrom('link' as const, 'pipe' as const) },
  ),
  content: fc.oneof(fc.string({ maxLength: 30 }), fc.constant('%PDF-1.4 no such thing')),
  target: fc.constantFrom('/', '..', '.', 'nowhere', '/etc/passwd', '../..'),
})
type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never

interface Folder {
  readonly path: Buffer
  readonly children: Map<string, { readonly entry: Entry; readonly folder?: Folder }>
}

const joined = (folder: Buffer, part: Buffer): Buffer => Buffer.concat([folder, Buffer.from('/'), part])

/** Makes the entries on disk and gives what was made. */
async function makeOnDisk(top: string, entries: readonly Entry[]): Promise<Folder> {
  const root: Folder = { path: Buffer.from(top), children: new Map() }
  await mkdir(root.path)
  const folders = [root]
  for (const each of entries) {
    const within = folders[each.place] ?? root
    const path = joined(within.path, each.name)
    const key = each.name.toString('latin1')
    // A whole path has its own limit.
    if (within.children.has(key) || path.length > 3000) continue
    if (each.what === 'folder') {
      await mkdir(path)
      const folder = { path, children: new Map() }
      folders.push(folder)
      within.children.set(key, { entry: each, folder })
      continue
    }
    if (each.what === 'link') await symlink(each.target, path)
    else if (each.what === 'file') await writeFile(path, each.content)
    else if (isExact(path)) execFileSync('mkfifo', ['--', path.toString()])
    else continue
    within.children.set(key, { entry: each })
  }
  return root
}

const isExact = (bytes: Buffer): boolean => Buffer.from(bytes.toString()).equals(bytes)

/** What is to come of a folder: lines of what is there, and how much is left out. */
function expectedOf(folder: Folder, path: readonly string[], lines: string[]): number {
  let leftOut = 0
  const titles = new Set<string>()
  for (const [, { entry: each, folder: inner }] of [...folder.children].toSorted(([left], [right]) =>
    Buffer.compare(Buffer.from(left, 'latin1'), Buffer.from(right, 'latin1')),
  )) {
    const title = each.name.toString()
    if (titles.has(title)) {
      leftOut += 1
      continue
    }
    titles.add(title)
    const here = [...path, title]
    if (inner !== undefined) {
      lines.push(JSON.stringify([here, 'folder']))
      leftOut += expectedOf(inner, here, lines)
    } else if (each.what === 'file') lines.push(JSON.stringify([here, Buffer.byteLength(each.content)]))
    else leftOut += 1
  }
  return leftOut
}

async function importAgain(instance: CommandInstance, folder: string, code: number): Promise<ImportReport> {
  const { exitCode, stdout, stderr } = await instance.run(['--json', 'import', folder, '--user', 'ada'])
  expect([exitCode, stdout, stderr]).toEqual([code, stdout, stderr])
  return JSON.parse(stdout) as ImportReport
}

const runs = Number(process.env['STRONGROOM_LAW_RUNS'] ?? 15)

test.each(databases)(
  'on $name, an import takes in each regular file once, names all else, and its result goes through an archive',
  async (kind) => {
    const law = fc.asyncProperty(fc.array(entry, { maxLength: 25 }), async (entries) => {
      await using instance = await createCommandInstance(kind)
      await instance.report(['user', 'add', 'ada'], { stdin: 'a long secret\n' })
      const folder = join(await mkdtemp(join(scratch, 'tree-')), 'Papers')
      const made = await makeOnDisk(folder, entries)
      const lines: string[] = []
      const leftOut = expectedOf(made, ['.inbox', 'Papers'], lines)
      const code = leftOut === 0 ? 0 : 3
      const first = await importAgain(instance, folder, code)
      expect(first.leftOut.total).toBe(leftOut)
      const tree = await instance.report<Tree>(['tree'])
      const found = tree.users[0]!.nodes.filter(({ path }) => path[0] === '.inbox' && path.length > 2).map(
        ({ path, type, versions }) => JSON.stringify([path, type === 'folder' ? type : versions[0]?.size]),
      )
      expect(found.toSorted()).toEqual(lines.toSorted())
      const second = await importAgain(instance, folder, code)
      expect(second).toMatchObject({ added: 0, newVersions: 0, folders: 0, unchanged: first.added })
      await instance.report(['check'])
      const archive = join(scratch, `${kind.name}.tar.gz`)
      await instance.report(['backup', archive, '--overwrite'])
      await expectSoundArchive(archive)
      await using copy = await createCommandInstance(kind)
      await copy.report(['restore', archive])
      expect(await copy.report<Tree>(['tree'])).toEqual(tree)
      await rm(folder, { recursive: true })
    })
    await fc.assert(law, { endOnFailure: true, numRuns: kind.name === 'SQLite' ? runs : Math.ceil(runs / 5) })
  },
)
