import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { ExtractReport } from '../../src/contract/extract-report.ts'
import { sha256OfFile } from './command-instances.ts'
import { runCommand } from './command-line.ts'

/** The hashes of all files below a folder, in order; each name must be one that every file system takes. */
export async function hashesBelow(folder: string): Promise<string[]> {
  const hashes: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const { name } = entry
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
    expect(name).not.toMatch(/[\\/:*?"<>|\p{Cc}]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu)
    expect(name).toBe(name.normalize('NFC'))
    if (!entry.isDirectory()) hashes.push(await sha256OfFile(join(entry.parentPath, name)))
  }
  return hashes.toSorted()
}

/** Runs `extract`, which must end with that exit code. */
export async function extract(exitCode: number, ...args: readonly string[]): Promise<ExtractReport> {
  const result = await runCommand(['--json', 'extract', ...args])
  expect(result.exitCode, result.stdout + result.stderr).toBe(exitCode)
  return JSON.parse(result.stdout) as ExtractReport
}
