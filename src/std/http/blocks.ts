/** A file's bytes in blocks of one length, the last ones kept, and those ahead asked for where it is read on and on. */
import { letGo } from '../let-go.ts'
import type { RangedFile } from './ranges.ts'

export const blockBytes = 64 * 1024
/** 4 MiB. */
const keptBlocks = 64
/** 32 MiB: what is asked for in one request. It is read as it is needed, so it costs no memory. */
const mostAhead = 512
/** So many blocks are read and passed over rather than asked for anew. */
const mostSkipped = 4

/** A request whose answer is being read. */
interface Current {
  /** The block that comes next, and the one after the last. */
  next: number
  readonly end: number
  readonly blocks: AsyncGenerator<Buffer, void, void>
}

export interface Blocks {
  /** A block, valid until the next is asked for. `wanted` says how many from there on are going to be. One at a time. */
  get(number: number, wanted: number): Promise<Buffer>
  /** Ends the request that is open. */
  close(): Promise<void>
}

export function createBlocks({ size, start, stream }: RangedFile): Blocks {
  /** The one that was used last stands last. */
  const kept = new Map<number, Buffer>()
  /** Memory of blocks that are kept no more. */
  const spare: Buffer[] = []
  let current: Current | undefined
  /** Where reading would go on, and how many blocks that were read there one after another. */
  let following = 0
  let ahead = 0

  const lengthOf = (number: number): number => Math.min(blockBytes, size - number * blockBytes)

  function keep(number: number, block: Buffer): void {
    kept.set(number, block)
    const [oldest] = kept
    if (kept.size <= keptBlocks || oldest === undefined) return
    kept.delete(oldest[0])
    spare.push(oldest[1])
  }

  async function* inBlocks(first: number, end: number): AsyncGenerator<Buffer, void, void> {
    let number = first
    let block = spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
    let filled = 0
    for await (const chunk of stream(first * blockBytes, Math.min(size, end * blockBytes))) {
      for (let used = 0; used < chunk.length;) {
        const copied = chunk.copy(block, filled, used, used + lengthOf(number) - filled)
        used += copied
        filled += copied
        if (filled < lengthOf(number)) continue
        yield block
        block = spare.pop() ?? Buffer.allocUnsafeSlow(blockBytes)
        filled = 0
        number += 1
      }
      // Where nothing else lies in its memory.
      if (chunk.byteLength === chunk.buffer.byteLength) letGo(chunk)
    }
    spare.push(block)
  }

  async function request(number: number, wanted: number): Promise<Current> {
    await close()
    ahead = number === following ? Math.min(mostAhead, Math.max(wanted, ahead * 2)) : wanted
    const end = Math.min(Math.ceil(size / blockBytes), number + ahead)
    return { next: number, end, blocks: inBlocks(number, end) }
  }

  async function advance(from: Current): Promise<void> {
    const { value } = await from.blocks.next()
    if (value === undefined) throw new TypeError('a request ended before its end')
    keep(from.next, value)
    from.next += 1
    following = from.next
    if (from.next < from.end) return
    // The answer is read to its end, so that the connection can be used again.
    await from.blocks.next()
    current = undefined
  }

  async function close(): Promise<void> {
    const open = current
    current = undefined
    await open?.blocks.return()
  }

  if (start.length === lengthOf(0)) {
    const block = Buffer.allocUnsafeSlow(blockBytes)
    start.copy(block)
    keep(0, block)
    following = 1
    ahead = 1
  }

  return {
    async get(number, wanted) {
      const known = kept.get(number)
      if (known !== undefined) {
        kept.delete(number)
        kept.set(number, known)
        return known.subarray(0, lengthOf(number))
      }
      const isNear =
        current !== undefined && number >= current.next && number < Math.min(current.end, current.next + mostSkipped)
      current = isNear ? current : await request(number, wanted)
      try {
        while (current !== undefined && current.next <= number) await advance(current)
      } catch (error) {
        current = undefined
        throw error
      }
      return kept.get(number)!.subarray(0, lengthOf(number))
    },
    close,
  }
}
