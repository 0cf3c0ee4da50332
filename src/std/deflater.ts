import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib'

/**
 * Compresses pieces of data beside each other into deflate blocks (RFC 1951) that are complete, end on a byte boundary and
 * refer to nothing before them, so that they can be joined in any number.
 */
export interface Deflaters extends Disposable {
  compress(piece: Uint8Array): Promise<Uint8Array>
}

export interface DeflateOptions {
  /** That of zlib, 1 to 9. */
  readonly level: number
  /** Whether nothing is looked for that comes again, but for a byte after itself (Z_RLE): four times as fast. */
  readonly coded: boolean
}

/** One for each core that a small machine has. */
const atOnce = 2
const outputBytes = 64 * 1024

export function createDeflaters(options: DeflateOptions): Deflaters {
  const team = Array.from({ length: atOnce }, () => ({
    ...createDeflater(options),
    free: Promise.resolve<unknown>(undefined),
  }))
  let turns = 0
  return {
    compress(piece) {
      // They take turns, so that the output does not depend on who is faster.
      const turn = team[turns % atOnce]!
      turns += 1
      const compressed = turn.free.then(() => turn.compress(piece))
      turn.free = compressed
      // A failure is met by who asked for it, perhaps later; without this it would be unhandled until then.
      compressed.catch(() => undefined)
      return compressed
    },
    [Symbol.dispose]() {
      for (const { destroy } of team) destroy()
    },
  }
}

/** Takes one piece at a time. */
function createDeflater({ level, coded }: DeflateOptions) {
  const stream = createDeflateRaw({
    level,
    chunkSize: outputBytes,
    strategy: coded ? constants.Z_RLE : constants.Z_DEFAULT_STRATEGY,
    // A full flush after each write forgets what came before.
    flush: constants.Z_FULL_FLUSH,
  })
  let output: Uint8Array[] = []
  stream.on('data', (chunk: Uint8Array) => output.push(chunk))
  return {
    compress: (piece: Uint8Array) =>
      new Promise<Uint8Array>((resolve, reject) => {
        stream.once('error', reject)
        // All output is there when it calls back.
        stream.write(piece, () => {
          stream.removeListener('error', reject)
          const compressed = Buffer.concat(output)
          output = []
          resolve(compressed)
        })
      }),
    destroy: () => void stream.destroy(),
  }
}

/**
 * The same for one short piece, without a thread. The window and the tables are as small as such a piece needs: to clear the
 * usual ones takes longer than to compress it.
 */
export const deflateAtOnce = (piece: Uint8Array, level: number): Uint8Array =>
  deflateRawSync(piece, {
    level,
    windowBits: 12,
    memLevel: 5,
    finishFlush: constants.Z_FULL_FLUSH,
    chunkSize: piece.length + 256,
  })
