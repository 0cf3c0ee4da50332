import type { Chance } from '../../support/chance.ts'
import { copyOf, slotsOf, toTree, writeTree } from './json-tree.ts'
import type { JsonNode, Slot } from './json-tree.ts'

const raw = (text: string): JsonNode => ({ kind: 'raw', raw: text })

const odd: readonly string[] = [
  ...['null', 'true', 'false', '""', '0', '-1', '1', '0.5', '-0', '1e400', '1e-400', '2147483647', '2147483648'],
  ...['9007199254740993', '123456789012345678901234567890', '1e3', '[]', '{}', '[null]', '[[]]', '[{}]', '{"":{}}'],
  ...['"\\ud800"', '"\\udc00x"', '"\\u0000"', '"a\\u0000b"', '"\\ufeff"', '" "', '"\\n"', '"."', '".."', '"/"'],
  ...['"../../escaped"', '"/escaped"', '"a/b"', '"a\\\\b"', '".home"', '".inbox/"', '"\\u202e"', '"__proto__"'],
  ...[
    '"e\\u0301"',
    '"\\u00e9"',
    '"True"',
    '"2023"',
    '"2023-02-30T99:00:00Z"',
    '"0000-00-00"',
    '"9999-12-31T23:59:59Z"',
  ],
  ...['"10000-01-01T00:00:00Z"', '"2023-01-20T06:58:27.691980+99:99"', '"-2023-01-01"', '"folder"', '"document"'],
  ...['"00000000-0000-0000-0000-000000000000"', '"not-an-id"', '"missing"', '"changed"', '"unreadable"', '"!"'],
  ...['"pbkdf2_sha256$-1$x$y"', '"argon2$argon2id$v=19$m=99999999,t=9999,p=99$AAAA$AAAA"', 'nul', '01', "'x'", ''],
]

const isId = (node: JsonNode): boolean => node.kind === 'raw' && /^"[0-9a-f]{8}-[0-9a-f-]{27}"$/i.test(node.raw)

function randomText(chance: Chance): JsonNode {
  const length = chance.pick([1, 2, 5, 40, 199, 201, 300, 4096, 4097, 20_000])
  const alphabet = chance.pick([
    'a',
    'é',
    '長',
    '😀',
    ' ',
    '/',
    '.',
    '\u0001',
    '\u0301',
    'aA/.\\:*?"<>| \n\t\u007f\u2028',
  ])
  const characters = [...alphabet]
  return raw(JSON.stringify(Array.from({ length }, () => chance.pick(characters)).join('')))
}

function deep(chance: Chance): JsonNode {
  const depth = chance.pick([3, 50, 62, 70, 5000])
  const [open, close] = chance.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const)
  return raw(open.repeat(depth) + (open === '[' ? '' : '1') + close.repeat(depth))
}

const randomNumber = (chance: Chance): JsonNode =>
  raw(`${chance.once(3) ? '-' : ''}${chance.below(10 ** chance.pick([1, 3, 9, 15]))}${chance.once(4) ? '.5' : ''}`)

type Change = (slot: Slot, all: readonly Slot[], chance: Chance) => void

/** The same with ids of its own, so that it is another thing that looks alike. */
function withNewIds(node: JsonNode, chance: Chance): JsonNode {
  const copy = copyOf(node)
  for (const { key, node: inner, replace } of slotsOf(copy)) {
    if (key === 'id' && isId(inner))
      replace(raw(`"${chance.bytes(16).toString('hex').replace(uuidParts, '$1-$2-$3-$4-$5')}"`))
  }
  return copy
}

const uuidParts = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/

