import { createHash } from 'node:crypto'
import { StrongroomError } from '../errors.ts'
import { linesOf } from '../std/lines.ts'
import type { Spool } from '../std/spool.ts'
import { leadsTo } from './check-places.ts'
import { indexName } from './layout.ts'
import type { OpenArchive } from './open-archive.ts'
import {
  fileTailBytes,
  formatSumsLine,
  indexHeading,
  indexTailBytes,
  indexTailOf,
  parseIndexLine,
  parseIndexTail,
  parseSum,
} from './proof.ts'

interface ProblemEvents {
  onProblem(error: StrongroomError): void
  onWarning(code: string, about: string, message: string): void
}

/** The members seen so far, one a line: hash, where the header stands in the tar, name. */
export type SeenMembers = Spool

export const formatSeen = (sha256: string, position: number, name: string): string => `${sha256} ${position} ${name}\n`

export function parseSeen(line: string): { readonly sha256: string; readonly position: number; readonly name: string } {
  const [sha256 = '', position = ''] = line.split(' ', 2)
  return { sha256, position: Number(position), name: line.slice(sha256.length + position.length + 2) }
}

/**
 * Holds SHA256SUMS against the members seen before it, line by line: both are in the order of the members. Gives the hash
 * of SHA256SUMS itself.
 */
export async function checkSums(
  content: AsyncIterable<Uint8Array>,
  seen: SeenMembers,
  archive: string,
  events: ProblemEvents,
): Promise<string> {
  const hash = createHash('sha256')
  const members = linesOf(seen.chunks())
  let inStep = true
  for await (const line of linesOf(hashed(content, hash))) {
    if (!inStep) continue
    const next = await members.next()
    const sum = parseSum(line)
    if (sum === undefined) {
      events.onProblem(damaged(archive, 'a line of SHA256SUMS cannot be read'))
      continue
    }
    const { sha256: actual, name } = parseSeen(next.done === true ? '' : next.value)
    if (name !== sum.name) {
      events.onProblem(
        damaged(archive, `SHA256SUMS names ${sum.name} where the archive has ${name === '' ? 'nothing' : name}`),
      )
      inStep = false
      continue
    }
    if (actual !== sum.sha256) {
      events.onProblem(
        new StrongroomError('archive.checksum_mismatch', { archive, member: sum.name, actual, expected: sum.sha256 }),
      )
    }
  }
  const more = await members.next()
  if (inStep && more.done !== true)
    events.onProblem(damaged(archive, `SHA256SUMS does not name ${parseSeen(more.value).name}`))
  return hash.digest('hex')
}

/** What an index says, and whether it says it of the members that are there. */
export interface IndexFound {
  readonly sumsSha256: string
  readonly tail: Buffer
  readonly sound: boolean
}

/** Holds the index against the members seen before it, and against the hash in its own last bytes. */
export async function checkIndex(
  content: AsyncIterable<Uint8Array>,
  seen: SeenMembers,
  archive: string,
  events: ProblemEvents,
): Promise<IndexFound> {
  const hash = createHash('sha256')
  const body = createTailCutter(indexTailBytes)
  const lines = linesOf(hashed(body.before(content), hash))
  const heading = await lines.next()
  const sumsLine = await lines.next()
  const sumsSha256 = sumsLine.done === true ? '' : (sumsLine.value.split(' ')[1] ?? '')
  const problems: string[] = []
  if (heading.done === true || heading.value !== indexHeading || sumsLine.value !== formatSumsLine(sumsSha256)) {
    problems.push('its index does not begin as an index does')
  }
  const members = linesOf(seen.chunks())
  let inStep = true
  for await (const line of lines) {
    if (!inStep || line.trim() === '') continue
    const next = await members.next()
    const name = parseIndexLine(line)?.name
    if (next.done === true || name !== parseSeen(next.value).name) {
      problems.push('its index names other members than it has')
      inStep = false
    }
  }
  if (inStep && (await members.next()).done !== true) problems.push('its index leaves out members that it has')
  const tail = parseIndexTail(body.tail())
  if (tail === undefined) {
    events.onProblem(new StrongroomError('archive.truncated', { archive, reason: 'its index is not complete' }))
  } else if (tail.sha256 !== hash.digest('hex')) {
    problems.push('its index is not the one that was written')
  }
  for (const reason of problems) events.onProblem(damaged(archive, reason))
  return { sumsSha256, tail: body.tail(), sound: tail !== undefined && problems.length === 0 }
}

/**
 * Holds the last bytes of the file against the index, and gives where in the file that begins. A file that was compressed
 * again has the one without the other.
 */
export async function checkFileTail(
  archive: OpenArchive,
  index: IndexFound,
  compressedBytes: number,
  events: ProblemEvents,
): Promise<{ readonly sound: boolean; readonly offset?: number }> {
  const end = await archive.bytes(Math.max(0, compressedBytes - fileTailBytes), fileTailBytes)
  const tail = indexTailOf(end)
  if (tail === undefined) {
    events.onWarning(
      'archive.recompressed',
      archive.name,
      'It was compressed again by another program; all its members are proved all the same.',
    )
    return { sound: true }
  }
  const offset = parseIndexTail(tail)?.offset ?? 0
  if (!tail.equals(index.tail) || !(await leadsTo(archive, { offset, within: 0 }, indexName))) {
    events.onProblem(damaged(archive.name, 'its last bytes do not lead to its index'))
    return { sound: false }
  }
  return { sound: true, offset }
}

async function* hashed(content: AsyncIterable<Uint8Array>, hash: { update(bytes: Uint8Array): unknown }) {
  for await (const chunk of content) {
    hash.update(chunk)
    yield chunk
  }
}

/** Parts the last bytes of a stream from what stands before them. */
function createTailCutter(length: number) {
  let held = Buffer.alloc(0)
  return {
    async *before(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of content) {
        const before = Math.max(0, held.length + chunk.length - length)
        const ofHeld = Math.min(before, held.length)
        if (ofHeld > 0) yield held.subarray(0, ofHeld)
        if (before > ofHeld) yield chunk.subarray(0, before - ofHeld)
        held = Buffer.concat([held.subarray(ofHeld), chunk.subarray(before - ofHeld)])
      }
    },
    tail: (): Buffer => held,
  }
}

const damaged = (archive: string, reason: string): StrongroomError =>
  new StrongroomError('archive.damaged', { archive, reason })
