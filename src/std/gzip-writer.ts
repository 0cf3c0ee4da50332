import { crc32 } from 'node:zlib'
import { createDeflaters, deflateAtOnce } from './deflater.ts'
import type { Sink } from './sink.ts'
import { endsDense, partRuns, type Run } from './stored-runs.ts'

/**
 * Writes one gzip member (RFC 1952) out of pieces that are compressed beside each other and joined in order. What deflate
 * makes no smaller goes out in stored blocks (RFC 1951, 3.2.4). No piece refers to an earlier one, so that a reader can begin
 * at each.
 */
export interface GzipWriter extends Disposable {
  /** Bytes taken in so far. */
  readonly position: number
  /** The piece that the next byte goes to, counted from 0, and how many bytes stand before it in that piece. */
  readonly place: { readonly piece: number; readonly within: number }
  write(bytes: Uint8Array): Promise<void>
  /**
   * Says that bytes of another kind may follow, which a reader may want to begin at: ends the piece where it is long, or
   * where no compression is lost by that.
   */
  edge(): void
  /** Ends the current piece, so that the next byte begins one. */
  cut(): void
  /** Where a piece begins in the output. Known once that piece is written; await `drain` first. */
  offsetOf(piece: number): number
  /** How many of the bytes in the pieces cut so far went out as they are, as nothing would have made them smaller. */
  readonly storedBytes: number
  /** Where the next piece begins in the output, once `drain` has resolved and nothing was written since. */
  readonly nextOffset: number
  /** Resolves when every piece that was cut so far is written. */
  drain(): Promise<void>
  /**
   * Ends the member: `tail` (at most 65,535 bytes) goes out as one stored block, then an empty last block, the CRC and the
   * length. So the last `tail.length + 18` bytes have a form that does not depend on any compression.
   */
  finish(tail: Uint8Array): Promise<void>
}

/** At each beginning of a piece deflate has forgotten what came before: this long, text loses a few thousandths by that. */
const pieceBytes = 2 * 1024 * 1024
const longPiece = pieceBytes - 256 * 1024
const leastPiece = 64 * 1024
const piecesInFlight = 2
/** What is less than this is gathered before it goes to the sink. */
const outputBytes = 512 * 1024
/** Shorter runs are deflated at once: that is cheaper than to hand them to a thread. */
const longestInline = 4096
const longestStored = 65_535
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
const headerOfLongest = headerOfStored(longestStored)

/** `level` is that of zlib, 1 to 9. */
export function createGzipWriter(sink: Sink, level = 6): GzipWriter {
  const offsets: number[] = []
  const inFlight: Promise<void>[] = []
  const deflaters = {
    deflated: createDeflaters({ level, coded: false }),
    coded: createDeflaters({ level, coded: true }),
  }
  const spare: Buffer[] = []
  let piece: Buffer = Buffer.allocUnsafeSlow(pieceBytes)
  let edges: number[] = []
  let filled = 0
  let cutPieces = 0
  let position = 0
  let storedBytes = 0
  let crc = 0
  let written = 0
  let last = Promise.resolve()
  const output = Buffer.allocUnsafeSlow(outputBytes)
  let outputFilled = 0
  header.copy(output)
  outputFilled = written = header.length

  /** What a run becomes; a promise where a thread compresses it, as soon as one is free. */
  function blocksOf({ start, end, kind }: Run, bytes: Uint8Array): Uint8Array[] | Promise<Uint8Array> {
    const run = bytes.subarray(start, end)
    if (kind !== 'stored')
      return run.length <= longestInline ? [deflateAtOnce(run, level)] : deflaters[kind].compress(run)
    storedBytes += run.length
    return storedBlocks(run)
  }

  /** Begins to compress, and writes when all before it is written. */
  function emit(whole: Buffer, length: number): void {
    const bytes = whole.subarray(0, length)
    const runs = partRuns(bytes, edges).map((run) => blocksOf(run, bytes))
    const before = last
    last = (async () => {
      await before
      offsets.push(written)
      const blocks: Uint8Array[] = []
      for (const run of runs) blocks.push(...(run instanceof Promise ? [await run] : run))
      await append(blocks)
      spare.push(whole)
    })()
    last.catch(() => undefined)
    inFlight.push(last)
  }

  /** Copies what is short, so that there are few calls, and hands on what is long as it is. */
  async function append(parts: readonly Uint8Array[]): Promise<void> {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    written += length
    if (outputFilled + length > outputBytes) await flush(length >= outputBytes ? parts : [])
    if (length >= outputBytes) return
    for (const part of parts) {
      output.set(part, outputFilled)
      outputFilled += part.length
    }
  }

  /** Everything gathered so far, and what comes next. */
  async function flush(next: readonly Uint8Array[] = []): Promise<void> {
    const gathered = output.subarray(0, outputFilled)
    outputFilled = 0
    await sink(gathered.length === 0 ? next : [gathered, ...next])
  }

  function cut(): void {
    if (filled === 0) return
    emit(piece, filled)
    piece = spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
    edges = []
    filled = 0
    cutPieces += 1
  }

  async function drain(): Promise<void> {
    await last
    inFlight.length = 0
    if (outputFilled > 0) await flush()
  }

  return {
    get position() {
      return position
    },
    get place() {
      return { piece: cutPieces, within: filled }
    },
    async write(bytes) {
      crc = crc32(bytes, crc)
      position += bytes.length
      for (let done = 0; done < bytes.length;) {
        const part = bytes.subarray(done, done + pieceBytes - filled)
        piece.set(part, filled)
        filled += part.length
        done += part.length
        if (filled === pieceBytes) cut()
        if (inFlight.length >= piecesInFlight) await inFlight.shift()
      }
    },
    edge() {
      if (filled >= longPiece || (filled >= leastPiece && endsDense(piece.subarray(0, filled)))) cut()
      else if (filled > 0) edges.push(filled)
    },
    cut,
    get storedBytes() {
      return storedBytes
    },
    offsetOf: (index) => {
      const offset = offsets[index]
      if (offset === undefined) throw new RangeError(`piece ${index} is not written yet`)
      return offset
    },
    get nextOffset() {
      return written
    },
    drain,
    async finish(tail) {
      cut()
      await last
      crc = crc32(tail, crc)
      position += tail.length
      const end = Buffer.from([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0])
      end.writeUInt32LE(crc, 5)
      end.writeUInt32LE(position % 2 ** 32, 9)
      await append([headerOfStored(tail.length), tail, end])
      await flush()
    },
    [Symbol.dispose]() {
      for (const each of Object.values(deflaters)) each[Symbol.dispose]()
    },
  }
}

/** A run as it is, in blocks of at most 65,535 bytes. */
function storedBlocks(run: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let done = 0; done < run.length; done += longestStored) {
    const block = run.subarray(done, done + longestStored)
    parts.push(block.length === longestStored ? headerOfLongest : headerOfStored(block.length), block)
  }
  return parts
}

/** What stands before the bytes of a stored block. Throws RangeError for more than 65,535. */
function headerOfStored(length: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt16LE(length, 1)
  bytes.writeUInt16LE(length ^ 0xffff, 3)
  return bytes
}
