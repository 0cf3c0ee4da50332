/**
 * The field rules that Papermerge 2.1.9's restore applies: Django REST framework 3.13 serializers over Django 3.2 models
 * on SQLite and PostgreSQL. A rule reports what would be refused, and what would be stored otherwise than it was given.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What a rule finds; `where` is the place in backup.json. */
export interface Findings {
  refused(where: string, reason: string): void
  altered(where: string, reason: string): void
}

// What Python's str.strip() takes off: the characters for which str.isspace() is true.
const pythonSpace = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const outerSpace = new RegExp(`^${pythonSpace}+|${pythonSpace}+$`, 'g')

export const pythonStrip = (text: string): string => text.replace(outerSpace, '')

interface TextRule {
  readonly max?: number
  readonly required?: boolean
  readonly blank?: boolean
  readonly null?: boolean
  readonly also?: (text: string) => string | undefined
}

// Python's `.` does not match a newline, so only the first line is looked at.
export const safeText = (text: string): string | undefined =>
  /^[^\n]*[<>/\\;:&]/.test(text) ? 'Enter only safe characters.' : undefined

export const usernameText = (text: string): string | undefined =>
  /^[\p{L}\p{N}_.@+-]+$/u.test(text) ? undefined : 'Enter a valid username.'

const emailUser =
  /^(?:[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(?:\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*|"(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*")$/iu
const emailDomain = /^(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z0-9-]{2,63}(?<!-)$/iu
const emailLiteral = /^\[([A-F0-9:.]+)\]$/iu

export function emailText(text: string): string | undefined {
  const refused = 'Enter a valid email address.'
  const at = text.lastIndexOf('@')
  if (at < 0 || !emailUser.test(text.slice(0, at))) return refused
  const domain = text.slice(at + 1)
  if (domain === 'localhost' || emailDomain.test(domain) || emailLiteral.test(domain)) return undefined
  const ascii = domain.includes('%') ? '' : (URL.parse(`http://${domain}/`)?.hostname ?? '')
  return emailDomain.test(ascii) ? undefined : refused
}

const show = (value: Json): string => {
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** A CharField. Gives the stored text, or undefined where there is none. */
export function textField(
  object: JsonObject,
  key: string,
  where: string,
  rule: TextRule,
  findings: Findings,
): string | null | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  const at = `${where}.${key}`
  if (value === undefined) {
    if (rule.required === true) findings.refused(at, 'This field is required.')
    return undefined
  }
  if (value === null) {
    if (rule.null === true) return null
    findings.refused(at, 'This field may not be null.')
    return undefined
  }
  if (typeof value !== 'string' && typeof value !== 'number') {
    findings.refused(at, `Not a valid string: ${show(value)}`)
    return undefined
  }
  if (typeof value === 'number') findings.altered(at, `the number ${value} becomes text`)
  const given = String(value)
  const text = pythonStrip(given)
  if (text === '') {
    if (rule.blank !== true) findings.refused(at, `This field may not be blank: ${show(value)}`)
    else if (given !== '') findings.altered(at, `trimmed: ${show(value)}`)
    return ''
  }
  if (text !== given) findings.altered(at, `trimmed: ${show(value)}`)
  if (rule.max !== undefined && [...text].length > rule.max) {
    findings.refused(at, `Ensure this field has no more than ${rule.max} characters: ${show(value)}`)
  }
  if (text.includes('\0')) findings.refused(at, `Null characters are not allowed: ${show(value)}`)
  if (!text.isWellFormed()) findings.refused(at, `Surrogate characters are not allowed: ${show(value)}`)
  const also = rule.also?.(text)
  if (also !== undefined) findings.refused(at, `${also} ${show(value)}`)
  return text
}

/** An IntegerField of 32 or 64 bits. SQLite takes 64 for all; PostgreSQL does not. */
export function integerField(
  object: JsonObject,
  key: string,
  where: string,
  fallback: number,
  bits: 32 | 64,
  findings: Findings,
): number {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  const at = `${where}.${key}`
  if (value === undefined) return fallback
  const match =
    typeof value === 'string' || typeof value === 'number' ? /^\s*([+-]?\d+)(?:\.0*\s*)?\s*$/.exec(String(value)) : null
  const huge = typeof value === 'number' && Number.isInteger(value) && Math.abs(value) >= 2 ** 63
  if (match === null && !huge) {
    findings.refused(at, value === null ? 'This field may not be null.' : `A valid integer is required: ${show(value)}`)
    return fallback
  }
  const integer = huge ? value : Number(match?.[1])
  if (integer < -(2 ** (bits - 1)) || integer >= 2 ** (bits - 1)) {
    findings.refused(at, `the number ${show(value)} does not fit into ${bits} bits`)
  }
  return integer
}

const trueWords = new Set<Json>([
  't',
  'T',
  'y',
  'Y',
  'yes',
  'YES',
  'Yes',
  'true',
  'True',
  'TRUE',
  'on',
  'On',
  'ON',
  '1',
  1,
  true,
])
const falseWords = new Set<Json>([
  'f',
  'F',
  'n',
  'N',
  'no',
  'NO',
  'No',
  'false',
  'False',
  'FALSE',
  'off',
  'Off',
  'OFF',
  '0',
  0,
  false,
])

export function booleanField(object: JsonObject, key: string, where: string, findings: Findings): void {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  if (value === undefined || trueWords.has(value) || falseWords.has(value)) return
  findings.refused(`${where}.${key}`, `Must be a valid boolean: ${show(value)}`)
}

export function choiceField(
  object: JsonObject,
  key: string,
  where: string,
  choices: readonly string[],
  nullable: boolean,
  findings: Findings,
): void {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  if (value === undefined || (nullable && (value === null || value === ''))) return
  if (typeof value === 'string' && choices.includes(value)) return
  findings.refused(`${where}.${key}`, `${show(value)} is not a valid choice.`)
}

const dateTime =
  /^(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,6})(\d{0,6}))?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/

