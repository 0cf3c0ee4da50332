import type { Sink } from '../../src/std/sink.ts'

/** A sink that keeps what it is given. */
export function collectingSink(): { readonly sink: Sink; bytes(): Buffer } {
  const kept: Buffer[] = []
  return {
    sink: async (parts) => {
      kept.push(Buffer.concat(parts))
      await Promise.resolve()
    },
    bytes: () => Buffer.concat(kept),
  }
}
