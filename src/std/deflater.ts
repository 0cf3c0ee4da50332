import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib'

/**
 * Compresses pieces of data one after the other into deflate blocks (RFC 1951) that are complete, end on a byte boundary and
 * refer to nothing before them, so that they can be joined in any number.
 */
export interface Deflater extends Disposable {
  /** One piece at a time: await the result before the next call. */
  compress(piece: Uint8Array): Promise<Uint8Array>
}

const outputBytes = 64 * 1024

/** `level` is that of zlib, 1 to 9. */
export function createDeflater(level: number): Deflater {
  const stream = createDeflateRaw({ level, chunkSize: outputBytes })
  let output: Uint8Array[] = []
  stream.on('data', (chunk: Uint8Array) => output.push(chunk))
  return {
    compress: (piece) =>
      new Promise((resolve, reject) => {
        stream.once('error', reject)
        stream.write(piece)
        // A full flush forgets what came before. All output is there when it calls back.
        stream.flush(constants.Z_FULL_FLUSH, () => {
          stream.removeListener('error', reject)
          const compressed = Buffer.concat(output)
          output = []
          resolve(compressed)
        })
      }),
    [Symbol.dispose]: () => void stream.destroy(),
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
