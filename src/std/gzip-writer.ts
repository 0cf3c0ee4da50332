import { crc32 } from 'node:zlib'
import { createDeflater } from './deflater.ts'

/**
 * Writes one gzip member (RFC 1952) out of pieces that are deflated (RFC 1951) beside each other and joined in order. No
 * piece refers to an earlier one, so that a reader can begin at each.
 */
export interface GzipWriter extends Disposable {
  /** Bytes taken in so far. */
  readonly position: number
  /** The piece that the next byte goes to, counted from 0, and how many bytes stand before it in that piece. */
  readonly place: { readonly piece: number; readonly within: number }
  write(bytes: Uint8Array): Promise<void>
  /** Ends the current piece, so that the next byte begins one. */
  cut(): void
  /** Where a piece begins in the output. Known once that piece is written; await `drain` first. */
  offsetOf(piece: number): number
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

const pieceBytes = 256 * 1024
const deflatersAtOnce = 2
const piecesInFlight = 4
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])

/** `sink` gets the output in order and must not keep the buffers. `level` is that of zlib, 1 to 9. */
export function createGzipWriter(sink: (bytes: Uint8Array) => Promise<void>, level = 6): GzipWriter {
  const offsets: number[] = []
  const inFlight: Promise<void>[] = []
  // One for each core that a small machine has; pieces take turns.
  const deflaters = Array.from({ length: deflatersAtOnce }, () => ({
    deflater: createDeflater(level),
    free: Promise.resolve(),
  }))
  const spare: Uint8Array[] = []
  let piece: Uint8Array = Buffer.allocUnsafe(pieceBytes)
  let filled = 0
  let cutPieces = 0
  let position = 0
  let crc = 0
  let written = header.length
  let last: Promise<void> = sink(header)
  last.catch(() => undefined)

  /** Compresses as soon as its deflater is free, and writes when all before it is written. */
  function emit(whole: Uint8Array, length: number): void {
    const turn = deflaters[cutPieces % deflatersAtOnce]!
    const compressed = turn.free.then(() => turn.deflater.compress(whole.subarray(0, length)))
    turn.free = compressed.then(() => void spare.push(whole))
    const before = last
    last = (async () => {
      await before
      const bytes = await compressed
      offsets.push(written)
      written += bytes.length
      await sink(bytes)
    })()
    // A failure is met by whoever awaits next; without this it would be unhandled until then.
    for (const promise of [last, compressed, turn.free]) promise.catch(() => undefined)
    inFlight.push(last)
  }

  function cut(): void {
    if (filled === 0) return
    const whole = piece
    const length = filled
    piece = spare.pop() ?? Buffer.allocUnsafe(pieceBytes)
    filled = 0
    emit(whole, length)
    cutPieces += 1
  }

  async function drain(): Promise<void> {
    await last
    inFlight.length = 0
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
    cut,
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
      await drain()
      crc = crc32(tail, crc)
      position += tail.length
      const stored = Buffer.alloc(5)
      stored.writeUInt16LE(tail.length, 1)
      stored.writeUInt16LE(tail.length ^ 0xffff, 3)
      const end = Buffer.from([1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0])
      end.writeUInt32LE(crc, 5)
      end.writeUInt32LE(position % 2 ** 32, 9)
      await sink(Buffer.concat([stored, tail, end]))
    },
    [Symbol.dispose]() {
      for (const { deflater } of deflaters) deflater[Symbol.dispose]()
    },
  }
}
