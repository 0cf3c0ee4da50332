import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRecordReader, type JsonRecord, type RecordShape } from './json-records.ts'
import { JsonError } from './json-tokens.ts'

const shape: RecordShape = {
  values: ['created', 'extra'],
  lists: {
    users: {
      values: ['name', 'data'],
      lists: { nodes: { values: ['title'], lists: { versions: { values: ['number'] } } } },
      objects: { own: { values: ['a'], lists: { nodes: { values: ['title'] } } } },
    },
  },
  objects: { own: { values: ['format'] } },
}

interface Events {
  readonly records: readonly JsonRecord[]
  readonly objects: readonly (readonly [string, unknown])[]
  readonly unknown: readonly string[]
  /** Every event by its path, in order. */
  readonly order: readonly string[]
}

function read(text: string | Uint8Array, size = Infinity, wanted = shape): Events {
  const bytes = Buffer.from(text)
  const records: JsonRecord[] = []
  const objects: (readonly [string, unknown])[] = []
  const unknown: string[] = []
  const order: string[] = []
  const reader = createRecordReader(wanted, {
    onRecord(record) {
      records.push(record)
      order.push(record.path)
    },
    onObject(path, value) {
      objects.push([path, value])
      order.push(path)
    },
    onUnknownKey: (path) => unknown.push(path),
  })
  const step = Math.min(size, Math.max(1, bytes.length))
  for (let start = 0; start < bytes.length; start += step)
    reader.write(Uint8Array.from(bytes.subarray(start, start + step)))
  reader.end()
  return { records, objects, unknown, order }
}

