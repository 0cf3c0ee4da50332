/**
 * The law of names in our archives: what every file system, every tar and every sha256sum takes without an escape. A name
 * that keeps the law is left as it is; another is changed visibly.
 */

const longestComponent = 200
const longestExtension = 16
/** Little enough for PATH_MAX (4,096 bytes) where the archive is unpacked below a folder that has a name too. */
const longestPath = 3900
/** A link to the files climbs three bytes for each folder, and its target must stay under PATH_MAX too. */
const deepestPath = 1000

const lookAlikes: Readonly<Record<string, string>> = {
  '<': '＜',
  '>': '＞',
  '/': '／',
  '\\': '＼',
  ';': '；',
  ':': '：',
  '&': '＆',
  '*': '＊',
  '?': '？',
  '"': '＂',
  '|': '｜',
}

/** The full-width character that looks like one that may not stand. */
export const lookAlike = (character: string): string => lookAlikes[character] ?? '_'

/** A control character as its picture: `␊` for a line feed. */
export function controlPicture(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '\u2421' : '\uFFFD'
}

/** What Python's `str.strip` removes, and with it Django's fields. U+FEFF is not among it. */
const blanks = new Set(
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
)

/** The text without white space at either end, as Papermerge trims what it restores. */
export function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && blanks.has(text[start]!)) start += 1
  while (end > start && blanks.has(text[end - 1]!)) end -= 1
  return text.slice(start, end)
}

/** Devices, whatever extension follows, blanks between or not. */
const windowsReserved = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/i

/** A name as one component of a member's path. */
export function safeComponent(name: string): string {
  const visible = trim(name)
    .toWellFormed()
    .replace(/\p{Cc}/gu, controlPicture)
    .replace(/[\\/:*?"<>|]/g, lookAlike)
    .normalize('NFC')
  const free = windowsReserved.test(visible) ? `_${visible}` : visible
  if (free === '') return '_'
  if (free === '.' || free === '..') return free.replaceAll('.', '．')
  return shorten(free, longestComponent, byteLength)
}

const byteLength = (text: string): number => Buffer.byteLength(text)

/** The number of characters as Python counts them. */
export const characterCount = (text: string): number => {
  let count = 0
  for (const character of text) if (character !== '') count += 1
  return count
}

/** The name cut to `limit` in its middle, before the extension, with `…` where something is missing. */
export function shorten(name: string, limit: number, measure: (text: string) => number): string {
  if (measure(name) <= limit) return name
  const { stem, extension } = partExtension(name)
  const room = limit - measure(`…${extension}`)
  let kept = ''
  let size = 0
  for (const character of stem) {
    size += measure(character)
    if (size > room) break
    kept += character
  }
  return `${trim(kept)}…${extension}`
}

/** The name with a number before its extension, `scan (2).pdf`, within `limit`. */
export function numbered(name: string, number: number, limit: number, measure: (text: string) => number): string {
  const { stem, extension } = partExtension(name)
  const suffix = ` (${number})${extension}`
  return shorten(stem, limit - measure(suffix), measure) + suffix
}

/** The same for a component of a member's path. */
export const numberedComponent = (name: string, number: number): string =>
  numbered(name, number, longestComponent, byteLength)

function partExtension(name: string): { readonly stem: string; readonly extension: string } {
  const extension = /\.[^.\s]+$/u.exec(name)?.[0] ?? ''
  const counts = extension.length > 1 && extension.length < name.length && extension.length <= longestExtension
  return counts ? { stem: name.slice(0, -extension.length), extension } : { stem: name, extension: '' }
}

/** The form in which two names that some file system takes for the same are equal; ZFS can fold compatible characters too. */
export const twinKey = (name: string): string =>
  name.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC')

/** A path for people, cut in its middle where it is too long to unpack. Its first two folders and its end stay. */
export function shortenPath(components: readonly string[]): readonly string[] {
  const fits = (count: number, size: number): boolean => count <= deepestPath && size <= longestPath
  const sizes = components.map((component) => byteLength(component) + 1)
  let total = sizes.reduce((sum, size) => sum + size, 0)
  if (fits(components.length, total)) return components
  let from = Math.min(Math.floor(components.length / 2), deepestPath / 2)
  let to = from
  total += byteLength('…') + 1
  while (!fits(components.length - (to - from) + 1, total) && (to < components.length - 1 || from > 2)) {
    if (to < components.length - 1 && (to - from) % 2 === 0) total -= sizes[to++]!
    else if (from > 2) total -= sizes[--from]!
    else total -= sizes[to++]!
  }
  return [...components.slice(0, from), '…', ...components.slice(to)]
}

/** Names at the top of an archive that no user's folder may begin with, as far as any file system can tell. */
const reservedAtTop = [
  'docs',
  'sidecars',
  'backup.json',
  'readme.txt',
  'index.html',
  'sha256sums',
  'strongroom',
  'docvers',
  'ocr',
  '.',
]

/**
 * The folder of a user in the archive. Papermerge unpacks whatever begins with `docs` or `sidecars` into its media, so a
 * name that does is written behind a word and a blank, which no username of Papermerge can hold.
 */
export function userFolder(username: string): string {
  const name = safeComponent(username)
  const key = twinKey(name)
  return reservedAtTop.some((reserved) => key.startsWith(reserved)) ? safeComponent(`user ${name}`) : name
}
