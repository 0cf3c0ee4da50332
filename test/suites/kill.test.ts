import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../support/databases.ts'
import type { TestDatabases } from '../support/databases.ts'
import { fillPlain } from '../support/fixtures.ts'
import { createCommandInstance, listMedia } from '../support/command-instances.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import { clientsGone } from '../support/processes.ts'

/** Real processes, killed with SIGKILL at moments spread over the time that they take. */

const program = resolve(import.meta.dirname, '../../strongroom')
const documents = 60

let scratch = ''
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'strongroom-kill-'))
})
afterAll(async () => {
  await rm(scratch, { recursive: true, force: true })
})

interface Ended {
  /** True where the kill came before the end. */
  readonly killed: boolean
  readonly milliseconds: number
}

/** Runs a command in a process of its own and kills it after a time, if it still runs. */
async function runAndKill(instance: CommandInstance, args: readonly string[], after?: number): Promise<Ended> {
  const base = ['--data', instance.dataDirectory, ...(instance.url === undefined ? [] : ['--database', instance.url])]
  const started = performance.now()
  const child = spawn(program, [...base, ...args, '--quiet'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const timer = after === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), after)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(timer)
  if (signal !== 'SIGKILL') expect(code, stderr).toBe(0)
  return { killed: signal === 'SIGKILL', milliseconds: performance.now() - started }
}

const treeOf = async (instance: CommandInstance): Promise<string> =>
  (await instance.run(['tree', '--json', '--text'])).stdout

/**
 * Kills so many processes at moments spread over the time that one usually takes; a process that was faster than its kill
 * does not count, and shows how long one takes by now.
 */
async function killMany(kills: number, usual: number, attempt: (after: number) => Promise<Ended>): Promise<number> {
  let killed = 0
  let expected = usual
  for (let tries = 0; killed < kills && tries < 4 * kills; tries += 1) {
    const ended = await attempt(expected * (0.1 + (0.9 * (killed + 0.5)) / kills))
    if (ended.killed) killed += 1
    else expected = Math.min(expected, ended.milliseconds) * 0.97
  }
  return killed
}

describe.each(databases.map((kind) => ({ ...kind, kills: kind.name === 'SQLite' ? 30 : 10 })))('on $name', (kind) => {
  test(`${kind.kills} killed backups leave no archive that is not whole, and the instance as it was`, async () => {
    await using instance = await createCommandInstance(kind)
    await fillPlain(instance, documents, 40_000)
    const before = { tree: await treeOf(instance), media: await listMedia(instance) }
    const folder = join(scratch, `backups-${kind.name}`)
    const { milliseconds } = await runAndKill(instance, ['backup', `${folder}/`])
    const killed = await killMany(kind.kills, milliseconds, (after) => runAndKill(instance, ['backup', folder], after))
    expect(killed).toBe(kind.kills)
    await clientsGone(instance.url)
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.tar.gz'))) {
      await instance.report(['verify', join(folder, name)])
    }
    expect({ tree: await treeOf(instance), media: await listMedia(instance) }).toEqual(before)
    await instance.report(['check'])
    await instance.report(['backup', folder])
    expect((await readdir(folder)).filter((file) => !file.endsWith('.tar.gz'))).toEqual([])
  })

  test(`${kind.kills} killed restores leave the instance as before or as after`, async () => {
    const archive = await archiveOf(kind)
    let instance = await createCommandInstance(kind)
    try {
      const empty = { tree: await treeOf(instance), media: await listMedia(instance) }
      const { milliseconds } = await runAndKill(instance, ['restore', archive])
      const full = { tree: await treeOf(instance), media: await listMedia(instance) }
      expect(full.media.size).toBe(documents)
      let isFull = true
      const killed = await killMany(kind.kills, milliseconds, async (after) => {
        if (isFull) {
          await instance[Symbol.asyncDispose]()
          instance = await createCommandInstance(kind)
        }
        const ended = await runAndKill(instance, ['restore', archive], after)
        await clientsGone(instance.url)
        const tree = await treeOf(instance)
        expect([empty.tree, full.tree]).toContain(tree)
        await instance.report(['check'])
        isFull = tree === full.tree
        expect({ tree: await treeOf(instance), media: await listMedia(instance) }).toEqual(isFull ? full : empty)
        return ended
      })
      expect(killed).toBe(kind.kills)
    } finally {
      await instance[Symbol.asyncDispose]()
    }
  })
})

async function archiveOf(kind: TestDatabases): Promise<string> {
  await using instance = await createCommandInstance(kind)
  await fillPlain(instance, documents, 40_000)
  const archive = join(scratch, `to-restore-${kind.name}.tar.gz`)
  await instance.report(['backup', archive])
  return archive
}
