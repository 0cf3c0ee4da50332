/**
 * Frees the memory of bytes that nobody will look at again, them or what else lies in it. Left to the garbage collector, which
 * hardly counts what lies outside of its heap, dozens of megabytes would wait for it. What is small may share its memory with
 * others, and is left alone.
 */
export function letGo({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0)
}
