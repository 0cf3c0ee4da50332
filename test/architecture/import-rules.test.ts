import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const project = join(import.meta.dirname, '..', '..')

/** A file that is planted, what it imports, and the rule that must refuse it. */
const forbidden: readonly (readonly [from: string, imports: string, rule: string])[] = [
  ['src/std/a.ts', '../domain/planted.ts', 'std-may-import-only'],
  ['src/domain/a.ts', '../std/planted.ts', 'domain-may-import-only'],
  ['src/domain/b.ts', 'node:fs', 'domain-needs-no-package'],
  ['src/domain/c.ts', 'zod', 'domain-needs-no-package'],
  ['src/archive/a.ts', '../database/planted.ts', 'archive-may-import-only'],
  ['src/archive/b.ts', '../domain/planted.ts', 'archive-may-import-only'],
  ['src/contract/a.ts', '../database/planted.ts', 'contract-may-import-only'],
  ['src/contract/b.ts', 'node:fs', 'contract-needs-no-package'],
  ['src/contract/c.ts', '../std/planted.ts', 'contract-may-import-only'],
  ['src/database/a.ts', '../media/planted.ts', 'database-may-import-only'],
  ['src/database/b.ts', '../services/planted.ts', 'database-may-import-only'],
  ['src/database/migrations/a.ts', '../queries/planted.ts', 'migrations-know-the-query-builder-only'],
  ['src/media/a.ts', '../database/planted.ts', 'media-may-import-only'],
  ['src/reading/a.ts', '../domain/planted.ts', 'reading-may-import-only'],
  ['src/services/a.ts', '../archive/planted.ts', 'services-may-import-only'],
  ['src/services/b.ts', '../reading/planted.ts', 'services-may-import-only'],
  ['src/services/c.ts', '../operations/planted.ts', 'services-may-import-only'],
  ['src/operations/a.ts', '../cli/planted.ts', 'operations-may-import-only'],
  ['src/cli/a.ts', '../database/planted.ts', 'cli-may-import-only'],
  ['src/cli/b.ts', '../media/planted.ts', 'cli-may-import-only'],
  ['src/cli/c.ts', '../app.ts', 'cli-knows-app-as-a-type-only'],
  ['src/cli/d.ts', '../archive/planted.ts', 'cli-may-import-only'],
  ['src/cli/e.ts', 'pg', 'pg-has-one-room'],
  ['src/app.ts', './cli/planted.ts', 'app-is-no-door'],
  ['src/config.ts', './domain/planted.ts', 'config-may-import-only'],
  ['src/errors.ts', './std/planted.ts', 'errors-imports-its-codes-only'],
  ['src/error-codes/a.ts', '../std/planted.ts', 'errors-imports-its-codes-only'],
  ['src/std/b.ts', '../error-codes/planted.ts', 'std-may-import-only'],
  ['src/main.ts', './database/planted.ts', 'main-may-import-only'],
  ['src/services/d.ts', '../../test/planted.ts', 'nobody-imports-tests-scripts-bench'],
  ['src/services/e.ts', 'fast-check', 'program-runs-without-dev-packages'],
  ['src/operations/b.ts', './b-twin.ts', 'no-cycles'],
]

const allowed: readonly (readonly [from: string, imports: string])[] = [
  ['src/operations/c.ts', '../database/planted.ts'],
  ['src/operations/d.ts', '../archive/planted.ts'],
  ['src/services/f.ts', '../database/planted.ts'],
  ['src/cli/f.ts', '../contract/planted.ts'],
  ['src/archive/c.ts', '../std/planted.ts'],
  ['src/archive/d.ts', 'node:zlib'],
  ['src/archive/e.ts', 'zod'],
  ['src/contract/d.ts', '../domain/planted.ts'],
  ['src/database/c.test.ts', '../media/planted.ts'],
]

interface Dependency {
  readonly module: string
  readonly rules?: readonly { readonly name: string }[]
}

let folder: string
let refused: ReadonlyMap<string, readonly string[]>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-rules-'))
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) {
    await cp(join(project, name), join(folder, name))
  }
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'))
  await plant('src/operations/b-twin.ts', './b.ts')
  const rooms =
    'archive cli contract database database/queries domain error-codes media operations reading services std'
  for (const room of rooms.split(' ')) await plant(`src/${room}/planted.ts`)
  await plant('test/planted.ts')
  for (const [from, imports] of [...forbidden, ...allowed]) await plant(from, imports)
  refused = await cruise()
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function plant(path: string, imports?: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  const text = imports === undefined ? '' : `import * as other from '${imports}'\nexport const planted = other\n`
  await writeFile(join(folder, path), `${text}export const here = 1\n`)
}

/** Which rules each planted file broke. */
async function cruise(): Promise<ReadonlyMap<string, readonly string[]>> {
  const program = join(project, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs')
  const args = [program, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src']
  const options = { cwd: folder, maxBuffer: 64 * 1024 * 1024 }
  const { stdout } = await promisify(execFile)(process.execPath, args, options).catch(
    // It exits with the number of errors that it found.
    (error: { stdout: string }) => error,
  )
  const { modules } = JSON.parse(stdout) as {
    modules: readonly { source: string; dependencies: readonly Dependency[] }[]
  }
  return new Map(
    modules.map(({ source, dependencies }) => [
      source,
      dependencies.flatMap(({ rules = [] }) => rules.map((rule) => rule.name)),
    ]),
  )
}

describe('the import rules refuse', () => {
  test.each(forbidden)('%s importing %s', (from, _imports, rule) => {
    expect(refused.get(from)).toContain(rule)
  })
})

describe('the import rules allow', () => {
  test.each(allowed)('%s importing %s', (from) => {
    expect(refused.get(from)).toEqual([])
  })
})
