import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { mkdtemp, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needs } from './needs.ts'

const mountAt = (path: string, bytes: number): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'strongroom-test', path]).status === 0

const unmount = (path: string): boolean => spawnSync('umount', ['--lazy', path]).status === 0

function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'strongroom-disk-'))
  try {
    return mountAt(path, 4096) && unmount(path)
  } finally {
    rmdirSync(path)
  }
}

/** True where this process may mount file systems; a line says what is skipped where not. */
export const hasSmallDisks = (skipped: string): boolean => needs('the right to mount a tmpfs', canMount(), skipped)

/** A file system in memory of so many bytes, mounted at a folder of its own. */
export async function smallDisk(bytes: number): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'strongroom-disk-'))
  if (!mountAt(path, bytes)) throw new Error(`No tmpfs could be mounted at ${path}`)
  return {
    path,
    async [Symbol.asyncDispose]() {
      unmount(path)
      await rmdir(path)
    },
  }
}
