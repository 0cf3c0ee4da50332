import { defaultExclude, defineConfig } from 'vitest/config'
import { summaryReporter } from './test/support/summary-reporter.ts'

/** Suites that strike, mutate and kill for minutes: "npm run faults", "npm run fuzz" and "npm run test:hard" run them. */
const hard = [
  'test/faults/**',
  'test/property/mutation.test.ts',
  'test/property/extremes.test.ts',
  'test/property/import-law.test.ts',
  'test/suites/living.test.ts',
  'test/suites/two-processes.test.ts',
]

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [...defaultExclude, ...(process.env['STRONGROOM_HARD'] === '1' ? [] : hard)],
    setupFiles: ['test/support/seed.ts'],
    globalSetup: ['test/support/postgres-server.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', summaryReporter()],
  },
})
