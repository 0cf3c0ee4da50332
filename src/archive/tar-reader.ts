import { StrongroomError } from '../errors.ts'
import { blockBytes, decodeHeader, decodePax, padding, TarFormatError, type EntryHeader } from './tar-format.ts'

/** One entry of a tar. Its content is gone as soon as the next entry is asked for, read or not. */
export interface TarEntry extends EntryHeader {
  /** Where its first header block stands in the tar. */
  readonly position: number
  /** The content in pieces; may be read once. Throws `archive.truncated` where the tar ends before it does. */
  content(): AsyncIterable<Uint8Array>
}

/** How a tar ended. */
export interface TarEnd {
  /** False where the two blocks of zeros that end every tar are missing. */
  readonly endMarker: boolean
  /** Bytes after the end marker that are not zero: what most programs never see. */
  readonly hiddenBytes: number
  readonly totalBytes: number
}

/** Names are kept in memory one at a time; no program writes longer ones than this. */
const longestExtension = 1 << 20

/**
 * The entries of a tar: ustar, pax and GNU. Reads in order and in constant memory, whatever sizes are announced. Throws
 * `archive.damaged` and `archive.truncated`; sparse files are refused.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  archive: string,
  onEnd: (end: TarEnd) => void,
): AsyncGenerator<TarEntry> {
  const input = createByteReader(source)
  try {
    yield* entriesOf(input, archive, onEnd)
  } finally {
    await input.close()
  }
}

async function* entriesOf(input: ByteReader, archive: string, onEnd: (end: TarEnd) => void): AsyncGenerator<TarEntry> {
  const damaged = (reason: string): StrongroomError => new StrongroomError('archive.damaged', { archive, reason })
  const truncated = (reason: string): StrongroomError => new StrongroomError('archive.truncated', { archive, reason })

  async function readExtension(header: EntryHeader): Promise<Buffer> {
    if (header.size > longestExtension) throw damaged(`an extended header announces ${header.size} bytes`)
    const bytes = await input.read(header.size + padding(header.size))
    if (bytes === undefined) throw truncated('it stops within an extended header')
    return Buffer.from(bytes.subarray(0, header.size))
  }

  let start: number | undefined
  let name: string | undefined
  let linkName: string | undefined
  let size: number | undefined
  for (;;) {
    const position = input.position
    const block = input.readNow(blockBytes) ?? (await input.read(blockBytes))
    if (block === undefined || isZero(block)) {
      if (start !== undefined) throw truncated('an extended header has no entry')
      if (block === undefined && input.position !== position) throw truncated('it stops within an entry header')
      const hiddenBytes = block === undefined ? 0 : await input.countNonZeroTail()
      onEnd({ endMarker: block !== undefined, hiddenBytes, totalBytes: input.position })
      return
    }
    start ??= position
    const header = decode(() => decodeHeader(block), damaged)
    if (header.type === 'pax' || header.type === 'paxGlobal') {
      const records = await readExtension(header).then((bytes) => decode(() => decodePax(bytes), damaged))
      if (header.type === 'paxGlobal') {
        if (['path', 'linkpath', 'size'].some((key) => records.has(key)))
          throw damaged('a global header renames its entries')
        start = undefined
        continue
      }
      if ([...records.keys()].some((key) => key.startsWith('GNU.sparse'))) throw damaged('it holds a sparse file')
      name = records.get('path') ?? name
      linkName = records.get('linkpath') ?? linkName
      const announced = records.get('size')
      if (announced !== undefined) {
        size = Number(announced)
        if (!/^\d{1,16}$/.test(announced) || !Number.isSafeInteger(size))
          throw damaged('the size of an entry is not a number')
      }
      continue
    }
    if (header.type === 'gnuName' || header.type === 'gnuLink') {
      const text = (await readExtension(header)).toString('utf8').replace(/\0+$/, '')
      if (header.type === 'gnuName') name = text
      else linkName = text
      continue
    }
    const fullName = name ?? header.name
    if (fullName.includes('\0')) throw damaged('the name of an entry contains a NUL character')
    // Links, folders and devices have no content, whatever size their header gives.
    const hasContent = header.type === 'file' || header.type === 'other'
    const length = hasContent ? (size ?? header.size) : 0
    const content = input.portion(length, () => truncated(`it stops within ${fullName.slice(0, 200)}`))
    yield {
      name: fullName,
      type: header.type,
      size: length,
      linkName: linkName ?? header.linkName,
      position: start,
      content: () => content.bytes,
    }
    await content.skip()
    if ((await input.skip(padding(length))) < padding(length)) throw truncated('it stops within an entry')
    start = name = linkName = size = undefined
  }
}

function decode<T>(read: () => T, damaged: (reason: string) => StrongroomError): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof TarFormatError) throw damaged(error.message)
    throw error
  }
}

const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0)

type ByteReader = ReturnType<typeof createByteReader>

/** Takes numbers of bytes out of a stream of chunks. */
function createByteReader(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]()
  let chunk: Uint8Array = new Uint8Array()
  let offset = 0
  let position = 0

  async function close(): Promise<void> {
    await iterator.return?.()
  }

  async function refill(): Promise<boolean> {
    while (offset === chunk.length) {
      const next = await iterator.next()
      // A source may take its last chunk back when it ends.
      chunk = next.done === true ? new Uint8Array() : next.value
      offset = 0
      if (next.done === true) return false
    }
    return true
  }

  function take(most: number): Uint8Array {
    const part = chunk.subarray(offset, offset + most)
    offset += part.length
    position += part.length
    return part
  }

  /** `length` bytes where they are at hand; they are valid until the next call. */
  function readNow(length: number): Buffer | undefined {
    if (chunk.length - offset < length) return undefined
    const part = take(length)
    return Buffer.from(part.buffer, part.byteOffset, part.length)
  }

  async function read(length: number): Promise<Buffer | undefined> {
    const parts: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      if (!(await refill())) return undefined
      const part = Uint8Array.from(take(missing))
      parts.push(part)
      missing -= part.length
    }
    return Buffer.concat(parts)
  }

  async function skip(length: number): Promise<number> {
    let missing = length
    while (missing > 0 && (await refill())) missing -= take(missing).length
    return length - missing
  }

  async function countNonZeroTail(): Promise<number> {
    let count = 0
    while (await refill()) for (const byte of take(Infinity)) if (byte !== 0) count += 1
    return count
  }

  function portion(length: number, onShort: () => StrongroomError) {
    let missing = length
    async function* bytes(): AsyncGenerator<Uint8Array> {
      while (missing > 0) {
        if (!(await refill())) throw onShort()
        const part = take(missing)
        missing -= part.length
        yield part
      }
    }
    return {
      bytes: bytes(),
      async skip(): Promise<void> {
        while (missing > 0) {
          if (!(await refill())) throw onShort()
          missing -= take(missing).length
        }
      },
    }
  }

  return {
    get position() {
      return position
    },
    readNow,
    read,
    skip,
    countNonZeroTail,
    portion,
    /** Lets go of the source, which may be in the middle. */
    close,
  }
}
