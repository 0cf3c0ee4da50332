import { characterCount, controlPicture, lookAlike, numbered, shorten, trim } from './member-names.ts'

/**
 * What Papermerge 2.1.9 takes on a restore without refusing, trimming or losing it. A text that it takes is left as it is;
 * another gets a form that is visibly like it. The limits are those of its database and of Django REST framework 3.13.
 */

const longestTitle = 200
const longestTag = 100
const longestUsername = 150

const unsafe = /[<>/\\;:&]/g

/** A title or tag name without what the validator refuses. */
function withoutUnsafe(text: string, limit: number): string {
  const visible = trim(text)
    .toWellFormed()
    .replace(/\p{Cc}/gu, controlPicture)
    .replace(unsafe, lookAlike)
  return visible === '' ? '_' : shorten(visible, limit, characterCount)
}

/** A title below the top level; `.home` and `.inbox` there are lost by Papermerge, `.` and `..` confuse its paths. */
export function safeTitle(title: string): string {
  const safe = withoutUnsafe(title, longestTitle)
  return ['.', '..', '.home', '.inbox'].includes(safe)
    ? safe.replace(/^\.\.?/, (dots) => '．'.repeat(dots.length))
    : safe
}

/** The same for what lies at the top level, where `.home` and `.inbox` are the roots. */
export const safeTopTitle = (title: string): string =>
  title === '.home' || title === '.inbox' ? title : safeTitle(title)

export const numberedTitle = (title: string, number: number): string =>
  numbered(title, number, longestTitle, characterCount)

export const safeTagName = (name: string): string => withoutUnsafe(name, longestTag)

export const numberedTagName = (name: string, number: number): string =>
  numbered(name, number, longestTag, characterCount)

/** `^[\w.@+-]+\Z` in Python, whose `\w` are letters, numbers and the underscore, but no combining marks. */
const usernameCharacter = /[^\p{L}\p{N}_.@+-]/gu

export function safeUsername(username: string): string {
  const safe = username.normalize('NFC').replace(usernameCharacter, '_')
  const whole = username.search(usernameCharacter) === -1 ? username : safe
  return cut(whole, longestUsername)
}

export const numberedUsername = (username: string, number: number): string =>
  `${cut(username, longestUsername - `_${number}`.length)}_${number}`

/** A password hash; an account without one that fits gets one that never matches. */
export const safePassword = (hash: string, stableText: string): string =>
  hash !== '' && characterCount(hash) <= 128 && trim(hash) === hash ? hash : `!${stableText}`

// The parts of Django's EmailValidator that ordinary addresses pass; what it does not surely take is left out.
const address = /^[\w.+-]+@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i

export function safeEmail(email: string): string {
  const dots = /^\.|\.\.|\.@/.test(email)
  return email.length <= 254 && address.test(email) && !dots ? email : ''
}

/** A text of at most `limit` characters, trimmed. */
export const safeText = (text: string, limit = Infinity): string => {
  const trimmed = trim(text)
  return limit === Infinity || characterCount(trimmed) <= limit ? trimmed : trim(cut(trimmed, limit))
}

/** A colour of at most 7 characters, as `#c41fff`. */
export const safeColor = (color: string, otherwise: string): string =>
  color !== '' && trim(color) === color && characterCount(color) <= 7 ? color : otherwise

/** A language of at most 8 characters. */
export const safeLanguage = (lang: string, otherwise: string): string => safeText(lang, 8) || otherwise

/** A date that stays one in every time zone: Papermerge converts it and fails at the ends of what Python can hold. */
export const safeMoment = (moment: string | null): string | null =>
  moment !== null && moment >= '0002' && moment < '9999' ? moment : null

const cut = (text: string, limit: number): string => [...text].slice(0, limit).join('')
