/** How much of a file is read at a time. */
export const chunkBytes = 1024 * 1024

const kept = 4
const free: Buffer[] = []

/**
 * Runs `use` with a buffer of `chunkBytes` that is used again by the next reader: a buffer for each file would be memory
 * that the garbage collector learns of late.
 */
export async function* withReadBuffer<T>(
  use: (buffer: Buffer) => AsyncGenerator<T>,
): AsyncGenerator<T, void, undefined> {
  const buffer = free.pop() ?? Buffer.allocUnsafeSlow(chunkBytes)
  try {
    yield* use(buffer)
  } finally {
    if (free.length < kept) free.push(buffer)
  }
}
