/**
 * Strikes every point of every operation with every fault, cuts the power after every step, and prints how many there were.
 * docs/decisions/0020-fault-points.md says what a point is. It takes hours; one operation, some minutes.
 *
 *   npm run faults [-- --operation restore] [--database sqlite|postgres] [--seed 1]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { operation: { type: 'string' }, database: { type: 'string' }, seed: { type: 'string' } },
})
// The others are about SQLite and about files, which are the same on both.
const suites = values.database === 'postgres' ? ['failures.test.ts', 'kills.test.ts'] : ['']
const root = resolve(import.meta.dirname, '..')
const folder = await mkdtemp(join(tmpdir(), 'strongroom-faults-'))
try {
  const table = join(folder, 'table')
  await writeFile(table, '')
  const tests = spawn(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...suites.map((name) => `test/faults/${name}`)],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        STRONGROOM_FAULTS: 'all',
        STRONGROOM_FAULTS_TABLE: table,
        ...(values.operation === undefined ? {} : { STRONGROOM_FAULTS_OPERATION: values.operation }),
        ...(values.database === undefined ? {} : { STRONGROOM_FAULTS_DATABASE: values.database }),
        ...(values.seed === undefined ? {} : { STRONGROOM_FAULTS_SEED: values.seed }),
      },
    },
  )
  const [code] = (await once(tests, 'close')) as [number | null]
  print(await readFile(table, 'utf8'))
  process.exitCode = code ?? 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** A line for each database, operation, call and fault, with the number of its points that were hit. */
function print(lines: string): void {
  const rows = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as (string | number)[]).map(String))
    .toSorted((a, b) => (a.join('\0') < b.join('\0') ? -1 : 1))
  const head = ['database', 'operation', 'call', 'fault', 'points']
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]!.length)))
  for (const row of [head, ...rows])
    console.log(row.map((cell, column) => (column === 4 ? cell.padStart(6) : cell.padEnd(widths[column]!))).join('  '))
  console.log(`${rows.reduce((sum, row) => sum + Number(row[4]), 0)} points`)
}
