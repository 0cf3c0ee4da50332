import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { errorsDocument, errorsDocumentPath } from '../../scripts/write-errors-doc.ts'

test('docs/errors.md says of every error what the registry says; "npm run docs" writes it', async () => {
  expect(await readFile(errorsDocumentPath, 'utf8')).toBe(errorsDocument())
})