const changes: readonly Change[] = [
  (slot, _all, chance) => slot.replace(raw(chance.pick(odd))),
  (slot, _all, chance) => slot.replace(raw(chance.pick(odd))),
  (slot, _all, chance) => slot.replace(randomText(chance)),
  (slot, _all, chance) => slot.replace(randomNumber(chance)),
  (slot, _all, chance) => slot.replace(deep(chance)),
  (slot) => slot.remove(),
  (slot) => slot.double(copyOf(slot.node)),
  // What stands somewhere else under the same key: a title, a parent, a number of another thing.
  (slot, all, chance) => slot.replace(copyOf(chance.pick(all.filter(({ key }) => key === slot.key)).node)),
  // What stands anywhere else.
  (slot, all, chance) => slot.replace(copyOf(chance.pick(all).node)),
  (slot, all, chance) => slot.double(copyOf(chance.pick(all).node)),
  // An id of another thing: ids that stand twice, parents that lead around.
  (_slot, all, chance) => chance.pick(all.filter(({ node }) => isId(node))).replace(copyOf(idOf(all, chance))),
  (_slot, all, chance) => chance.pick(all.filter(({ node }) => isId(node))).replace(copyOf(idOf(all, chance))),
  // Two change places.
  (slot, all, chance) => {
    const other = chance.pick(all.filter(({ key }) => key === slot.key))
    const mine = copyOf(slot.node)
    slot.replace(copyOf(other.node))
    other.replace(mine)
  },
  (slot, _all, chance) => {
    const { node } = slot
    if (node.kind === 'list') {
      if (chance.once(3)) node.items.length = 0
      else if (chance.once(2)) node.items.push(...node.items.map(copyOf))
      else node.items.reverse()
    } else if (node.kind === 'object') {
      if (chance.once(2)) node.entries.reverse()
      else node.entries.push({ key: chance.pick(['strongroom', 'id', 'x', '__proto__', 'nodes', '']), node: raw('{}') })
    } else if (node.raw.startsWith('"')) {
      const text = JSON.parse(node.raw) as string
      const edited = chance.pick([
        text.toUpperCase(),
        ` ${text} `,
        text.normalize('NFD'),
        text.slice(0, -1),
        `${text}/`,
        `/${text}`,
        text.slice(chance.below(text.length + 1)),
        `${text}\u0000`,
        [...text].toReversed().join(''),
      ])
      slot.replace(raw(JSON.stringify(edited)))
    }
  },
  // A twin beside what is there: titles, numbers and names that stand twice.
  (_slot, all, chance) => {
    const items = all.filter(({ node }) => node.kind === 'object' && slotsOf(node).some(({ key }) => key === 'id'))
    if (items.length === 0) return
    const { double, node } = chance.pick(items)
    double(withNewIds(node, chance))
  },
  // A list or object deep inside is changed more often by its own kind.
  (_slot, all, chance) => {
    const holders = all.filter(({ node }) => node.kind !== 'raw')
    const { node } = chance.pick(holders)
    if (node.kind === 'list' && node.items.length > 0) {
      const item = chance.pick(node.items)
      node.items.splice(chance.below(node.items.length), 0, copyOf(item))
    } else if (node.kind === 'object' && node.entries.length > 0) {
      node.entries.splice(chance.below(node.entries.length), 1)
    }
  },
]

const idOf = (all: readonly Slot[], chance: Chance): JsonNode => chance.pick(all.filter(({ node }) => isId(node))).node

/** The text of a JSON object with one thing or a few changed in its structure. */
export function mutateJson(text: string, chance: Chance): string {
  const tree = toTree(JSON.parse(text))
  const times = chance.pick([1, 1, 1, 1, 2, 3, 8])
  for (let time = 0; time < times; time += 1) {
    const slots = slotsOf(tree)
    if (slots.filter(({ node }) => isId(node)).length < 2) break
    // By the key first: what stands once in an archive is as likely to be hit as what stands in each page.
    const key = chance.pick([...new Set(slots.map((slot) => slot.key))])
    const hit = chance.once(2) ? slots : slots.filter((slot) => slot.key === key)
    chance.pick(changes)(chance.pick(hit), slots, chance)
  }
  // Now and then not even the top is an object.
  return chance.once(200) ? chance.pick(odd) : writeTree(tree)
}
