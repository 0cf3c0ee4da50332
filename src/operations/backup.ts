import type { Writable } from 'node:stream'
import { createArchiveWriter, type ArchiveWriter } from '../archive/archive-writer.ts'
import { createDirectoryWriter } from '../archive/directory-writer.ts'
import { damageName, indexPageName, readmeName } from '../archive/layout.ts'
import type { BackupReport } from '../contract/backup-report.ts'
import { createNotices } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { Database, Db } from '../database/database.ts'
import { countAll, type Counts } from '../database/queries/counts.ts'
import { listUsers } from '../database/queries/users.ts'
import { openScratch, type Scratch } from '../database/scratch.ts'
import { StrongroomError } from '../errors.ts'
import type { MediaStore } from '../media/media-store.ts'
import { type Clock, type Timestamp, unixSeconds } from '../std/clock.ts'
import type { Sink } from '../std/sink.ts'
import { createSpool, type Spool } from '../std/spool.ts'
import { userFolders } from './backup/account-names.ts'
import { archiveFormat, type ArchiveFormat } from './backup/archive-format.ts'
import { addFolders, addOriginals, addSidecars, createDamageList } from './backup/contents.ts'
import { encryptInto, type Encryption } from './backup/encryption.ts'
import { writeIndexPage } from './backup/index-page.ts'
import { writeMetadata } from './backup/metadata.ts'
import { createNodeList, type NodeList } from './backup/node-list.ts'
import { nameNodes } from './backup/node-names.ts'
import { createRenamedList, writeReadme } from './backup/readme.ts'
import { createPartial, findTarget, freeBytes, removeLeftOvers, type Target } from './backup/target.ts'

export interface BackupParts {
  readonly database: Database
  readonly media: MediaStore
  readonly clock: Clock
  readonly programVersion: string
  /** Tells what a dead backup of this instance left in the target's folder. */
  readonly instanceId: string
  readonly lockWaitSeconds: number
  /** A folder for what must wait until its size is known. */
  readonly scratchDirectory: string
}

export interface BackupInput {
  /** A file, a folder, or nothing for the current folder. */
  readonly location?: string
  readonly overwrite: boolean
  /** Whether to read the archive back and prove it before it gets its name. */
  readonly verify: boolean
  readonly links: 'symbolic' | 'hard'
  /** Takes the archive instead of a file. */
  readonly stdout?: Writable
  /** Whom it is encrypted for; without it, it is not. */
  readonly encryption?: Encryption
}

/**
 * Writes one archive that shows the instance at one moment, whatever others do meanwhile; takes the lock by itself. A file
 * under its final name is complete and, unless told otherwise, was read back. What could not be read does not stop it: it is
 * in the report's `leftOut` and declared inside the archive. Throws `file.…`, `database.…`, `instance.closed_to_writers`.
 */
export function createBackup(parts: BackupParts) {
  const { database, lockWaitSeconds } = parts
  return async function backup(
    input: BackupInput,
    onProgress: OnProgress,
    signal?: AbortSignal,
  ): Promise<BackupReport> {
    const target = input.stdout === undefined ? await findTarget(input.location, input.overwrite) : undefined
    if (target !== undefined) {
      await using alone = await database.lock('exclusive', 0)
      if (alone !== undefined) await removeLeftOvers(target.folder, parts.instanceId)
    }
    await using lock = await database.lock('shared', lockWaitSeconds)
    if (lock === undefined) throw new StrongroomError('instance.closed_to_writers')
    // Without await the lock would be free again before the work has begun.
    return await writeBackup(parts, input, onProgress, signal)
  }
}

/** The same for a caller who holds a lock already, shared or exclusive. */
export async function writeBackup(
  parts: BackupParts,
  input: BackupInput,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<BackupReport> {
  const { stdout } = input
  if (stdout !== undefined) {
    return parts.database.snapshot((db) => writeToStream(parts, db, input, stdout, onProgress, signal))
  }
  const target = await findTarget(input.location, input.overwrite)
  return parts.database.snapshot((db) => writeToTarget(parts, db, input, target, onProgress, signal))
}

async function writeToStream(
  parts: BackupParts,
  db: Db,
  { links, encryption }: BackupInput,
  stdout: Writable,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<BackupReport> {
  let archiveBytes = 0
  const sink: Sink = async (parts) => {
    const bytes = Buffer.concat(parts)
    archiveBytes += bytes.length
    await new Promise<void>((resolve, reject) => {
      stdout.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error)))
    })
  }
  const encrypted = await encryptInto(sink, encryption)
  const written = await writeArchive({
    ...parts,
    db,
    links,
    sink: encrypted.write,
    createdAt: parts.clock.now(),
    counts: await countAll(db),
    onProgress,
    signal,
  })
  await encrypted.finish()
  return { ...written, archive: '-', archiveBytes, encrypted: encryption !== undefined, verified: false }
}

