import { fixChecksum } from '../../support/archive-packer.ts'
import type { Chance } from '../../support/chance.ts'

type Change = (bytes: Buffer, chance: Chance) => Buffer

const range = (bytes: Buffer, chance: Chance): readonly [start: number, end: number] => {
  const start = chance.below(bytes.length + 1)
  const length = chance.pick([1, 1, 4, 64, 512, 513, 10_240, bytes.length])
  return [start, Math.min(bytes.length, start + chance.below(length) + 1)]
}

const changes: readonly Change[] = [
  (bytes, chance) => {
    const copy = Buffer.from(bytes)
    const times = chance.pick([1, 1, 1, 2, 16])
    for (let time = 0; time < times; time += 1) {
      const at = chance.below(copy.length)
      copy[at] = copy[at]! ^ (1 << chance.below(8))
    }
    return copy
  },
  (bytes, chance) => {
    const copy = Buffer.from(bytes)
    const [start, end] = range(bytes, chance)
    copy.fill(chance.pick([0, 255, chance.below(256)]), start, end)
    return copy
  },
  (bytes, chance) => {
    const copy = Buffer.from(bytes)
    const [start, end] = range(bytes, chance)
    chance.bytes(Math.min(64, end - start)).copy(copy, start)
    return copy
  },
  // Cut off, at the front or at the end.
  (bytes, chance) => bytes.subarray(0, chance.below(bytes.length)),
  (bytes, chance) => bytes.subarray(0, Math.max(0, bytes.length - chance.below(2000))),
  (bytes, chance) => bytes.subarray(chance.below(bytes.length)),
  // A hole, something put in, something twice, something at another place.
  (bytes, chance) => {
    const [start, end] = range(bytes, chance)
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)])
  },
  (bytes, chance) => {
    const [start] = range(bytes, chance)
    const more = chance.once(2) ? chance.bytes(chance.below(40) + 1) : Buffer.alloc(chance.pick([1, 512, 1024, 10_240]))
    return Buffer.concat([bytes.subarray(0, start), more, bytes.subarray(start)])
  },
  (bytes, chance) => {
    const [start, end] = range(bytes, chance)
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)])
  },
  (bytes, chance) => {
    const [start, end] = range(bytes, chance)
    const rest = Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)])
    const at = chance.below(rest.length + 1)
    return Buffer.concat([rest.subarray(0, at), bytes.subarray(start, end), rest.subarray(at)])
  },
  // Something after the end.
  (bytes, chance) => Buffer.concat([bytes, chance.bytes(chance.below(100) + 1)]),
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes, chance) => Buffer.concat([bytes, bytes.subarray(chance.below(bytes.length))]),
]

/** The bytes with something changed that knows nothing of their meaning. */
export const mutateBytes: Change = (bytes, chance) => chance.pick(changes)(bytes, chance)

/** Fields of a ustar header: where they begin, and how many bytes they have. */
export const headerFields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  prefix: [345, 155],
} as const

const sizes = ['', '00000000000', '77777777777', '-0000000001', '00000000008', '1', '        ', '0x10', '00000001000']

/** Other bytes for a field of a header. */
export function oddField(field: keyof typeof headerFields, chance: Chance): Buffer {
  const [, length] = headerFields[field]
  if (field === 'type') return Buffer.from(chance.pick([...'01234567xgLKDMNSVAZ\0\u00ff']), 'latin1')
  if (field === 'size' && chance.once(2)) {
    const base256 = Buffer.alloc(12)
    base256[0] = chance.pick([0x80, 0xff, 0xc0])
    chance.bytes(chance.below(8) + 1).copy(base256, 4)
    return base256
  }
  if (field === 'size') return Buffer.from(chance.pick(sizes).padEnd(12, '\0'), 'latin1')
  const bytes = chance.once(3) ? Buffer.alloc(length, chance.below(256)) : chance.bytes(length)
  return bytes.subarray(0, chance.once(2) ? length : chance.below(length) + 1)
}

/** A tar with a field of one of its blocks changed as if it were a header, its checksum made right or not. */
export function mutateHeader(tar: Buffer, chance: Chance): Buffer {
  const copy = Buffer.from(tar)
  const headers = Array.from({ length: Math.floor(tar.length / 512) }, (_, block) => block * 512).filter(
    (start) => copy.toString('latin1', start + 257, start + 262) === 'ustar',
  )
  if (headers.length === 0) return copy
  const start = chance.pick(headers)
  const field = chance.pick(Object.keys(headerFields) as (keyof typeof headerFields)[])
  oddField(field, chance).copy(copy, start + headerFields[field][0])
  if (!chance.once(4)) fixChecksum(copy.subarray(start, start + 512))
  return copy
}
