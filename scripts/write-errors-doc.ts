/** Writes docs/errors.md from the registry in src/error-codes/. Run it after a change there: npm run docs. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exitCodeOf } from '../src/cli/exit-codes.ts'
import { errorRegistry, StrongroomError } from '../src/errors.ts'
import type { ErrorCode } from '../src/errors.ts'

const heading = `# Errors

Every error that Strongroom gives on purpose has a code, which stays the same from version to version: programs may rely
on it, and on the exit code. The message says what happened and to what, the hint what to do; \`{name}\` in them stands for
a detail of that name. With \`--json\` an error is one line on standard output:

\`\`\`json
{"error": {"code": "file.exists", "message": "…", "hint": "…", "details": {"path": "…"}}}
\`\`\`

An error that ends a command leaves the instance as it was. A signal ends a command with 128 and its number: 130 for
SIGINT, 141 for SIGPIPE, 143 for SIGTERM.

This file is made from \`src/error-codes/\` by \`npm run docs\`, and a test holds the two together.
`

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

/** The whole document. */
export function errorsDocument(): string {
  const groups = Map.groupBy(Object.entries(errorRegistry), ([code]) => code.slice(0, code.indexOf('.')))
  const sections = [...groups].map(([name, entries]) => {
    const rows = entries.map(([code, { kind, message, hint }]) => {
      const exit = kind === 'interrupted' ? '130, 141, 143' : String(exitCodeOf(new StrongroomError(code as ErrorCode)))
      return `| \`${code}\` | ${exit} | ${cell(message)} | ${cell(hint)} |\n`
    })
    return `\n## ${name}\n\n| code | exit code | message | what to do |\n| --- | --- | --- | --- |\n${rows.join('')}`
  })
  return heading + sections.join('')
}

export const errorsDocumentPath = join(import.meta.dirname, '..', 'docs', 'errors.md')

if (import.meta.main) await writeFile(errorsDocumentPath, errorsDocument())
