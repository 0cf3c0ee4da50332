/** Longer than a line with any path that a system takes, and little enough for memory. */
const longestLine = 1 << 20

/** A UTF-8 text in pieces, line by line, without the line ends. A line of more than 1 MiB is cut off there. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  // The beginning of a line that ends in a later piece. The pieces are not joined, for that would be memory for each.
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    let start = 0
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      if (rest.length === 0) yield bytes.toString('utf8', start, Math.min(end, start + longestLine))
      else yield extended(rest, bytes.subarray(start, end)).toString('utf8')
      rest = Buffer.alloc(0)
      start = end + 1
    }
    rest = extended(rest, bytes.subarray(start))
  }
  if (rest.length > 0) yield rest.toString('utf8')
}

/** A copy, for a piece of the text is valid until the next is asked for. */
const extended = (line: Buffer, bytes: Buffer): Buffer =>
  line.length === longestLine ? line : Buffer.concat([line, bytes.subarray(0, longestLine - line.length)])
