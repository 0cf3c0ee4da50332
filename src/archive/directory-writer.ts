import { createSpool } from '../std/spool.ts'
import type { ArchiveWriter } from './archive-writer.ts'
import {
  documentsInPage,
  formatDirectory,
  formatDocument,
  formatNode,
  formatPlace,
  membersInPage,
  nodesInPage,
  sha256Of,
  sliceBytes,
  type Directory,
  type DirectoryNode,
  type DirectoryUser,
  type Page,
} from './directory-format.ts'
import { directoryName, directoryPagesName, metadataName } from './layout.ts'

/** What the directory tells of the archive, beside where things are. */
export interface DirectoryContents {
  /** Bytes of backup.json before its first user. */
  readonly metadataHead: number
  readonly users: readonly DirectoryUser[]
  /** All nodes, in the order of the walk. */
  readonly nodes: Iterable<DirectoryNode>
  /** The number of each document in that order, by id. */
  readonly documents: Iterable<{ readonly id: string; readonly number: number }>
  /** How many originals and sidecars were added, and whether damage.json was after them. */
  readonly originals: number
  readonly sidecars: number
  readonly damage: boolean
}

/** Writes backup.json so that parts of it can be read alone, and the directory that leads to them. */
export interface DirectoryWriter {
  /** Adds backup.json, the first member. */
  addMetadata(size: number, mtime: number, chunks: AsyncIterable<Uint8Array>): Promise<void>
  /**
   * Adds the two members of the directory, once all but SHA256SUMS and the index are there. The originals come third and on,
   * then the sidecars. Gives what `ArchiveWriter.finish` takes.
   */
  finish(mtime: number, contents: DirectoryContents): Promise<{ readonly piece: number; readonly sha256: string }>
}

interface WrittenPage {
  readonly piece: number
  /** The piece that what follows it begins. */
  readonly next: number
  readonly bytes: number
  readonly sha256: string
}

export function createDirectoryWriter(archive: ArchiveWriter, scratchFolder: string): DirectoryWriter {
  let metadataSize = 0
  let slices: readonly WrittenPage[] = []

  /** Adds a member whose content falls into pages, each a piece of its own. */
  async function addPaged(
    name: string,
    { size, mtime, chunks, lengths }: PagedContent,
  ): Promise<readonly WrittenPage[]> {
    const begun: Omit<WrittenPage, 'next'>[] = []
    async function* content(): AsyncGenerator<Uint8Array> {
      for await (const page of inPages(chunks, lengths)) {
        begun.push({ piece: archive.beginPiece(), bytes: page.length, sha256: sha256Of(page) })
        yield page
      }
    }
    await archive.addFile({ name, size, mtime, content: content() })
    // What follows has nothing in common with the last page, which is then read alone.
    const end = archive.beginPiece()
    return begun.map((page, index) => ({ ...page, next: begun[index + 1]?.piece ?? end }))
  }

  const placed = ({ piece, next, bytes, sha256 }: WrittenPage): Page => {
    const offset = archive.offsetOf(piece)
    return [offset, archive.offsetOf(next) - offset, bytes, sha256]
  }

  return {
    async addMetadata(size, mtime, chunks) {
      metadataSize = size
      slices = await addPaged(metadataName, { size, mtime, chunks, lengths: slicesOf(size) })
    },
    async finish(mtime, contents) {
      await archive.settle()
      await using spool = await createSpool(scratchFolder)
      const lengths: number[] = []
      /** Writes lines as pages; gives the numbers of the pages, and the first line of each. */
      async function write(lines: AsyncIterable<string> | Iterable<string>, inPage: number) {
        const from = lengths.length
        const first: string[] = []
        let count = 0
        let start = spool.size
        for await (const line of lines) {
          if (count % inPage === 0) {
            if (count > 0) lengths.push(spool.size - start)
            start = spool.size
            first.push(line)
          }
          await spool.write(line)
          count += 1
        }
        if (count > 0) lengths.push(spool.size - start)
        return { from, to: lengths.length, first, count }
      }
      const nodes = await write(mapped(contents.nodes, formatNode), nodesInPage)
      const documents = await write(
        mapped(contents.documents, ({ id, number }) => formatDocument(id, number)),
        documentsInPage,
      )
      const members = await write(mapped(archive.places(), formatPlace), membersInPage)
      const chunks = spool.chunks()
      const pages = await addPaged(directoryPagesName, { size: spool.size, mtime, chunks, lengths })
      await archive.settle()
      const pagesOf = ({ from, to }: { readonly from: number; readonly to: number }): Page[] =>
        pages.slice(from, to).map(placed)
      const originals = 2
      const sidecars = originals + contents.originals
      const directory: Directory = {
        format: 1,
        metadata: { size: metadataSize, head: contents.metadataHead, pages: slices.map(placed) },
        users: [...contents.users],
        nodes: { count: nodes.count, pages: pagesOf(nodes) },
        documents: {
          count: documents.count,
          pages: pagesOf(documents).map((page, index) => [documents.first[index]!.split(' ')[0]!, page]),
        },
        members: {
          count: members.count,
          originals,
          sidecars,
          damage: contents.damage ? sidecars + contents.sidecars : null,
          pages: pagesOf(members),
        },
      }
      const text = Buffer.from(formatDirectory(directory))
      const piece = archive.beginPiece()
      const content = (async function* () {
        yield text
      })()
      const { sha256 } = await archive.addFile({ name: directoryName, size: text.length, mtime, content })
      return { piece, sha256 }
    },
  }
}

interface PagedContent {
  readonly size: number
  readonly mtime: number
  readonly chunks: AsyncIterable<Uint8Array>
  readonly lengths: Iterable<number>
}

function* slicesOf(size: number): Generator<number> {
  for (let left = size; left > 0; left -= sliceBytes) yield Math.min(left, sliceBytes)
}

/**
 * Parts a stream into pages of these lengths, which it has in sum; each is valid until the next is asked for. One buffer for
 * each page would be memory that the garbage collector learns of late.
 */
async function* inPages(chunks: AsyncIterable<Uint8Array>, lengths: Iterable<number>): AsyncGenerator<Uint8Array> {
  const left = lengths[Symbol.iterator]()
  let buffer = Buffer.alloc(0)
  let page = buffer
  let filled = 0
  const next = (): void => {
    const length = left.next().value ?? 0
    if (buffer.length < length) buffer = Buffer.allocUnsafeSlow(length)
    page = buffer.subarray(0, length)
    filled = 0
  }
  next()
  for await (const chunk of chunks) {
    for (let done = 0; done < chunk.length;) {
      const part = chunk.subarray(done, done + page.length - filled)
      page.set(part, filled)
      filled += part.length
      done += part.length
      if (filled < page.length) continue
      yield page
      next()
    }
  }
}

async function* mapped<T>(items: AsyncIterable<T> | Iterable<T>, form: (item: T) => string): AsyncGenerator<string> {
  for await (const item of items) yield form(item)
}
