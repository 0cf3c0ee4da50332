import { isUtf8 } from 'node:buffer'

/** What is wrong with a JSON text, and where. */
export class JsonError extends Error {
  constructor(reason: string, position: number) {
    super(`${reason} at byte ${position}`)
  }
}

export type JsonToken =
  | { readonly type: '{' | '}' | '[' | ']' | ':' | ',' }
  | { readonly type: 'value'; readonly value: string | number | boolean | null; readonly isString: boolean }

/** Bytes that one string may take in the file: more than any page's text, little enough for memory. */
const longestToken = 64 * 1024 * 1024
const longestPlainToken = 64

const quote = 0x22
const backslash = 0x5c
const punctuation = new Set([...'{}[]:,'].map((character) => character.charCodeAt(0)))
const blank = new Set([0x20, 0x0a, 0x0d, 0x09])

/**
 * Cuts a JSON text (RFC 8259, UTF-8, a byte order mark allowed) into tokens, chunk by chunk, and keeps no more than one
 * token in memory. Half a surrogate pair stays what it is, for the caller to judge. Throws JsonError.
 */
export function createJsonTokenizer(onToken: (token: JsonToken, position: number) => void) {
  let rest = Buffer.alloc(0)
  // Where that and the next chunk are joined: one buffer for all, as the garbage collector learns late of each.
  let joined = Buffer.alloc(0)
  let restPosition = 0
  // Where the search for the end of the string that `rest` begins with goes on.
  let searched = 1

  /** Reads the token at `start`; undefined where its end is not in `bytes` yet. Gives where it ends. */
  function readToken(bytes: Buffer, start: number, position: number, atEnd: boolean): number | undefined {
    const first = bytes[start]!
    if (punctuation.has(first)) {
      onToken({ type: String.fromCharCode(first) as '{' }, position)
      return start + 1
    }
    if (first === quote) {
      const end = endOfString(bytes, start, searched)
      if (end === undefined) {
        if (bytes.length - start > longestToken)
          throw new JsonError(`a text of more than ${longestToken} bytes begins`, position)
        searched = bytes.length - start
        return undefined
      }
      searched = 1
      onToken({ type: 'value', value: parseString(bytes.subarray(start, end), position), isString: true }, position)
      return end
    }
    let end = start
    while (end < bytes.length && !punctuation.has(bytes[end]!) && !blank.has(bytes[end]!) && bytes[end] !== quote)
      end += 1
    if (end - start > longestPlainToken)
      throw new JsonError('something that is neither text nor number stands', position)
    if (end === bytes.length && !atEnd) return undefined
    onToken(
      { type: 'value', value: parsePlain(bytes.toString('latin1', start, end), position), isString: false },
      position,
    )
    return end
  }

  function consume(bytes: Buffer, position: number, atEnd: boolean): void {
    let start = 0
    for (;;) {
      while (start < bytes.length && blank.has(bytes[start]!)) start += 1
      if (start === bytes.length) break
      const end = readToken(bytes, start, position + start, atEnd)
      if (end === undefined) break
      start = end
    }
    rest = Buffer.from(bytes.subarray(start))
    restPosition = position + start
  }

  function joinedWith(chunk: Uint8Array): Buffer {
    const length = rest.length + chunk.length
    if (joined.length < length) joined = Buffer.allocUnsafeSlow(Math.max(length, 2 * joined.length))
    joined.set(rest)
    joined.set(chunk, rest.length)
    return joined.subarray(0, length)
  }

  let begun = false
  return {
    write(chunk: Uint8Array): void {
      let bytes = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : joinedWith(chunk)
      if (!begun) {
        if (bytes.length < 3) {
          rest = Buffer.from(bytes)
          return
        }
        begun = true
        bytes = checkEncoding(bytes)
      }
      consume(bytes, restPosition, false)
    },
    /** Bytes read so far. */
    position: (): number => restPosition + rest.length,
    /** Ends the text. */
    end(): void {
      consume(begun ? rest : checkEncoding(rest), restPosition, true)
      if (rest.length > 0) throw new JsonError('the text ends within a string that begins', restPosition)
    },
  }

  function checkEncoding(bytes: Buffer): Buffer {
    if (bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf) {
      restPosition = 3
      return bytes.subarray(3)
    }
    const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0
    if (mark === 0xfeff || mark === 0xfffe || bytes[0] === 0 || bytes[1] === 0) {
      throw new JsonError('the text is not UTF-8 (it looks like UTF-16 or UTF-32)', 0)
    }
    return bytes
  }
}

/** The index after the closing quote of the string that begins at `start`, searched from `start + from`. */
function endOfString(bytes: Buffer, start: number, from: number): number | undefined {
  for (let end = bytes.indexOf(quote, start + from); end !== -1; end = bytes.indexOf(quote, end + 1)) {
    let before = end
    while (before > start + 1 && bytes[before - 1] === backslash) before -= 1
    if ((end - before) % 2 === 0) return end + 1
  }
  return undefined
}

function parseString(bytes: Buffer, position: number): string {
  if (!isUtf8(bytes)) throw new JsonError('a text that is not UTF-8 begins', position)
  try {
    return JSON.parse(bytes.toString('utf8')) as string
  } catch {
    throw new JsonError('a text with a control character or an unknown escape begins', position)
  }
}

function parsePlain(text: string, position: number): number | boolean | null {
  try {
    return JSON.parse(text) as number | boolean | null
  } catch {
    throw new JsonError(`${JSON.stringify(text)} stands where a value should`, position)
  }
}
