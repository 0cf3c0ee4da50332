import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import {
  archivedRows,
  createCommandInstance,
  listMedia,
  type CommandInstance,
} from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillPlain } from '../../test/support/fixtures.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'

const environment = { SOURCE_DATE_EPOCH: '1795525432' }

const scratchOf = ({ dataDirectory }: CommandInstance): Promise<string[]> => readdir(join(dataDirectory, 'tmp'))

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

describe.each(databases)('streams on $name', (kind) => {
  test('a backup to standard output has the bytes of one to a file, and a restore from standard input takes it', async () => {
    await using instance = await createCommandInstance(kind)
    await using copy = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillSmall(instance)
    const path = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', path], { environment })
    const { exitCode, stdoutBytes } = await instance.run(['backup', '-'], { environment })
    expect(exitCode).toBe(0)
    expect(stdoutBytes.equals(await readFile(path))).toBe(true)
    expect(await copy.report(['restore', '-'], { stdin: Readable.from(inPieces(stdoutBytes, 1000)) })).toMatchObject({
      archive: 'standard input',
      proved: true,
    })
    expect(await archivedRows(copy)).toEqual(await archivedRows(instance))
    expect(await listMedia(copy)).toEqual(await listMedia(instance))
    expect([...(await scratchOf(instance)), ...(await scratchOf(copy))]).toEqual([])
  })

  test('a backup whose reader goes away, and a restore whose writer does, leave nothing behind', async () => {
    await using instance = await createCommandInstance(kind)
    await using copy = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    await fillPlain(instance, 4, 400_000)
    const program = resolve(import.meta.dirname, '../main.ts')
    const base = ['--data', instance.dataDirectory, ...(instance.url === undefined ? [] : ['--database', instance.url])]
    const child = spawn(process.execPath, [program, ...base, 'backup', '-'], { stdio: ['ignore', 'pipe', 'ignore'] })
    child.stdout.once('data', () => child.stdout.destroy())
    expect(await once(child, 'close')).toEqual([141, null])
    expect(await scratchOf(instance)).toEqual([])
    expect((await instance.run(['check'])).exitCode).toBe(0)

    const path = join(folder.path, 'archive.tar.gz')
    await instance.report(['backup', path])
    const before = await archivedRows(copy)
    const cut = createReadStream(path, { end: 900_000 })
    const { exitCode, stdout } = await copy.run(['--json', 'restore', '-'], { stdin: cut })
    expect([exitCode, (JSON.parse(stdout) as { error: { code: string } }).error.code]).toEqual([4, 'archive.truncated'])
    expect((await copy.run(['--json', 'restore', '-'], { stdin: '' })).exitCode).toBe(4)
    expect(await archivedRows(copy)).toEqual(before)
    expect(await listMedia(copy)).toEqual(new Map())
    expect(await scratchOf(copy)).toEqual([])
  })
})
