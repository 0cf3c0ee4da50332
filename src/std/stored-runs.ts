/** A part of a piece of data, and what is to become of it. */
export interface Run {
  readonly start: number
  readonly end: number
  readonly kind: RunKind
}

/**
 * `stored`: nothing makes it smaller. `coded`: nothing in it comes again, but some bytes are more frequent than others, so that
 * Huffman's codes alone make it smaller. `deflated`: all else.
 */
export type RunKind = 'stored' | 'coded' | 'deflated'

const cellBytes = 16 * 1024
const sampleBytes = 32
const sampleDistance = 128
/** Where a run begins or ends exactly is found in steps of this many bytes. */
const stepBytes = 512
/**
 * Shorter runs are deflated with what stands around them: matches reach back 32 KiB, so a longer run would have parted its
 * neighbours anyway, and a shorter one would cost the small members beside it what they have in common.
 */
const shortestRun = 32 * 1024
/**
 * How often two bytes are alike, against evenly spread ones: 2 to the power of what the collision entropy lacks of 8 bits.
 * Encrypted, deflated and random data have 1 (0.95 to 1.06 in the samples of a cell), JPEG has 1.02 to 1.4, and up to 1.09
 * Huffman's codes save next to nothing. base64 has 4, text and programs have 5 and more. Below the lower bound bytes are spread
 * too evenly to be chance, as counters are.
 */
const mostAlikeStored = 1.09
const mostAlikeCoded = 1.5
const leastAlike = 0.9
/**
 * Of the 1,024 words of 4 bytes in the samples of a cell so many have stood in it before where deflate saves a percent and more:
 * the codes of white paper in a JPEG, lines of text between short streams. By chance one does in 8,000 cells.
 */
const fewestAgain = 4
/** The same for a step, which is short: JPEG reaches 1.6 there, while the header of a member or of a PDF has 5 and more. */
const mostAlikeInStep = 1.7
/** Of the 32 bytes of a sample about half are above 127; text, which has none, shows itself in a cell however short it is. */
const fewestHigh = 5

const counts = new Uint32Array(256)
const knownBits = 12
/** The words that were met last, each at its place by its hash. */
const known = new Uint32Array(2 ** knownBits)

/** The bytes four at a time, which are counted twice as fast as one by one. */
const wordsOf = (bytes: Uint8Array): Uint32Array => {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2)
}

/** What becomes of a whole cell; `start` counts bytes and is a multiple of 4. */
function kindOfCell(words: Uint32Array, start: number): RunKind {
  counts.fill(0)
  known.fill(0)
  let again = 0
  const end = (start + cellBytes) >> 2
  for (let sample = start >> 2; sample < end; sample += sampleDistance >> 2) {
    let high = 0
    for (let index = sample; index < sample + (sampleBytes >> 2); index += 1) {
      const word = words[index]!
      const place = Math.imul(word, 0x9e3779b1) >>> (32 - knownBits)
      if (known[place] === word) again += 1
      else known[place] = word
      counts[word & 0xff]! += 1
      counts[(word >>> 8) & 0xff]! += 1
      counts[(word >>> 16) & 0xff]! += 1
      counts[word >>> 24]! += 1
      // Adds up the highest bits of the four bytes.
      high += Math.imul((word >>> 7) & 0x01010101, 0x01010101) >>> 24
    }
    if (high < fewestHigh || high > sampleBytes - fewestHigh) return 'deflated'
  }
  if (again >= fewestAgain) return 'deflated'
  let squares = 0
  for (const count of counts) squares += count * count
  const length = (cellBytes / sampleDistance) * sampleBytes
  const pairs = (squares - length) / 2
  const alike = (pairs * 512) / (length * (length - 1))
  if (alike > mostAlikeCoded || alike < leastAlike) return 'deflated'
  return alike < mostAlikeStored ? 'stored' : 'coded'
}

