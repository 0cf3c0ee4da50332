import { InvalidArgumentError, type Command } from 'commander'
import type { AuditLine } from '../../contract/audit.ts'
import { display } from '../../std/text.ts'
import { columns, right } from '../columns.ts'
import type { Session } from '../session.ts'
import { done } from './done.ts'
import { example } from './example.ts'

interface AuditOptions {
  readonly user?: string
  readonly last: number
}

type Lines = AsyncIterable<readonly AuditLine[]>

export function addAudit(program: Command, session: Session): void {
  program
    .command('audit')
    .summary('what happened to the instance')
    .description(
      'Shows what happened to the instance, the oldest first: who was added, what came in, moved or went, and every restore. No backup holds it, and no restore changes it.',
    )
    .option('--user <name>', 'only what is about this user, or about the whole instance')
    .option('--last <count>', 'so many lines, the latest; 0 for all', wholeNumber, 50)
    .addHelpText('after', example('strongroom audit --user ada', 'strongroom audit --last 0 --json > audit.json'))
    .action(async ({ user: username, last }: AuditOptions) => {
      await session.withInstance('read', 'audit', async ({ audit }) => {
        const lines = audit({ username, last })
        if (session.json) await writeJson(session, lines, { username: username ?? null, last })
        else await writeTable(session, lines)
      })
    })
}

function wholeNumber(typed: string): number {
  if (!/^\d{1,9}$/.test(typed)) throw new InvalidArgumentError('It is a whole number.')
  return Number(typed)
}

/** The report, as `JSON.stringify` would write it, in pieces. */
async function writeJson(
  session: Session,
  pages: Lines,
  facts: { readonly username: string | null; readonly last: number },
): Promise<void> {
  const { operation, username, last, ...notices } = done('audit', facts)
  await session.write(`${JSON.stringify({ operation, username, last }).slice(0, -1)},"lines":[`)
  let before = '\n'
  for await (const lines of pages) {
    await session.write(before + lines.map((line) => JSON.stringify(line)).join(',\n'))
    before = ',\n'
  }
  await session.write(`],${JSON.stringify(notices).slice(1)}\n`)
}

/** Columns are as wide as a page of lines needs, since all of them may not fit into memory. */
async function writeTable(session: Session, pages: Lines): Promise<void> {
  let heading = [[right('No.'), 'When', 'What', 'User', 'About', 'Details']]
  for await (const lines of pages) {
    const rows = lines.map(({ number, at, action, username, about, details }) => [
      right(String(number)),
      at,
      display(action),
      display(username ?? ''),
      display(about),
      display(detailsText(details)),
    ])
    for (const line of columns([...heading, ...rows])) await session.write(`${line}\n`)
    heading = []
  }
  if (heading.length > 0) await session.write('Nothing has been noted.\n')
}

// Of use to programs, which read --json.
const onlyForPrograms: ReadonlySet<string> = new Set(['id', 'sha256', 'plan'])

/** `size 12, on conflict skip`; what is null, false or empty is left out. */
function detailsText(details: AuditLine['details']): string {
  return Object.entries(details)
    .flatMap(([name, value]) => {
      if (onlyForPrograms.has(name) || value === null || value === false || value === '') return []
      const words = name.replaceAll(/[A-Z_]/g, (each) => ` ${each === '_' ? '' : each.toLowerCase()}`)
      if (value === true) return [words]
      if (typeof value === 'string' || typeof value === 'number') return [`${words} ${value}`]
      const inner = Array.isArray(value) ? value.map(String).join(', ') : detailsText({ ...value })
      return inner === '' ? [] : [`${words} (${inner})`]
    })
    .join(', ')
}
