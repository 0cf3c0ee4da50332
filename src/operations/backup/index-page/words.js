/** How things are written for people. */

// What is not seen, or turns around what follows: a name must not look like another one.
const hidden = /[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff]/gu

/** A name with what cannot be seen made visible. @param {string} name */
export const visible = (name) =>
  name.trim() === ''
    ? '(no title)'
    : name.replace(hidden, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`)

/** @param {number} count @param {string} thing */
export const counted = (count, thing) => `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`

/** @param {number} bytes */
export function sizeText(bytes) {
  if (bytes < 1000) return counted(bytes, 'byte')
  let size = bytes
  let unit = ''
  for (const next of ['kB', 'MB', 'GB', 'TB']) {
    if (size < 999.5) break
    size /= 1000
    unit = next
  }
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${unit}`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `2026-11-24T…` as `24 Nov 2026`, in UTC. @param {string | null} date */
export function dateText(date) {
  if (date === null) return 'no date'
  const [year, month, day] = date.slice(0, 10).split('-').map(Number)
  return `${day} ${months[(month ?? 1) - 1] ?? ''} ${year}`
}

/** What kind of file it is, by the end of its name. @param {string | null} fileName */
export function typeText(fileName) {
  if (fileName === null) return 'no file'
  const extension = /\.([\p{L}\p{N}]{1,5})$/u.exec(fileName)?.[1]
  return extension === undefined ? 'file' : extension.toUpperCase()
}

/** The address of a file of the archive from where this page lies; never anything but a path. @param {string} path */
export const addressOf = (path) => path.split('/').map(encodeURIComponent).join('/')

/** @type {Readonly<Record<string, string>>} */
const harms = { missing: 'missing', unreadable: 'missing: it could not be read', changed: 'damaged' }

/** @param {string} what */
export const harmText = (what) => harms[what] ?? 'damaged'