function isDenseStep(bytes: Uint8Array, start: number): boolean {
  const end = Math.min(start + stepBytes, bytes.length)
  counts.fill(0)
  let pairs = 0
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index]!
    const count = counts[byte]!
    pairs += count
    counts[byte] = count + 1
  }
  const length = end - start
  return pairs * 512 < mostAlikeInStep * length * (length - 1)
}

/**
 * Parts a piece into runs of each kind. Only samples are looked at: 32 bytes in every 128, and all around where runs that are
 * not deflated begin and end, and at the `edges` (in rising order), where bytes of another kind may begin. The same input gives
 * the same runs.
 */
export function partRuns(bytes: Uint8Array, edges: readonly number[]): readonly Run[] {
  const kinds = kindsOfCells(bytes, edges)
  const runs: Run[] = []
  let done = 0
  function add(end: number, kind: RunKind): void {
    if (end <= done) return
    const last = runs.at(-1)
    if (last?.kind === kind) runs[runs.length - 1] = { ...last, end }
    else runs.push({ start: done, end, kind })
    done = end
  }
  for (let from = 0, to = 0; from < kinds.length; from = to) {
    to = endOfStretch(kinds, from)
    if (kinds[from] === 'deflated') continue
    const start = exactStart(bytes, from * cellBytes, done)
    const end = exactEnd(bytes, to * cellBytes, start)
    if (end - start < shortestRun) continue
    add(start, 'deflated')
    for (let cell = from; cell < to - 1; cell += 1) add(Math.min(end, (cell + 1) * cellBytes), kinds[cell]!)
    add(end, kinds[to - 1]!)
  }
  add(bytes.length, 'deflated')
  return runs
}

function kindsOfCells(bytes: Uint8Array, edges: readonly number[]): RunKind[] {
  const kinds: RunKind[] = []
  const words = wordsOf(bytes)
  let edge = 0
  for (let cell = 0; cell + cellBytes <= bytes.length; cell += cellBytes) {
    while (edge < edges.length && edges[edge]! < cell) edge += 1
    const hasEdge = edge < edges.length && edges[edge]! < cell + cellBytes
    kinds.push(hasEdge ? 'deflated' : kindOfCell(words, cell))
  }
  return kinds
}

/** The cell after the last of those that are all deflated, or all not, as the first. */
function endOfStretch(kinds: readonly RunKind[], first: number): number {
  const isDeflated = kinds[first] === 'deflated'
  let cell = first + 1
  while (cell < kinds.length && (kinds[cell] === 'deflated') === isDeflated) cell += 1
  return cell
}

/** Where the dense bytes begin that a cell at `start` belongs to, to the step; not before `least`. */
function exactStart(bytes: Uint8Array, start: number, least: number): number {
  let exact = start
  while (exact < bytes.length && !isDenseStep(bytes, exact)) exact += stepBytes
  if (exact > start) return exact
  while (exact - stepBytes >= Math.max(least, start - cellBytes) && isDenseStep(bytes, exact - stepBytes))
    exact -= stepBytes
  // All of the cell before it looks dense, step by step, and yet deflate makes it smaller.
  return exact === start - cellBytes ? start : exact
}

/** Where the dense bytes end that a cell before `end` belongs to; not before `least`. */
function exactEnd(bytes: Uint8Array, end: number, least: number): number {
  let exact = end
  while (exact > least && !isDenseStep(bytes, exact - stepBytes)) exact -= stepBytes
  if (exact < end) return exact
  const most = Math.min(bytes.length, end + cellBytes)
  while (exact < most && isDenseStep(bytes, exact)) exact = Math.min(exact + stepBytes, most)
  return exact === end + cellBytes ? end : exact
}

/** Whether the last bytes are of a run that is not deflated: deflate has then nothing to remember. */
export function endsDense(bytes: Uint8Array): boolean {
  if (bytes.length < 3 * cellBytes) return false
  const words = wordsOf(bytes)
  const last = words.length * 4 - 2 * cellBytes
  return kindOfCell(words, last) !== 'deflated' && kindOfCell(words, last - cellBytes) !== 'deflated'
}
