import { lstat, realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import type { ImportReport } from '../contract/import-report.ts'
import { createNotices } from '../contract/notices.ts'
import type { OnProgress } from '../contract/reports.ts'
import type { Database } from '../database/database.ts'
import { findChild, insertNodes, pathOf } from '../database/queries/nodes.ts'
import { versionFactsOf } from '../database/queries/versions.ts'
import type { NodeRow, UserRow } from '../database/schema.ts'
import { formatPath } from '../domain/paths.ts'
import { inboxTitle } from '../domain/roots.ts'
import { StrongroomError } from '../errors.ts'
import { headBytes, mediaTypeOf } from '../reading/media-type.ts'
import { createPageCounter, type PageCounter } from '../reading/page-count.ts'
import type { NewDocument, NewVersion } from '../services/document-input.ts'
import type { createDocuments } from '../services/documents.ts'
import { noteInAudit } from '../services/audit.ts'
import { requireFolder } from '../services/document-rows.ts'
import { requireUser } from '../services/find-user.ts'
import { folderRow } from '../services/folder-row.ts'
import { requireNode } from '../services/locate.ts'
import type { Clock } from '../std/clock.ts'
import { onFile } from '../std/files.ts'
import type { Ids } from '../std/ids.ts'
import { reasonOf } from '../std/text.ts'
import {
  changedWhileRead,
  entryAt,
  joinRaw,
  namesIn,
  nameText,
  openSource,
  type RawPath,
  type SourceFile,
} from './source-files.ts'

export interface ImportInput {
  /** Absolute paths of files and folders. */
  readonly paths: readonly string[]
  readonly username: string
  /** The folder that takes them; the inbox where it is left out. */
  readonly into?: string
}

interface ImportParts {
  readonly database: Database
  readonly documents: ReturnType<typeof createDocuments>
  readonly clock: Clock
  readonly ids: Ids
  /** Never imported. */
  readonly dataDirectory: string
}

/** What is stored together at most: so many files stay open, and so much is written between two syncs. */
const filesAtOnce = 64
const bytesAtOnce = 64 * 1024 * 1024
const pagesAtOnce = 20_000

/** Where something goes, and what it is called outside. */
interface Place {
  readonly source: RawPath
  readonly parentId: string
  readonly title: string
  /** For messages. */
  readonly shown: string
}

interface Waiting {
  readonly file: SourceFile
  readonly shown: string
  readonly input: NewDocument | NewVersion
}

/**
 * Takes files and folder trees in: a file becomes a document, or a new version where a document of its name has other
 * bytes; a folder becomes a folder, or is added to. In the order of names, in groups that are wholly there or not at all.
 * Links are not followed; what cannot be taken in is left out and named. Throws `file.not_found` for a path that does not
 * exist, `user.not_found`, `node.not_found`, `node.not_folder`, before anything is taken in.
 */
export const createImport =
  (parts: ImportParts) =>
  async (input: ImportInput, onProgress: OnProgress, signal?: AbortSignal): Promise<ImportReport> => {
    const user = await requireUser(parts.database.db, input.username)
    const into = await requireNode(parts.database.db, user, input.into ?? inboxTitle)
    const intoPath = formatPath((await pathOf(parts.database.db, into.id)).map(({ title }) => title))
    if (into.type !== 'folder') throw new StrongroomError('node.not_folder', { path: intoPath })
    for (const path of input.paths) await onFile(path, 'read', () => lstat(path))
    await using counter = createPageCounter()
    const run = createRun(parts, { user, counter, onProgress, signal })
    try {
      await run.takeNamed(input.paths, into.id)
      await run.flush()
    } finally {
      await run.closeFiles()
    }
    return { operation: 'import', username: user.username, into: intoPath, ...run.result() }
  }

interface RunContext {
  readonly user: UserRow
  readonly counter: PageCounter
  readonly onProgress: OnProgress
  readonly signal: AbortSignal | undefined
}

function createRun({ database, documents, clock, ids, dataDirectory }: ImportParts, context: RunContext) {
  const { user, counter, onProgress, signal } = context
  const warnings = createNotices()
  const leftOut = createNotices()
  const counts = { added: 0, newVersions: 0, unchanged: 0, folders: 0, bytes: 0 }
  let seen = 0
  let waiting: Waiting[] = []

  async function takeNamed(paths: readonly string[], parentId: string): Promise<void> {
    const own = await realpath(dataDirectory).catch(() => dataDirectory)
    const titles = new Map<string, string>()
    for (const path of [...new Set(paths)]) {
      const title = path.split(sep).at(-1) ?? ''
      if (title === '') leftOut.add('import.no_name', path, 'The folder has no name of its own; name what is in it.')
      else if (titles.has(title))
        leftOut.add('import.same_name', path, `Another of the named paths is called the same: ${titles.get(title)}.`)
      else if (`${await realpath(path).catch(() => path)}${sep}`.startsWith(`${own}${sep}`)) leaveOutOwn(path)
      else await take({ source: Buffer.from(path), parentId, title, shown: path })
      titles.set(title, path)
    }
  }

  const leaveOutOwn = (shown: string): void =>
    leftOut.add('import.data_directory', shown, 'It is the data directory of this instance, or lies inside it.')

  const leaveOutUnreadable = (shown: string, error: unknown): void =>
    leftOut.add('import.unreadable', shown, `It cannot be read: ${reasonOf(error)}`)

  async function take(place: Place): Promise<void> {
    signal?.throwIfAborted()
    let found: Awaited<ReturnType<typeof entryAt>>
    try {
      found = await entryAt(place.source)
    } catch (error) {
      return leaveOutUnreadable(place.shown, error)
    }
    switch (found.entry) {
      case 'file':
        return takeFile(place)
      case 'folder':
        return takeFolder(place, found)
      case 'link':
        return leftOut.add('import.link', place.shown, 'It is a symbolic link, and links are not followed.')
      case 'special':
        return leftOut.add('import.special', place.shown, 'It is no regular file: a pipe, a socket or a device.')
    }
  }

  async function takeFolder(place: Place, found: { device: bigint; inode: bigint }): Promise<void> {
    const own = await lstat(dataDirectory, { bigint: true }).catch(() => undefined)
    if (own?.dev === found.device && own.ino === found.inode) return leaveOutOwn(place.shown)
    let names: readonly Buffer[]
    try {
      names = await namesIn(place.source)
    } catch (error) {
      return leaveOutUnreadable(place.shown, error)
    }
    const folder = await folderFor(place)
    if (folder === undefined) return
    const titles = new Set<string>()
    for (const name of names) {
      const { text: title, exact } = nameText(name)
      const shown = `${place.shown}${sep}${title}`
      if (titles.has(title)) {
        leftOut.add(
          'import.same_name',
          shown,
          'With the characters that can be kept, it is called as another beside it.',
        )
        continue
      }
      if (!exact)
        warnings.add('import.name_not_utf8', shown, 'Its name is no valid UTF-8; U+FFFD stands for what is not.')
      titles.add(title)
      await take({ source: joinRaw(place.source, name), parentId: folder.id, title, shown })
    }
  }

  /** The folder at a place, made if nothing is there. */
  async function folderFor({ parentId, title, shown }: Place): Promise<NodeRow | undefined> {
    const known = await findChild(database.db, user.id, parentId, title)
    if (known?.type === 'folder') return known
    if (known !== undefined) {
      leftOut.add('import.document_there', shown, 'A document of that name is in the place of this folder.')
      return undefined
    }
    const now = clock.now()
    const row = folderRow({ id: ids.next(), userId: user.id, parentId, title, now })
    const { id } = row
    try {
      await database.write(async (tx) => {
        await requireFolder(tx, user.id, parentId)
        await insertNodes(tx, [row])
        const about = formatPath((await pathOf(tx, id)).map((each) => each.title))
        await noteInAudit(tx, now, [{ action: 'folder.made', username: user.username, about, details: { id } }])
      })
    } catch (error) {
      // Somebody may have moved the folder above it to the trash meanwhile.
      leaveOutFailed(shown, error)
      return undefined
    }
    counts.folders += 1
    return row
  }

  async function takeFile(place: Place): Promise<void> {
    seen += 1
    onProgress({ phase: 'import', done: seen, unit: 'files' })
    const known = await findChild(database.db, user.id, place.parentId, place.title)
    if (known?.type === 'folder')
      return leftOut.add('import.folder_there', place.shown, 'A folder of that name is in the place of this document.')
    await using opened = new AsyncDisposableStack()
    try {
      const file = await openSource(place.source, headBytes)
      if (file === undefined) return leftOut.add('import.special', place.shown, 'It is no regular file any more.')
      opened.use(file)
      if (known !== undefined && (await hasSameBytes(known.id, file))) {
        counts.unchanged += 1
        return
      }
      const pageCount = await countPages(file, place.shown)
      waiting.push({ file, shown: place.shown, input: inputFor(place, file, pageCount, known?.id) })
      opened.move()
    } catch (error) {
      return leaveOutFailed(place.shown, error)
    }
    if (isFull(waiting)) await flush()
  }

  async function hasSameBytes(documentId: string, file: SourceFile): Promise<boolean> {
    const last = (await versionFactsOf(database.db, [documentId])).at(-1)
    return last?.size === file.size && (await file.sha256(signal)) === last.sha256
  }

  async function countPages(file: SourceFile, shown: string): Promise<number | null> {
    const count = await counter.countPages(file.descriptorPath)
    if (count === undefined) return null
    if ('pages' in count) return count.pages
    warnings.add('import.pages_unknown', shown, `The number of its pages is not known: ${count.problem}.`)
    return null
  }

  function inputFor(place: Place, file: SourceFile, pageCount: number | null, documentId: string | undefined) {
    const version = {
      fileName: place.title,
      bytes: file.chunks(signal),
      mediaType: mediaTypeOf(file.head, place.title),
      pageCount,
    }
    return documentId === undefined
      ? { ...version, userId: user.id, parentId: place.parentId, title: place.title }
      : { ...version, documentId }
  }

  async function flush(): Promise<void> {
    const group = waiting
    if (group.length === 0) return
    const stored = await documents.storeAll(group.map(({ input }) => input))
    signal?.throwIfAborted()
    for (const [index, { shown, input }] of group.entries()) {
      const result = stored[index]!
      if ('failure' in result) leaveOutFailed(shown, result.failure)
      else {
        counts[documentIdOf(input) === undefined ? 'added' : 'newVersions'] += 1
        counts.bytes += result.size
      }
    }
    await closeFiles()
  }

  function leaveOutFailed(shown: string, error: unknown): void {
    signal?.throwIfAborted()
    if (error === changedWhileRead) leftOut.add('import.changed', shown, 'It changed while it was read.')
    else if (error instanceof StrongroomError && !/^(node|text)\./.test(error.code)) throw error
    else if (error instanceof StrongroomError) leftOut.add('import.refused', shown, error.message)
    else leaveOutUnreadable(shown, error)
  }

  async function closeFiles(): Promise<void> {
    const files = waiting.map(({ file }) => file)
    waiting = []
    for (const file of files) await file[Symbol.asyncDispose]()
  }

  const result = () => ({ ...counts, warnings: warnings.collected(), leftOut: leftOut.collected() })

  return { takeNamed, flush, closeFiles, result }
}

const documentIdOf = (input: NewDocument | NewVersion): string | undefined =>
  'documentId' in input ? input.documentId : undefined

function isFull(waiting: readonly Waiting[]): boolean {
  const bytes = waiting.reduce((sum, { file }) => sum + file.size, 0)
  const pages = waiting.reduce((sum, { input }) => sum + (input.pageCount ?? 0), 0)
  return waiting.length >= filesAtOnce || bytes >= bytesAtOnce || pages >= pagesAtOnce
}
