/** Takes bytes in order, in one or more parts at once, and must not keep their memory when it has resolved. */
export type Sink = (parts: readonly Uint8Array[]) => Promise<void>
