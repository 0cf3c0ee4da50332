/** True where the text holds half of a surrogate pair, which UTF-8 cannot express. */
export const hasLoneSurrogate = (text: string): boolean => !text.isWellFormed()

/** The text as every place can hold it: NUL and halves of surrogate pairs become U+FFFD. */
export const toStorableText = (text: string): string => text.toWellFormed().replaceAll('\0', '\uFFFD')

// Controls, line and paragraph separators, everything that changes the direction of what follows, what has no width,
// and halves of surrogate pairs: what could make a terminal or a reader see another name than the true one.
const hidden = /[\p{Cc}\p{Cs}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A text for a terminal or a log: what cannot be seen is written as an escape, `\n` or `\u{202e}`. One line. */
export const display = (text: string): string =>
  text.replace(hidden, (character) => escapes[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`)

/** Orders two texts by their UTF-8 bytes, as both databases and `tree` do. */
export const compareBytes = (left: string, right: string): number =>
  Buffer.compare(Buffer.from(left), Buffer.from(right))

/** The length in bytes of the text in UTF-8. */
export const byteLength = (text: string): number => Buffer.byteLength(text)

/** A message for people out of whatever was thrown. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * The text as a search sees it: without case, accents and compatible forms, white space as single blanks. Each character is
 * folded by itself, so the whole is its parts joined.
 */
export const foldText = (text: string): string =>
  text.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase().replace(/\s+/g, ' ')