/** A DateTimeField. A moment without a zone, or with more than microseconds, is stored otherwise than given. */
export function dateTimeField(
  object: JsonObject,
  key: string,
  where: string,
  nullable: boolean,
  findings: Findings,
): void {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  const at = `${where}.${key}`
  if (value === undefined || (nullable && value === null)) return
  const match = typeof value === 'string' ? dateTime.exec(value) : null
  if (match === null) {
    findings.refused(at, `Datetime has wrong format: ${show(value)}`)
    return
  }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const date = new Date(Date.UTC(2000, month - 1, day))
  date.setUTCFullYear(year, month - 1, day)
  const real = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (year < 1 || !real || hour > 23 || minute > 59 || second > 59)
    findings.refused(at, `Datetime has wrong format: ${show(value)}`)
  else if (year < 2 || year > 9998) findings.refused(at, `Datetime value out of range: ${show(value)}`)
  if (match[9] === undefined) findings.altered(at, `a moment without a zone takes the server's: ${show(value)}`)
  if (/[1-9]/.test(match[8] ?? '')) findings.altered(at, `loses what is below a microsecond: ${show(value)}`)
}

/** A UUIDField. Gives the id in lower case with dashes, or undefined where there is none. */
export function uuidField(object: JsonObject, key: string, where: string, findings: Findings): string | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  if (value === undefined) {
    findings.altered(`${where}.${key}`, 'without an id a new one is made, and no file is found any more')
    return undefined
  }
  const hex =
    typeof value === 'string'
      ? value
          .replace('urn:', '')
          .replace('uuid:', '')
          .replace(/^[{}]+|[{}]+$/g, '')
          .replaceAll('-', '')
          .toLowerCase()
      : ''
  if (!/^[0-9a-f]{32}$/.test(hex)) {
    findings.refused(`${where}.${key}`, `Must be a valid UUID: ${show(value)}`)
    return undefined
  }
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** A list of objects (a nested serializer with many=True). Gives its objects. */
export function listField(object: JsonObject, key: string, where: string, findings: Findings): readonly JsonObject[] {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  const at = `${where}.${key}`
  if (!Array.isArray(value)) {
    findings.refused(at, value === undefined ? 'This field is required.' : 'Expected a list of items.')
    return []
  }
  const items = value as readonly Json[]
  items.forEach((item, index) => {
    if (!isObject(item)) findings.refused(`${at}[${index}]`, 'Invalid data. Expected a dictionary.')
  })
  return items.filter(isObject)
}
