import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { systemCode } from '../../src/std/files.ts'
import { needs } from '../support/needs.ts'
import { hasSmallDisks, smallDisk } from '../support/small-disk.ts'
import { operations } from './operations.ts'
import { assertSound, expectedExits, prepareTrial, tally, wanted } from './tries.ts'

const hits = tally('Full disks and files that may not be changed')
afterAll(() => hits.print())

const diskBytes = 8 << 20
/** What is left of the disk, in KiB. */
const left = [0, 16, 64, 160, 320, 640]

const pairs = wanted(operations).filter(({ kind }) => kind === 'sqlite')

describe.skipIf(!hasSmallDisks('what happens on a full disk')).each(pairs)('$operation.name', ({ operation, kind }) => {
  test('on a disk that is nearly full leaves the instance as before or as after', { timeout: 600_000 }, async () => {
    await using trial = await prepareTrial(operation, kind)
    for (const kilobytes of left) {
      await using disk = await smallDisk(diskBytes)
      await using stage = await trial.stage(disk.path)
      await fillUp(join(disk.path, 'filler'), kilobytes * 1024)
      const result = await stage.run(['--json', ...operation.args(stage)])
      expect(expectedExits, `${kilobytes} KiB: ${result.stdout}`).toContain(result.exitCode)
      if (result.exitCode !== 0)
        hits.add(kind, { operation: operation.name, call: 'full disk', ordinal: `${kilobytes} KiB`, fault: 'ENOSPC' })
      await rm(join(disk.path, 'filler'))
      await assertSound(trial, stage, result)
    }
  })
})

/** Fills a disk up but for so many bytes. */
async function fillUp(path: string, free: number): Promise<void> {
  await using file = await open(path, 'w')
  let size = 0
  try {
    for (;;) size += (await file.write(Buffer.alloc(4096))).bytesWritten
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw error
  }
  await file.truncate(Math.max(0, size - free))
}

const setImmutable = (path: string, on: boolean): boolean => {
  const { error, status } = spawnSync('chattr', [on ? '+i' : '-i', path], { stdio: 'ignore' })
  return error === undefined && status === 0
}

function canFix(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'strongroom-immutable-'))
  try {
    return setImmutable(path, true) && setImmutable(path, false)
  } finally {
    rmdirSync(path)
  }
}

const hasImmutable = needs('the right to make files immutable', canFix(), 'what happens where files may not be changed')

const places = ['data', 'data/strongroom.db', 'data/media', 'data/media/docs', 'data/tmp', 'data/locks', 'out']

describe.skipIf(!hasImmutable).each(pairs)('$operation.name', ({ operation, kind }) => {
  test(
    'where something may not be changed leaves the instance as before or as after',
    { timeout: 600_000 },
    async () => {
      await using trial = await prepareTrial(operation, kind)
      for (const place of places) {
        await using stage = await trial.stage(tmpdir())
        const path = join(stage.folder, place)
        if (!existsSync(path)) continue
        expect(setImmutable(path, true)).toBe(true)
        const result = await stage.run(['--json', ...operation.args(stage)])
        expect(setImmutable(path, false)).toBe(true)
        expect(expectedExits, `${place}: ${result.stdout}`).toContain(result.exitCode)
        if (result.exitCode !== 0)
          hits.add(kind, { operation: operation.name, call: 'immutable', ordinal: place, fault: 'EPERM' })
        await assertSound(trial, stage, result)
      }
    },
  )
})
