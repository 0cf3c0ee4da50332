import { createHash } from 'node:crypto'
import { createGzipWriter } from '../std/gzip-writer.ts'
import { linesOf } from '../std/lines.ts'
import type { Sink } from '../std/sink.ts'
import { createSpool, type Spool } from '../std/spool.ts'
import { indexName, sumsName } from './layout.ts'
import {
  formatDirectoryTail,
  formatIndexLine,
  formatIndexTail,
  formatSum,
  formatSumsLine,
  indexHeading,
  indexTailBytes,
  type IndexedMember,
} from './proof.ts'
import { blockBytes, encodeHeader, padding, recordBytes } from './tar-format.ts'

/** What was written of a file. */
export interface WrittenFile {
  readonly sha256: string
  /** How many of the announced bytes its content did not have; zeros stand in their place. */
  readonly missingBytes: number
}

/** Writes an archive of ours, member by member, in the order of the calls. Names follow member-names.ts. */
export interface ArchiveWriter extends AsyncDisposable {
  /** A regular member of exactly `size` bytes. `mtime` is in whole seconds. */
  addFile(file: {
    readonly name: string
    readonly size: number
    readonly mtime: number
    readonly content: AsyncIterable<Uint8Array>
  }): Promise<WrittenFile>
  addFolder(folder: { readonly name: string; readonly mtime: number }): Promise<void>
  addLink(link: {
    readonly name: string
    readonly target: string
    readonly mtime: number
    readonly type: 'symlink' | 'hardlink'
  }): Promise<void>
  /** Ends the piece that is being compressed, so that a reader can begin at the next byte; gives the number of its piece. */
  beginPiece(): number
  /** Resolves when all so far is written, and it is known where its pieces and members are. */
  settle(): Promise<void>
  /** Where a piece begins in the file; the next one too. After `settle`. */
  offsetOf(piece: number): number
  /** Where the regular members so far begin, in their order. After `settle`. */
  places(): AsyncIterable<IndexedMember>
  /**
   * Adds SHA256SUMS and the index and ends the archive. `mtime` is that of both. `directory` says in which piece the member
   * strongroom/directory begins, and its hash.
   */
  finish(mtime: number, directory?: { readonly piece: number; readonly sha256: string }): Promise<void>
  /** Bytes of the tar so far. */
  readonly position: number
}

const zeros = new Uint8Array(64 * 1024)

/** `sink` gets the bytes of the file in order; what must wait for the end lies in `scratchFolder` meanwhile. */
export async function createArchiveWriter(sink: Sink, scratchFolder: string): Promise<ArchiveWriter> {
  const gzip = createGzipWriter(sink)
  // One line a regular member: its hash, the piece it begins in, the bytes before it there, its name.
  const members = await createSpool(scratchFolder)

  /** Where the next member begins. */
  function beginMember(): { readonly piece: number; readonly within: number } {
    gzip.edge()
    return gzip.place
  }

  async function pad(length: number): Promise<void> {
    for (let left = length; left > 0; left -= zeros.length) await gzip.write(zeros.subarray(0, left))
  }

  const addFile: ArchiveWriter['addFile'] = async ({ name, size, mtime, content }) => {
    const { piece, within } = beginMember()
    await gzip.write(encodeHeader({ name, type: 'file', size, mtime }))
    const hash = createHash('sha256')
    let left = size
    for await (const chunk of content) {
      const part = chunk.subarray(0, left)
      left -= part.length
      hash.update(part)
      await gzip.write(part)
      if (left === 0) break
    }
    for (let missing = left; missing > 0; missing -= zeros.length) hash.update(zeros.subarray(0, missing))
    await pad(left + padding(size))
    const sha256 = hash.digest('hex')
    await members.write(`${sha256} ${piece} ${within} ${name}\n`)
    return { sha256, missingBytes: left }
  }

  async function settle(): Promise<void> {
    gzip.cut()
    await gzip.drain()
  }

  async function* places(): AsyncGenerator<IndexedMember> {
    for await (const line of linesOf(members.chunks())) {
      const { piece, within, name } = parseMember(line)
      yield { offset: gzip.offsetOf(piece), within, name }
    }
  }

  const finish: ArchiveWriter['finish'] = async (mtime, directory) => {
    await using sums = await createSpool(scratchFolder)
    for await (const line of linesOf(members.chunks())) {
      const { sha256, name } = parseMember(line)
      await sums.write(`${formatSum(sha256, name)}\n`)
    }
    const written = await addFile({ name: sumsName, size: sums.size, mtime, content: sums.chunks() })
    await settle()
    await using index = await createSpool(scratchFolder)
    await index.write(`${indexHeading}\n${formatSumsLine(written.sha256)}\n`)
    for await (const { offset, within, name } of places())
      await index.write(`${formatIndexLine(offset, within, name)}\n`)
    const directoryTail =
      directory === undefined
        ? ''
        : formatDirectoryTail({ offset: gzip.offsetOf(directory.piece), sha256: directory.sha256 })
    await writeIndex(index, mtime, directoryTail)
  }

  /** The index ends where the tar does but for two blocks of zeros, on the boundary of a record. */
  async function writeIndex(index: Spool, mtime: number, directoryTail: string): Promise<void> {
    const start = gzip.position
    const least = start + blockBytes + index.size + indexTailBytes + 2 * blockBytes
    const end = Math.ceil(least / recordBytes) * recordBytes
    const size = end - 2 * blockBytes - blockBytes - start
    const offset = gzip.nextOffset
    await gzip.write(encodeHeader({ name: indexName, type: 'file', size, mtime }))
    const hash = createHash('sha256')
    for await (const chunk of index.chunks()) {
      hash.update(chunk)
      await gzip.write(chunk)
    }
    const filler = Buffer.alloc(size - index.size - indexTailBytes, '\n')
    hash.update(filler)
    await gzip.write(filler)
    const tail = Buffer.alloc(indexTailBytes + 2 * blockBytes)
    const text = directoryTail + formatIndexTail({ offset, sha256: hash.digest('hex') })
    tail.fill('\n', 0, indexTailBytes - text.length)
    tail.write(text, indexTailBytes - text.length, 'latin1')
    await gzip.finish(tail)
  }

  return {
    addFile,
    async addFolder({ name, mtime }) {
      await gzip.write(encodeHeader({ name: `${name}/`, type: 'folder', size: 0, mtime }))
    },
    async addLink({ name, target, mtime, type }) {
      await gzip.write(encodeHeader({ name, type, size: 0, mtime, linkName: target }))
    },
    beginPiece() {
      gzip.cut()
      return gzip.place.piece
    },
    settle,
    offsetOf: (piece) => (piece === gzip.place.piece ? gzip.nextOffset : gzip.offsetOf(piece)),
    places,
    finish,
    get position() {
      return gzip.position
    },
    [Symbol.asyncDispose]: () => {
      gzip[Symbol.dispose]()
      return members[Symbol.asyncDispose]()
    },
  }
}

function parseMember(line: string) {
  const [sha256 = '', piece = '', within = ''] = line.split(' ', 3)
  return {
    sha256,
    piece: Number(piece),
    within: Number(within),
    name: line.slice(sha256.length + piece.length + within.length + 3),
  }
}
