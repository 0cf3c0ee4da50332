import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PDFDocument } from '@cantoo/pdf-lib'
import { allMigrations } from '../../src/database/migrations.ts'
import { openDatabase } from '../../src/database/open.ts'
import { prepareDataDirectory } from '../../src/operations/data-directory.ts'
import { fillSmall } from '../support/small-instance.ts'
import type { DatabaseKind } from './calls.ts'
import { emptyStage, type Stage } from './stages.ts'

/** What the faults strike: a command on an instance that was made ready for it. */
export interface Operation {
  readonly name: string
  /** False where parts of it become visible by themselves, as the folders of an import do. */
  readonly whole: boolean
  /** How it may end where it is done already. */
  readonly again: readonly number[]
  args(stage: Stage): readonly string[]
  /** Makes a stage for it, for copies. */
  prepare(kind: DatabaseKind): Promise<Stage>
}

/** The instance that most operations begin with. */
async function filled(kind: DatabaseKind): Promise<Stage> {
  const stage = await emptyStage(kind)
  await stage.done(['migrate'])
  await fillSmall({ dataDirectory: stage.data, url: stage.url })
  const path = join(stage.source, 'old.txt')
  await writeFile(path, 'in the trash')
  await stage.done(['import', path, '--user', 'ada'])
  await stage.done(['rm', '.inbox/old.txt', '--user', 'ada'])
  await rm(path)
  return stage
}

async function withFiles(kind: DatabaseKind): Promise<Stage> {
  const stage = await filled(kind)
  await writeFile(join(stage.source, '2023.pdf'), 'third bytes')
  await writeFile(join(stage.source, 'note.txt'), 'a note')
  await writeFile(join(stage.source, 'large.bin'), Buffer.alloc(300_000, 'strongroom'))
  return stage
}

const sourcesOf = (stage: Stage): readonly string[] =>
  ['2023.pdf', 'note.txt', 'large.bin'].map((name) => join(stage.source, name))

async function withFolder(kind: DatabaseKind): Promise<Stage> {
  const stage = await filled(kind)
  const document = await PDFDocument.create()
  document.addPage()
  await mkdir(join(stage.source, 'Papers', 'Letters'), { recursive: true })
  await writeFile(join(stage.source, 'Papers', 'Letters', 'a.txt'), 'first letter')
  await writeFile(join(stage.source, 'Papers', 'b.pdf'), await document.save())
  return stage
}

async function withArchive(kind: DatabaseKind): Promise<Stage> {
  const stage = await filled(kind)
  await stage.done(['backup', join(stage.out, 'archive.tar.gz')])
  await stage.done(['mkdir', '.home/After the backup', '--user', 'ada'])
  return stage
}

/** An empty instance and the archive of another. */
async function restorable(kind: DatabaseKind): Promise<Stage> {
  await using from = await filled(kind)
  const stage = await emptyStage(kind)
  await from.done(['backup', join(stage.source, 'archive.tar.gz')])
  await stage.done(['migrate'])
  return stage
}

/** An instance and its own archive, of which a document has changed since. */
async function changed(kind: DatabaseKind): Promise<Stage> {
  const stage = await withFiles(kind)
  await stage.done(['backup', join(stage.source, 'archive.tar.gz')])
  await stage.done(['import', ...sourcesOf(stage), '--user', 'ada', '--into', '.home/Taxes'])
  return stage
}

/** An instance as the first release made them. */
async function older(kind: DatabaseKind): Promise<Stage> {
  const stage = await emptyStage(kind)
  await prepareDataDirectory({ path: stage.data, inContainer: false })
  const place = { dataDirectory: stage.data, url: stage.url, migrations: allMigrations.slice(0, 1) }
  await using database = await openDatabase({ ...place, create: true })
  await database.migrate('2026-11-24T14:03:52.304446Z')
  return stage
}

const restore = (stage: Stage, ...options: readonly string[]): readonly string[] => [
  'restore',
  join(stage.source, 'archive.tar.gz'),
  ...options,
]

/** Each operation that changes an instance or writes an archive. */
export const operations: readonly Operation[] = [
  { name: 'migrate', whole: true, again: [0], args: () => ['migrate'], prepare: (kind) => emptyStage(kind) },
  { name: 'upgrade', whole: true, again: [0], args: () => ['migrate'], prepare: older },
  {
    name: 'import',
    whole: true,
    again: [0],
    args: (stage) => ['import', ...sourcesOf(stage), '--user', 'ada', '--into', '.home/Taxes'],
    prepare: withFiles,
  },
  {
    name: 'import a folder',
    whole: false,
    again: [0],
    args: (stage) => ['import', join(stage.source, 'Papers'), '--user', 'ada'],
    prepare: withFolder,
  },
  { name: 'backup', whole: true, again: [0], args: (stage) => ['backup', `${stage.out}/`], prepare: filled },
  {
    name: 'backup into a new folder',
    whole: true,
    again: [0],
    args: (stage) => ['backup', `${join(stage.out, 'new', 'newer')}/`],
    prepare: filled,
  },
  {
    name: 'backup over another',
    whole: true,
    again: [0],
    args: (stage) => ['backup', join(stage.out, 'archive.tar.gz'), '--overwrite'],
    prepare: withArchive,
  },
  { name: 'restore', whole: true, again: [0, 5], args: (stage) => restore(stage), prepare: restorable },
  {
    name: 'restore over',
    whole: true,
    again: [0],
    args: (stage) => restore(stage, '--on-conflict', 'overwrite'),
    prepare: changed,
  },
  { name: 'replace', whole: true, again: [0], args: (stage) => restore(stage, '--replace'), prepare: changed },
  { name: 'rm', whole: true, again: [6], args: () => ['rm', '.home/Taxes', '--user', 'ada'], prepare: filled },
  { name: 'trash empty', whole: true, again: [0], args: () => ['trash', 'empty', '--yes'], prepare: filled },
]
