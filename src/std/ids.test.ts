import { expect, test } from 'vitest'
import { isUuid, randomIds, uuidv5 } from './ids.ts'

const dns = '6ba7b810-9dad-11d1-80b4-00c04fd430c8'
const url = '6ba7b811-9dad-11d1-80b4-00c04fd430c8'

test.each([
  // RFC 9562, appendix A.4.
  [dns, 'www.example.com', '2ed6657d-e927-568b-95e1-2665a8aea6a2'],
  // The documentation of Python's uuid module.
  [dns, 'python.org', '886313e1-3b8a-5372-9b90-0c9aee199e5d'],
  [url, 'http://python.org/', '4c565f0d-3f5a-5890-b41b-20cf47701c5e'],
])('uuidv5 of %s and %s', (namespace, name, id) => {
  expect(uuidv5(namespace, name)).toBe(id)
  expect(uuidv5(namespace.toUpperCase(), name)).toBe(id)
})

test('uuidv5 takes the name as UTF-8, and gives a UUID of version 5', () => {
  expect(uuidv5(dns, 'ü')).not.toBe(uuidv5(dns, 'u'))
  expect(uuidv5(dns, 'ü')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('random ids are UUIDs, all different', () => {
  const ids = Array.from({ length: 100 }, () => randomIds.next())
  expect(ids.every(isUuid)).toBe(true)
  expect(new Set(ids).size).toBe(100)
})

test.each(['', dns.toUpperCase(), `{${dns}}`, dns.replaceAll('-', ''), `${dns} `, `${dns}\n`, dns.replace('6', 'g')])(
  '%j is not the form that is kept',
  (text) => {
    expect(isUuid(text)).toBe(false)
  },
)
