import { gunzipSync, gzipSync } from 'node:zlib'
import { packPlain, packProved } from '../../support/archive-packer.ts'
import type { RawMember } from '../../support/archive-packer.ts'
import { createChance } from '../../support/chance.ts'
import type { Chance } from '../../support/chance.ts'
import type { BaseArchive } from './base-archives.ts'
import { mutateBytes, mutateHeader } from './byte-mutations.ts'
import { mutateJson } from './json-mutations.ts'
import { mutateMembers } from './member-mutations.ts'
import type { Hostile } from './member-mutations.ts'
import { mutateLines } from './proof-mutations.ts'

export interface Mutant {
  /** Which archive was changed, and at which level; for messages. */
  readonly what: string
  readonly bytes: Buffer
}

const tars = new WeakMap<BaseArchive, Buffer>()

function tarOf(base: BaseArchive): Buffer {
  const known = tars.get(base) ?? gunzipSync(base.bytes)
  tars.set(base, known)
  return known
}

/** Packs it again with proofs that hold for what it has become, or as a program would that knows of none. */
const pack = (members: readonly RawMember[], { ours }: BaseArchive, chance: Chance): Buffer =>
  ours && !chance.once(5) ? packProved(members) : packPlain(members)

type Level = (base: BaseArchive, chance: Chance, hostile: Hostile) => Buffer

function metadata(base: BaseArchive, chance: Chance): RawMember[] {
  return base.members.map((member) =>
    member.name === 'backup.json'
      ? { ...member, content: Buffer.from(mutateJson(member.content.toString(), chance)) }
      : member,
  )
}

const levels: Readonly<Record<string, readonly [weight: number, level: Level]>> = {
  'compressed bytes': [3, ({ bytes }, chance) => mutateBytes(bytes, chance)],
  'bytes of the tar': [2, (base, chance) => gzipSync(mutateBytes(tarOf(base), chance), { level: 1 })],
  'a plain tar': [1, (base, chance) => mutateBytes(tarOf(base), chance)],
  'a header': [2, (base, chance) => gzipSync(mutateHeader(tarOf(base), chance), { level: 1 })],
  members: [4, (base, chance, hostile) => pack(mutateMembers(base.members, chance, hostile), base, chance)],
  'backup.json': [9, (base, chance) => pack(metadata(base, chance), base, chance)],
  'backup.json and members': [
    2,
    (base, chance, hostile) => {
      const members = mutateMembers(metadata(base, chance), chance, hostile)
      return pack(members, base, chance)
    },
  ],
  proofs: [
    2,
    (base, chance) => {
      const name = chance.pick(['SHA256SUMS', 'strongroom/index'])
      const members = mutateLines(base.members, name, chance)
      return chance.once(3) ? packPlain(members) : packProved(members, { keepSums: true })
    },
  ],
  'damage.json': [
    1,
    (base, chance) => {
      const members = base.members.map((member) =>
        member.name === 'strongroom/damage.json'
          ? { ...member, content: Buffer.from(mutateDamage(member.content.toString(), chance)) }
          : member,
      )
      return packProved(members)
    },
  ],
}

/** damage.json names no ids but in its paths; with two added, the same changes apply to it. */
function mutateDamage(text: string, chance: Chance): string {
  const ids = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']
  return mutateJson(JSON.stringify({ ...(JSON.parse(text) as object), ids }), chance)
}

const names = Object.entries(levels).flatMap(([name, [weight]]) => Array.from({ length: weight }, () => name))

/** The archive that this seed makes of the given ones: the same one each time. */
export function mutate(bases: readonly BaseArchive[], seed: number, hostile: Hostile): Mutant {
  const chance = createChance(seed)
  // Small ones are quick, so most are made of them.
  const small = bases.filter(({ bytes }) => bytes.length < 20_000)
  const base = chance.pick(chance.once(40) ? bases : small)
  const name = chance.pick(names)
  const own = name === 'proofs' || name === 'damage.json'
  const taken = own && !base.ours ? small.find(({ ours }) => ours)! : base
  const chosen = name === 'damage.json' ? (bases.find(holdsDamage) ?? taken) : taken
  return { what: `${chosen.name}: ${name}`, bytes: levels[name]![1](chosen, chance, hostile) }
}

const holdsDamage = ({ members }: BaseArchive): boolean =>
  members.some((member) => member.name === 'strongroom/damage.json')
