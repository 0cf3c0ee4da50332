import type { RawMember } from '../../support/archive-packer.ts'
import { rawFile } from '../../support/archive-packer.ts'
import type { Chance } from '../../support/chance.ts'
import { headerFields, mutateBytes, oddField } from './byte-mutations.ts'

export interface Hostile {
  /** An absolute path where nothing may be written. */
  readonly outside: string
}

const folder = (name: string): RawMember => ({ name, flag: '5', linkName: '', content: Buffer.alloc(0) })
const link = (name: string, linkName: string, flag = '2'): RawMember => ({
  name,
  flag,
  linkName,
  content: Buffer.alloc(0),
})

/** Names that lead somewhere else, or are another member's. */
function oddName(name: string, { outside }: Hostile, all: readonly RawMember[], chance: Chance): string {
  const parts = name.split('/')
  return chance.pick([
    `${outside}/written`,
    `../../../written`,
    `docs/../../written`,
    `docs/${outside}/written`,
    `./${name}`,
    `.//${name}`,
    `//${name}`,
    `/${name}`,
    name.replaceAll('/', '//'),
    name.toUpperCase(),
    name.normalize('NFD'),
    `${name}/`,
    `${name}/.`,
    `${name}/../${parts.at(-1)}`,
    name.slice(1),
    name.slice(0, -1),
    `${name} `,
    `${name}\n`,
    `${name}\\`,
    `x/${name}`,
    parts.slice(1).join('/') || 'x',
    parts.toReversed().join('/'),
    chance.pick(all).name,
    'backup.json',
    'SHA256SUMS',
    'strongroom/damage.json',
    'strongroom/index',
    'strongroom',
    'docs',
    'README.txt',
    '',
    '.',
    '..',
    `${name}${'x'.repeat(chance.pick([1, 100, 255, 300, 5000]))}`,
  ])
}

type Change = (members: RawMember[], at: number, chance: Chance, hostile: Hostile) => void

const changes: readonly Change[] = [
  (members, at) => void members.splice(at, 1),
  (members, at) => void members.splice(at, 0, members[at]!),
  (members, at, chance) => void members.splice(chance.below(members.length), 0, members[at]!),
  (members, at, chance) => {
    const { content } = members[at]!
    const other = content.length === 0 ? chance.bytes(3) : mutateBytes(content, chance)
    members.splice(chance.below(members.length), 0, { ...members[at]!, content: other })
  },
  (members, at, chance) => {
    const [member] = members.splice(at, 1)
    members.splice(chance.below(members.length + 1), 0, member!)
  },
  (members, _at, chance) => {
    for (let index = members.length - 1; index > 0; index -= 1) {
      const other = chance.below(index + 1)
      const held = members[index]!
      members[index] = members[other]!
      members[other] = held
    }
  },
  (members, at, chance, hostile) => {
    members[at] = { ...members[at]!, name: oddName(members[at]!.name, hostile, members, chance) }
  },
  (members, at, chance, hostile) => {
    members[at] = { ...members[at]!, name: oddName(members[at]!.name, hostile, members, chance) }
  },
  (members, at, chance) => {
    const flag = chance.pick([...'01234567xgLKDMNSVAZ\0'])
    members[at] = { ...members[at]!, flag, linkName: chance.pick(members).name }
  },
  (members, at, chance) => {
    const { content } = members[at]!
    const announced = chance.pick([0, 1, content.length + 1, content.length + 512, 2 ** 32, 8 ** 11 - 1, 'x', '-1'])
    members[at] = { ...members[at]!, announced }
  },
  (members, at, chance) => {
    const { content } = members[at]!
    members[at] = { ...members[at]!, content: content.length === 0 ? chance.bytes(5) : mutateBytes(content, chance) }
  },
  (members, at, chance) => {
    const other = chance.below(members.length)
    const mine = members[at]!.content
    members[at] = { ...members[at]!, content: members[other]!.content }
    members[other] = { ...members[other]!, content: mine }
  },
  (members, at, chance) => {
    const field = chance.pick(Object.keys(headerFields) as (keyof typeof headerFields)[])
    const patch = { at: headerFields[field][0], bytes: oddField(field, chance), fixChecksum: !chance.once(4) }
    members[at] = { ...members[at]!, patch }
  },
  // A link first, and then a file through it.
  (members, at, chance, { outside }) => {
    const parts = members[at]!.name.split('/')
    const stem = parts.slice(0, chance.below(parts.length) + 1).join('/')
    const flag = chance.pick(['1', '2'])
    members.splice(chance.below(at + 1), 0, link(stem, chance.pick([outside, '../../..', '/', stem]), flag))
  },
  (members, at, chance, { outside }) => {
    const added = chance.pick([
      folder('docs/'),
      folder(`${members[at]!.name}/`),
      folder('../'),
      folder(outside),
      link('somebody/.home/x', outside),
      link('docs/x', members[at]!.name, '1'),
      { ...link('device', ''), flag: '3' },
      { ...link('pipe', ''), flag: '6' },
      rawFile('stranger', 'x'),
      rawFile('docs/stranger', 'x'),
      rawFile('strongroom/stranger', 'x'),
      rawFile('strongroom/damage.json', '{"format":1,"damaged":[]}'),
      rawFile(`${outside}/written`, 'x'),
      rawFile('backup.json', '{"users":[]}'),
      { ...rawFile('././@PaxHeader', '11 size=1\n'), flag: 'x' },
      { ...rawFile('././@PaxHeader', '30 path=../../../../../written\n'), flag: 'x' },
      { ...rawFile('././@PaxHeader', '99999 path=x\n'), flag: 'x' },
      { ...rawFile('././@PaxHeader', '12 path=x\0y\n'), flag: chance.pick(['x', 'g']) },
      { ...rawFile('././@LongLink', `${outside}/written\0`), flag: 'L' },
    ])
    members.splice(chance.below(members.length + 1), 0, added)
  },
]

/** The members with one of them or a few changed, doubled, moved, taken out or joined by a stranger. */
export function mutateMembers(members: readonly RawMember[], chance: Chance, hostile: Hostile): RawMember[] {
  const copy = [...members]
  const times = chance.pick([1, 1, 1, 2, 4])
  for (let time = 0; time < times && copy.length > 1; time += 1) {
    chance.pick(changes)(copy, chance.below(copy.length), chance, hostile)
  }
  return copy
}
