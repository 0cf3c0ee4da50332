/** A part of a piece of data, and whether it is worth deflating. */
export interface Run {
  readonly start: number
  readonly end: number
  readonly stored: boolean
}

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
 * Encrypted, deflated and random data have 1 (0.95 to 1.06 in the samples of a cell), JPEG has 1.02 to 1.09, and where it is
 * above, deflate saves something. base64 has 4, text and programs have 5 and more. Below the lower bound bytes are spread
 * too evenly to be chance, as counters are.
 */
const mostAlike = 1.09
const leastAlike = 0.9
/** The same for a step, which is short: JPEG reaches 1.6 there, while the header of a member or of a PDF has 5 and more. */
const mostAlikeInStep = 1.7
/** Of the 32 bytes of a sample about half are above 127; text, which has none, shows itself in a cell however short it is. */
const fewestHigh = 5

const counts = new Uint32Array(256)

/** The bytes four at a time, which are counted twice as fast as one by one. */
const wordsOf = (bytes: Uint8Array): Uint32Array => {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes)
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2)
}

/** `start` counts bytes and is a multiple of 4. */
function isDenseCell(words: Uint32Array, start: number): boolean {
  counts.fill(0)
  const end = (start + cellBytes) >> 2
  for (let sample = start >> 2; sample < end; sample += sampleDistance >> 2) {
    let high = 0
    for (let index = sample; index < sample + (sampleBytes >> 2); index += 1) {
      const word = words[index]!
      counts[word & 0xff]! += 1
      counts[(word >>> 8) & 0xff]! += 1
      counts[(word >>> 16) & 0xff]! += 1
      counts[word >>> 24]! += 1
      // Adds up the highest bits of the four bytes.
      high += Math.imul((word >>> 7) & 0x01010101, 0x01010101) >>> 24
    }
    if (high < fewestHigh || high > sampleBytes - fewestHigh) return false
  }
  let squares = 0
  for (const count of counts) squares += count * count
  const length = (cellBytes / sampleDistance) * sampleBytes
  const pairs = (squares - length) / 2
  const alike = (pairs * 512) / (length * (length - 1))
  return alike < mostAlike && alike > leastAlike
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
 * Parts a piece into runs that no compression makes smaller, and what stands between. Only samples are looked at: 64 bytes in
 * every 512, and all around where a run ends and at the `edges` (in rising order), where bytes of another kind
 * may begin. The same input gives the same runs.
 */
export function partRuns(bytes: Uint8Array, edges: readonly number[]): readonly Run[] {
  const dense = densePlaces(bytes, edges)
  const runs: Run[] = []
  let end = 0
  for (const { start, end: denseEnd } of dense) {
    if (denseEnd - start < shortestRun) continue
    if (start > end) runs.push({ start: end, end: start, stored: false })
    runs.push({ start, end: denseEnd, stored: true })
    end = denseEnd
  }
  if (bytes.length > end) runs.push({ start: end, end: bytes.length, stored: false })
  return runs
}

/** The whole cells that look dense, joined, and widened or narrowed to the step. */
function densePlaces(bytes: Uint8Array, edges: readonly number[]): { start: number; end: number }[] {
  const places: { start: number; end: number }[] = []
  const words = wordsOf(bytes)
  let edge = 0
  for (let cell = 0; cell + cellBytes <= bytes.length; cell += cellBytes) {
    while (edge < edges.length && edges[edge]! < cell) edge += 1
    const hasEdge = edge < edges.length && edges[edge]! < cell + cellBytes
    if (hasEdge || !isDenseCell(words, cell)) continue
    const last = places.at(-1)
    if (last?.end === cell) last.end += cellBytes
    else places.push({ start: cell, end: cell + cellBytes })
  }
  const exact: { start: number; end: number }[] = []
  for (const [index, place] of places.entries()) {
    const before = exact.at(-1)?.end ?? 0
    let { start, end } = place
    while (start < end && !isDenseStep(bytes, start)) start += stepBytes
    if (start === place.start)
      while (start - stepBytes >= before && isDenseStep(bytes, start - stepBytes)) start -= stepBytes
    while (end > start && !isDenseStep(bytes, end - stepBytes)) end -= stepBytes
    const limit = places[index + 1]?.start ?? bytes.length
    if (end === place.end) while (end < limit && isDenseStep(bytes, end)) end = Math.min(end + stepBytes, limit)
    if (exact.length > 0 && exact.at(-1)!.end === start) exact.at(-1)!.end = end
    else exact.push({ start, end })
  }
  return exact
}

/** Whether the last bytes are of a run that goes out as it is: deflate has then nothing to remember. */
export function endsDense(bytes: Uint8Array): boolean {
  if (bytes.length < 3 * cellBytes) return false
  const words = wordsOf(bytes)
  const last = words.length * 4 - 2 * cellBytes
  return isDenseCell(words, last) && isDenseCell(words, last - cellBytes)
}
