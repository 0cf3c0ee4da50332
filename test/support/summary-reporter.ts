import type { SerializedError } from 'vitest'
import type { Reporter, TestModule } from 'vitest/node'

/**
 * Ends a run with the line `N passed, N failed, N skipped`, after all that others print. A file that cannot be loaded and
 * an error outside any test count as failed. With STRONGROOM_NO_SKIPS=1 a skipped test makes the run fail.
 */
export function summaryReporter(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const { passed, failed, skipped } = count(modules, unhandledErrors)
      process.once('exit', () => {
        if (skipped > 0 && process.env['STRONGROOM_NO_SKIPS'] === '1') process.exitCode ||= 1
        process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
      })
    },
  }
}

function count(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]) {
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
  for (const module of modules) {
    counts.failed += module.errors().length
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      counts[state === 'pending' ? 'skipped' : state] += 1
    }
  }
  return counts
}