/** The value with ordinary prototypes, to be compared. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('a record', () => {
  test('holds its values as JSON.parse gives them, however the text is cut', () => {
    const law = fc.property(
      fc.jsonValue({ stringUnit: 'grapheme' }),
      fc.integer({ min: 1, max: 30 }),
      fc.nat(4),
      (value, size, indent) => {
        const text = JSON.stringify({ created: value, extra: [value, { value }] }, undefined, indent)
        const { records } = read(text, size)
        expect(records).toHaveLength(1)
        expect(plain(records[0]!.value)).toEqual(JSON.parse(text))
      },
    )
    fc.assert(law, { numRuns: 200 })
  })

  test('comes after all that it contains, with its places, whatever the order of the keys', () => {
    const node = { title: 't', versions: [{ number: 1 }, { number: 2 }] }
    const users = [
      { name: 'a', nodes: [node, { title: 'u' }], own: { nodes: [{ title: 'lost' }], a: 1 } },
      { own: { a: 2 }, nodes: [], name: 'b' },
    ]
    const { records, order } = read(JSON.stringify({ own: { format: 1 }, users, created: 'now' }))
    expect(order).toEqual([
      'own',
      'users.nodes.versions',
      'users.nodes.versions',
      'users.nodes',
      'users.nodes',
      'users.own.nodes',
      'users.own',
      'users',
      'users.own',
      'users',
      '',
    ])
    expect(records.map(({ path, places }) => [path, ...places])).toEqual([
      ['users.nodes.versions', 0, 0, 0],
      ['users.nodes.versions', 0, 0, 1],
      ['users.nodes', 0, 0],
      ['users.nodes', 0, 1],
      ['users.own.nodes', 0, 0],
      ['users', 0],
      ['users', 1],
      [''],
    ])
    expect(plain(records.at(-1)!.value)).toEqual({ created: 'now', users: [], own: { format: 1 } })
    expect(plain(records.at(-2)!.value)).toEqual({ name: 'b', nodes: [], own: { a: 2 } })
  })

  test('of a random tree is delivered the same, its keys in any order', () => {
    const version = fc.record({ number: fc.integer() })
    const node = fc.record({ title: fc.string(), versions: fc.array(version, { maxLength: 3 }) }, { requiredKeys: [] })
    const user = fc.record(
      { name: fc.string(), nodes: fc.array(node, { maxLength: 3 }), data: fc.jsonValue() },
      { requiredKeys: [] },
    )
    const backup = fc.record({ created: fc.string(), users: fc.array(user, { maxLength: 3 }) })
    const law = fc.property(backup, fc.integer({ min: 1, max: 50 }), (value, size) => {
      const forwards = read(JSON.stringify(value), size)
      const backwards = read(JSON.stringify(reversed(value)))
      const sorted = ({ records }: Events) =>
        records
          .map(({ path, places, value: kept }) => [path, places.join('.'), plain(kept)] as const)
          .toSorted((left, right) => (`${left[0]} ${left[1]}` < `${right[0]} ${right[1]}` ? -1 : 1))
      expect(sorted(backwards)).toEqual(sorted(forwards))
      expect(forwards.records.filter(({ path }) => path === 'users.nodes')).toHaveLength(
        value.users.flatMap(({ nodes }) => nodes ?? []).length,
      )
    })
    fc.assert(law, { numRuns: 100 })
  })

  test('has no prototype, so that no key means more than its name', () => {
    const { records, unknown } = read(
      '{"extra": {"__proto__": {"polluted": 1}, "constructor": 2}, "__proto__": {"format": 9}, "toString": 1}',
    )
    const { value } = records[0]!
    expect(Object.getPrototypeOf(value)).toBeNull()
    const extra = value.extra as Record<string, unknown>
    expect(Object.getPrototypeOf(extra)).toBeNull()
    expect(Object.keys(extra)).toEqual(['__proto__', 'constructor'])
    expect(unknown).toEqual(['__proto__', 'toString'])
    expect('polluted' in {}).toBe(false)
  })
})

describe('an unknown key', () => {
  test('is reported once for each path, and what it holds is passed over', () => {
    const users = [
      { name: 'a', odd: [{ nodes: [1, { name: {} }] }] },
      { name: 'b', odd: { x: [] }, nodes: [{ odd: 1 }] },
    ]
    const { unknown, records } = read(JSON.stringify({ users, odd: true, more: {} }))
    expect(unknown).toEqual(['users.odd', 'users.nodes.odd', 'odd', 'more'])
    expect(records.map(({ path }) => path)).toEqual(['users', 'users.nodes', 'users', ''])
  })

  test('does not fill memory, however many there are', () => {
    const users = Array.from({ length: 300 }, (_, index) =>
      Object.fromEntries(Array.from({ length: 20 }, (__, key) => [`k${index}-${key}`, 0])),
    )
    expect(read(JSON.stringify({ users })).unknown).toHaveLength(1000)
  })

  test('is checked for its form all the same', () => {
    expect(() => read('{"odd": {"a": 1, "a": 2}}')).toThrow(/"a" stands twice/)
    expect(() => read('{"odd": [1,]}')).toThrow(JsonError)
  })
})

describe('a text is refused', () => {
  test.each([
    ['of nothing', ''],
    ['of blanks', ' \n'],
    ['that is a list', '[]'],
    ['that is a value', '"a"'],
    ['with a key that stands twice', '{"created": 1, "created": 1}'],
    ['with a key that stands twice, once escaped', '{"created": 1, "cr\\u0065ated": 1}'],
    ['with a list that stands twice', '{"users": [], "users": []}'],
    ['with a comma at the end of an object', '{"created": 1,}'],
    ['with a comma at the end of a list', '{"extra": [1,]}'],
    ['with a comma at the beginning', '{,"created": 1}'],
    ['with two commas', '{"extra": [1,,2]}'],
    ['without a comma', '{"created": 1 "extra": 2}'],
    ['without a colon', '{"created" 1}'],
    ['with two colons', '{"created":: 1}'],
    ['without a value', '{"created": }'],
    ['with a key that is a number', '{1: 1}'],
    ['with a key that is a word', '{created: 1}'],
    ['that closes a list as an object', '{"extra": [1}'],
    ['that closes an object as a list', '{"extra": {"a": 1]}'],
    ['that closes more than it opens', '{}}'],
    ['with something after the end', '{} 1'],
    ['with a second object after the end', '{}{}'],
    ['with a comma after the end', '{},'],
    ['that ends within an object', '{"created": 1'],
    ['that ends within a list', '{"users": [{}'],
    ['that ends after a key', '{"created"'],
    ['with a value where a list belongs', '{"users": null}'],
    ['with an object where a list belongs', '{"users": {}}'],
    ['with a value where an object belongs', '{"own": 1}'],
    ['with a list where an object belongs', '{"own": []}'],
    ['with a value in a list of objects', '{"users": [1]}'],
    ['with a list in a list of objects', '{"users": [[]]}'],
  ])('%s', (_, text) => {
    expect(() => read(text)).toThrow(JsonError)
    expect(() => read(text, 1)).toThrow(JsonError)
  })

  test('wherever it is cut', () => {
    const text = JSON.stringify({
      users: [{ name: 'é', nodes: [{ title: 't' }] }],
      created: [1, { a: null }],
      own: { format: 1 },
    })
    const bytes = Buffer.from(text)
    for (let cut = 0; cut < bytes.length; cut += 1)
      expect(() => read(bytes.subarray(0, cut)), `cut at ${cut}`).toThrow(JsonError)
  })

  test('deeper than 64, wanted or not', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    for (const key of ['extra', 'odd']) {
      expect(read(`{"${key}": ${nested(63)}}`).records).toHaveLength(1)
      expect(() => read(`{"${key}": ${nested(64)}}`)).toThrow(/nesting deeper than 64/)
      expect(() => read(`{"${key}": ${'['.repeat(1_000_000)}`)).toThrow(/nesting deeper than 64/)
    }
  })

  test('with more keys in an object than any has', () => {
    const many = (count: number) =>
      `{"extra": {${Array.from({ length: count }, (_, index) => `"${index}": 0`).join()}}}`
    expect(read(many(10_000)).records).toHaveLength(1)
    expect(() => read(many(10_001))).toThrow(/more than 10000 keys/)
  })

  test('with a record too large for memory, but not with many that fit', () => {
    const reader = createRecordReader(shape, {
      onRecord: () => undefined,
      onObject: () => undefined,
      onUnknownKey: () => undefined,
    })
    const value = Buffer.from(`"${'a'.repeat(1 << 20)}",`)
    reader.write(Buffer.from('{"users": ['))
    const user = Buffer.from(`{"data": ["${'a'.repeat(1 << 20)}"]},`)
    for (let count = 0; count < 200; count += 1) reader.write(user)
    reader.write(Buffer.from('{"data": ['))
    const endless = (): void => {
      for (let count = 0; count < 200; count += 1) reader.write(value)
    }
    expect(endless).toThrow(/too large for memory/)
  })
})

/** The same value with the keys of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, reversed(inner)]),
  )
}
