import { createHash, randomUUID } from 'node:crypto'

/** Where new identities come from; tests pass a counting one. Each call gives a lower-case UUID. */
export interface Ids {
  next(): string
}

export const randomIds: Ids = { next: () => randomUUID() }

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True for a UUID in lower case with dashes, the only form that Strongroom keeps. */
export const isUuid = (text: string): boolean => uuidPattern.test(text)

/** A name-based UUID, version 5 of RFC 9562: the same namespace and name always give the same id. */
export function uuidv5(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest()
  hash[6] = (hash[6]! & 0x0f) | 0x50
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 16)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
