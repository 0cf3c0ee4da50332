import { crc32 } from 'node:zlib'
import { createDeflater, deflateAtOnce } from './deflater.ts'
import { endsDense, partRuns } from './stored-runs.ts'

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
const deflatersAtOnce = 2
const piecesInFlight = 2
/** What goes to the sink at once. */
const outputBytes = 512 * 1024
/** Shorter runs are deflated at once: that is cheaper than to hand them to a thread. */
const longestInline = 4096
const longestStored = 65_535
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])

/** `sink` gets the output in order and must not keep the buffers. `level` is that of zlib, 1 to 9. */
export function createGzipWriter(sink: (bytes: Uint8Array) => Promise<void>, level = 6): GzipWriter {
  const offsets: number[] = []
  const inFlight: Promise<void>[] = []
  // One for each core that a small machine has; runs take turns, so that the output does not depend on who is faster.
  const deflaters = Array.from({ length: deflatersAtOnce }, () => ({
    deflater: createDeflater(level),
    free: Promise.resolve<unknown>(undefined),
  }))
  let turns = 0
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

  function deflate(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
    if (bytes.length <= longestInline) return deflateAtOnce(bytes, level)
    const turn = deflaters[turns % deflatersAtOnce]!
    turns += 1
    const compressed = turn.free.then(() => turn.deflater.compress(bytes))
    turn.free = compressed
    // A failure is met by whoever writes it; without this it would be unhandled until then.
    compressed.catch(() => undefined)
    return compressed
  }

  /** Compresses as soon as a deflater is free, and writes when all before it is written. */
  function emit(whole: Buffer, length: number): void {
    const bytes = whole.subarray(0, length)
    const parts = partRuns(bytes, edges).map(({ start, end, stored }) => {
      const run = bytes.subarray(start, end)
      if (stored) storedBytes += run.length
      return { stored, bytes: stored ? run : deflate(run) }
    })
    const before = last
    last = (async () => {
      await before
      offsets.push(written)
      for (const part of parts) {
        if (part.stored) await appendStored(part.bytes as Uint8Array)
        else await append(part.bytes instanceof Promise ? await part.bytes : part.bytes)
      }
      spare.push(whole)
    })()
    last.catch(() => undefined)
    inFlight.push(last)
  }

  async function appendStored(run: Uint8Array): Promise<void> {
    for (let done = 0; done < run.length; done += longestStored) {
      const block = run.subarray(done, done + longestStored)
      if (outputFilled + 5 + block.length > outputBytes) await flush()
      output[outputFilled] = 0
      output.writeUInt16LE(block.length, outputFilled + 1)
      output.writeUInt16LE(block.length ^ 0xffff, outputFilled + 3)
      output.set(block, outputFilled + 5)
      outputFilled += 5 + block.length
      written += 5 + block.length
    }
  }

  async function append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (outputFilled === outputBytes) await flush()
      const part = bytes.subarray(done, done + outputBytes - outputFilled)
      output.set(part, outputFilled)
      outputFilled += part.length
      written += part.length
      done += part.length
    }
  }

  async function flush(): Promise<void> {
    const full = output.subarray(0, outputFilled)
    outputFilled = 0
    await sink(full)
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
      const stored = Buffer.alloc(5)
      stored.writeUInt16LE(tail.length, 1)
      stored.writeUInt16LE(tail.length ^ 0xffff, 3)
      const end = Buffer.from([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0])
      end.writeUInt32LE(crc, 5)
      end.writeUInt32LE(position % 2 ** 32, 9)
      await append(Buffer.concat([stored, tail, end]))
      await flush()
    },
    [Symbol.dispose]() {
      for (const { deflater } of deflaters) deflater[Symbol.dispose]()
    },
  }
}
