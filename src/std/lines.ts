/** Longer than a line with any path that a system takes, and little enough for memory. */
const longestLine = 1 << 20

/** A UTF-8 text in pieces, line by line, without the line ends. A line of more than 1 MiB is cut off there. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      yield bytes.toString('utf8', start, Math.min(end, start + longestLine))
      start = end + 1
    }
    rest = bytes.subarray(start, start + longestLine)
  }
  if (rest.length > 0) yield rest.toString('utf8')
}
