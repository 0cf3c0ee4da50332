/**
 * JSON as a tree that can say what JSON.stringify cannot: a key that stands twice, a number of any form, half of a
 * surrogate pair.
 */
export type JsonNode =
  /** A text, number or word as it is written. */
  | { readonly kind: 'raw'; raw: string }
  | { readonly kind: 'list'; readonly items: JsonNode[] }
  | { readonly kind: 'object'; readonly entries: { key: string; node: JsonNode }[] }

export function toTree(value: unknown): JsonNode {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(toTree) }
  if (typeof value !== 'object' || value === null) return { kind: 'raw', raw: JSON.stringify(value) ?? 'null' }
  return { kind: 'object', entries: Object.entries(value).map(([key, inner]) => ({ key, node: toTree(inner) })) }
}

export function writeTree(node: JsonNode): string {
  if (node.kind === 'raw') return node.raw
  if (node.kind === 'list') return `[${node.items.map(writeTree).join(',')}]`
  return `{${node.entries.map(({ key, node: inner }) => `${JSON.stringify(key)}:${writeTree(inner)}`).join(',')}}`
}

/** A place where a node stands, which can be given another one. */
export interface Slot {
  readonly key: string
  readonly node: JsonNode
  replace(node: JsonNode): void
  /** Takes it out of what holds it. */
  remove(): void
  /** Puts another one beside it, in an object under the same key. */
  double(node: JsonNode): void
}

/** Every place in the tree but the top. */
export function slotsOf(node: JsonNode, found: Slot[] = []): Slot[] {
  if (node.kind === 'list') {
    for (const [index, item] of node.items.entries()) {
      found.push({
        key: String(index),
        node: item,
        replace: (other) => void node.items.splice(index, 1, other),
        remove: () => void node.items.splice(index, 1),
        double: (other) => void node.items.splice(index, 0, other),
      })
      slotsOf(item, found)
    }
  } else if (node.kind === 'object') {
    for (const [index, entry] of node.entries.entries()) {
      found.push({
        key: entry.key,
        node: entry.node,
        replace: (other) => void (entry.node = other),
        remove: () => void node.entries.splice(index, 1),
        double: (other) => void node.entries.splice(index, 0, { key: entry.key, node: other }),
      })
      slotsOf(entry.node, found)
    }
  }
  return found
}

export const copyOf = (node: JsonNode): JsonNode => structuredClone(node)
