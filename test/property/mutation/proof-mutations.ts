import type { RawMember } from '../../support/archive-packer.ts'
import type { Chance } from '../../support/chance.ts'
import { mutateBytes } from './byte-mutations.ts'

type Change = (lines: string[], chance: Chance) => void

const changes: readonly Change[] = [
  (lines, chance) => void lines.splice(chance.below(lines.length), 1),
  (lines, chance) => void lines.splice(chance.below(lines.length), 0, chance.pick(lines)),
  (lines) => void lines.splice(0, lines.length, ...lines.toReversed()),
  (lines, chance) => {
    const at = chance.below(lines.length)
    lines[at] = lines[at]!.replace(/[0-9a-f]/, chance.pick([...'0f9aXg']))
  },
  (lines, chance) => {
    const at = chance.below(lines.length)
    lines[at] = chance.pick([
      lines[at]!.toUpperCase(),
      `\\${lines[at]}`,
      `${lines[at]}\r`,
      lines[at]!.replace('  ', ' *'),
      lines[at]!.replace('  ', ' '),
      lines[at]!.slice(0, chance.below(lines[at]!.length + 1)),
      '',
      'x'.repeat(2_000_000),
      `${lines[at]}/../x`,
    ])
  },
  (lines) => void lines.splice(0),
]

/** Changes the lines of a member that proves others. */
export function mutateLines(members: readonly RawMember[], name: string, chance: Chance): RawMember[] {
  return members.map((member) => {
    if (member.name !== name || member.content.length === 0) return member
    if (chance.once(4)) return { ...member, content: mutateBytes(member.content, chance) }
    const lines = member.content.toString().split('\n')
    chance.pick(changes)(lines, chance)
    return { ...member, content: Buffer.from(lines.join('\n')) }
  })
}
