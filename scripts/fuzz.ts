/**
 * Tries changed archives for as long as one likes, each made from a seed of its own; the first seed is printed, and so is
 * that of every failure.
 *
 *   npm run fuzz [-- --minutes 10 --seed N --mutants 1]
 *
 * With the seed of a failure and --mutants 1, just that archive is tried again.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, mutants: { type: 'string' } },
})
const minutes = values.minutes ?? (values.mutants === undefined ? '10' : '0')
const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
const child = spawn(process.execPath, [vitest, 'run', 'test/property/mutation.test.ts'], {
  cwd: join(import.meta.dirname, '..'),
  stdio: 'inherit',
  env: {
    ...process.env,
    STRONGROOM_FUZZ_MINUTES: minutes,
    STRONGROOM_FUZZ_SEED: values.seed ?? String(Math.floor(Math.random() * 1e9)),
    ...(values.mutants === undefined ? {} : { STRONGROOM_FUZZ_MUTANTS: values.mutants }),
  },
})
const [code] = (await once(child, 'exit')) as [number | null]
process.exitCode = code ?? 1
