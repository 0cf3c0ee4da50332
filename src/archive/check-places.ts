import { constants, inflateRawSync } from 'node:zlib'
import { StrongroomError } from '../errors.ts'
import { linesOf } from '../std/lines.ts'
import { entriesAt } from './directory.ts'
import { indexName } from './layout.ts'
import type { OpenArchive } from './open-archive.ts'
import { parseIndexLine, type IndexedMember, type MemberPlace } from './proof.ts'
import { breaksOff } from './breaks-off.ts'
import { readTar, type TarEntry } from './tar-reader.ts'

/** A member that was met when the archive was read through. */
export interface MetMember {
  readonly name: string
  /** Where its header stands in the tar. */
  readonly position: number
}

/**
 * Holds the places that the index names against the members, which were met in their order: from the piece that a line
 * names, the member's header follows after as many bytes. Gives what is wrong; undefined where nothing is.
 */
export async function checkPlaces(
  archive: OpenArchive,
  indexOffset: number,
  met: AsyncIterable<MetMember>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const members = met[Symbol.asyncIterator]()
  let piece = { offset: -1, position: -1 }
  for await (const { offset, within, name } of indexedMembers(archive, indexOffset)) {
    signal?.throwIfAborted()
    const next = await members.next()
    if (next.done === true || next.value.name !== name) return `its index names ${name} where it is not`
    const position = next.value.position - within
    if (offset !== piece.offset) {
      if (offset < piece.offset || position < piece.position) return `its index leads backwards to ${name}`
      piece = { offset, position }
      if (!(await leadsTo(archive, { offset, within }, name))) return `its index does not lead to ${name}`
    } else if (position !== piece.position) return `its index does not lead to ${name}`
  }
  return undefined
}

/** The lines of the index, read from its place. Throws `archive.truncated` and `archive.damaged`. */
export async function* indexedMembers(archive: OpenArchive, offset: number): AsyncGenerator<IndexedMember> {
  for await (const entry of entriesAt(archive, { offset, within: 0 })) {
    if (entry.name !== indexName) break
    for await (const line of linesOf(entry.content())) {
      const member = parseIndexLine(line)
      if (member !== undefined) yield member
    }
    return
  }
  throw new StrongroomError('archive.damaged', {
    archive: archive.name,
    reason: 'its last bytes do not lead to its index',
  })
}

/** True where decompression can begin at a place, and finds the header of that member. */
export async function leadsTo(archive: OpenArchive, place: MemberPlace, name: string): Promise<boolean> {
  const near = place.within === 0 ? await firstName(entriesIn(archive, place.offset)) : undefined
  return (near ?? (await firstName(entriesAt(archive, place, streamBytes)))) === name
}

/** More than a header takes, with a long name before it. */
const headBytes = 4096
/** Of what stands before a member in its piece: there may be thousands to look at, and each leaves that much behind. */
const streamBytes = 16 * 1024

/** What a few bytes of the file hold, decompressed at once: a stream for each piece would cost more than all else here. */
async function* entriesIn(archive: OpenArchive, offset: number): AsyncGenerator<TarEntry> {
  const compressed = await archive.bytes(offset, headBytes)
  yield* readTar(decompressed(), archive.name, () => undefined)

  async function* decompressed(): AsyncGenerator<Uint8Array> {
    try {
      yield inflateRawSync(compressed, { finishFlush: constants.Z_SYNC_FLUSH })
    } catch {
      // Where these bytes are broken, the whole stream says so.
    }
  }
}

/** The name of the first of some entries; undefined where there is none to be read. */
async function firstName(entries: AsyncIterable<TarEntry>): Promise<string | undefined> {
  try {
    for await (const { name } of entries) return name
  } catch (error) {
    if (!breaksOff(error)) throw error
  }
  return undefined
}
