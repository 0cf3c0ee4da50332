import { readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'

const path = join(import.meta.dirname, 'figures.md')
let printed: string[] = []

/** Prints a line, which may also go to figures.md. */
export function say(line = ''): void {
  console.log(line)
  printed.push(line)
}

/** Prints what is not to be kept: how far the run is. */
export const saySoFar = (line: string): void => console.error(line)

/** Prints rows under their heads; numbers stand to the right. */
export function sayTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)))
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, column) =>
      /^-?[\d.]+( |$)/.test(cell) || (row === head && column > 0)
        ? cell.padStart(widths[column]!)
        : cell.padEnd(widths[column]!),
    )
    say(cells.join('  ').trimEnd())
  }
}

export const load = (): string =>
  loadavg()
    .map((each) => each.toFixed(1))
    .join(' ')

/** Begins a part: what is printed from here on belongs to it. */
export function beginPart(name: string): void {
  printed = []
  const [first] = cpus()
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GB`
  const machine = `${cpus().length} cores (${first?.model.trim()}), ${memory}, Node ${process.versions.node}`
  say(`${name}: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${machine}; load ${load()}`)
}

/** Ends a part; with `write`, what it printed takes the place of what figures.md has of it. */
export async function endPart(name: string, write: boolean): Promise<void> {
  say(`load at the end ${load()}`)
  if (!write) return
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->\n`]
  const text = await readFile(path, 'utf8')
  const [before, rest] = text.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error(`${path} has no place for ${name}`)
  await writeFile(path, `${before}${begin}\n\`\`\`\n${printed.join('\n')}\n\`\`\`\n\n${end}${after}`)
}