async function writeToTarget(
  parts: BackupParts,
  db: Db,
  input: BackupInput,
  target: Target,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<BackupReport> {
  const createdAt = parts.clock.now()
  const counts = await countAll(db)
  await assertSpace(target, counts)
  await using partial = await createPartial(target, parts.instanceId)
  const encrypted = await encryptInto(partial.write, input.encryption)
  const written = await writeArchive({
    ...parts,
    db,
    links: input.links,
    sink: encrypted.write,
    createdAt,
    counts,
    onProgress,
    signal,
  })
  await encrypted.finish()
  await partial.sync()
  if (input.verify) {
    const { readBack } = await import('./backup/read-back.ts')
    await readBack(partial.path, encrypted.keys, target, parts.scratchDirectory, onProgress, signal)
  }
  signal?.throwIfAborted()
  const isEncrypted = input.encryption !== undefined
  const archive = await partial.putInPlace(input.overwrite, createdAt, isEncrypted)
  return { ...written, archive, archiveBytes: partial.size, encrypted: isEncrypted, verified: input.verify }
}

const bytesOfFiles = ({ originalBytes, sidecarBytes, trash }: Counts): number =>
  originalBytes + sidecarBytes + trash.originalBytes + trash.sidecarBytes

/** Scans hardly compress; a disk with less than half of their bytes free would surely be full before the end. */
async function assertSpace(target: Target, counts: Counts): Promise<void> {
  const needed = Math.ceil(bytesOfFiles(counts) / 2)
  const free = await freeBytes(target.folder)
  if (needed > free)
    throw new StrongroomError('file.too_little_space', { path: `The backup in ${target.folder}`, needed, free })
}

interface WriteInput extends Pick<BackupParts, 'media' | 'programVersion' | 'instanceId' | 'scratchDirectory'> {
  readonly db: Db
  readonly links: 'symbolic' | 'hard'
  readonly sink: Sink
  readonly createdAt: Timestamp
  readonly counts: Counts
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}

async function writeArchive(
  input: WriteInput,
): Promise<Omit<BackupReport, 'archive' | 'archiveBytes' | 'encrypted' | 'verified'>> {
  const { db, counts, createdAt, links, media, onProgress, scratchDirectory, signal } = input
  const writer = `Strongroom ${input.programVersion}`
  const mtime = unixSeconds(createdAt)
  using scratch = openScratch(scratchDirectory)
  await using archive = await createArchiveWriter(input.sink, scratchDirectory)
  await using metadata = await createSpool(scratchDirectory)
  await using readme = await createSpool(scratchDirectory)
  await using damaged = await createSpool(scratchDirectory)
  const leftOut = createNotices()
  const damage = createDamageList(damaged, leftOut)
  const renamed = createRenamedList()
  const directory = createDirectoryWriter(archive, scratchDirectory)
  const list = createNodeList(scratch)

  await describe({
    db,
    scratch,
    scratchDirectory,
    metadata,
    readme,
    createdAt,
    format: await archiveFormat(db),
    writer,
    instanceId: input.instanceId,
    links,
    counts,
    list,
    renamed,
    onProgress,
    signal,
  })
  await directory.addMetadata(metadata.size, mtime, metadata.chunks())
  await addSpool(archive, readmeName, readme, mtime)

  const total = bytesOfFiles(counts)
  let done = 0
  const onBytes = (bytes: number): void => {
    done += bytes
    onProgress({ phase: 'writing files', done, total, unit: 'bytes' })
  }
  const contents = { db, scratch, media, archive, createdAt, damage, onBytes, signal }
  await addOriginals(contents)
  await addSidecars(contents)
  if (damage.count > 0) {
    await damaged.write('\n]}\n')
    await addSpool(archive, damageName, damaged, mtime)
  }
  const users = await listUsers(db)
  const names = userFolders(users.map((user) => user.username))
  const folders = new Map(users.map((user, index) => [user.id, names[index]!]))
  await addFolders(contents, folders, links)
  // After the files, for only then is it known which of them are missing.
  await using page = await createSpool(scratchDirectory)
  const damages = damage.count
  await writeIndexPage({ db, scratch, out: page, createdAt, writer, counts, users, folders, damaged, damages, signal })
  await addSpool(archive, indexPageName, page, mtime)
  await archive.finish(mtime, await directory.finish(mtime, { ...list.contents(), damage: damages > 0 }))
  const { trash } = counts
  return {
    operation: 'backup',
    created: createdAt,
    users: counts.users,
    folders: counts.folders,
    documents: counts.documents,
    versions: counts.versions,
    tags: counts.tags,
    sidecars: counts.sidecars,
    trash: { folders: trash.folders, documents: trash.documents, versions: trash.versions },
    bytes: total,
    renamed: renamed.count,
    warnings: createNotices().collected(),
    leftOut: leftOut.collected(),
  }
}

/** Names the nodes and writes what describes the archive: backup.json and README.txt. */
async function describe(input: {
  readonly db: Db
  readonly scratch: Scratch
  readonly scratchDirectory: string
  readonly metadata: Spool
  readonly readme: Spool
  readonly createdAt: Timestamp
  readonly format: ArchiveFormat
  readonly writer: string
  readonly instanceId: string
  readonly links: 'symbolic' | 'hard'
  readonly counts: Counts
  readonly list: NodeList
  readonly renamed: ReturnType<typeof createRenamedList>
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}): Promise<void> {
  const { db, scratch, metadata, readme, counts, renamed, onProgress, signal } = input
  await nameNodes(db, scratch)
  let documents = 0
  await writeMetadata({
    ...input,
    out: metadata,
    onRenamed: (kind, name, shown) => renamed.add(kind, name, shown),
    onDocument: () => {
      signal?.throwIfAborted()
      documents += 1
      onProgress({
        phase: 'reading rows',
        done: documents,
        total: counts.documents + counts.trash.documents,
        unit: 'documents',
      })
    },
  })
  await writeReadme(readme, { ...input, ...counts }, renamed)
}

const addSpool = (archive: ArchiveWriter, name: string, spool: Spool, mtime: number) =>
  archive.addFile({ name, size: spool.size, mtime, content: spool.chunks() })
