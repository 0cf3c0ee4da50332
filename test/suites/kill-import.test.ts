import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { databases, type TestPlace } from '../support/databases.ts'
import { clientsGone } from '../support/processes.ts'

const program = new URL('../../src/main.ts', import.meta.url).pathname
const files = 400

describe.each(databases)('an import that is killed, on $name', (kind) => {
  let place: TestPlace
  let source: string
  let options: readonly string[]

  beforeEach(async () => {
    place = await kind.place()
    source = await mkdtemp(join(tmpdir(), 'strongroom-kill-'))
    for (let index = 0; index < files; index += 1) {
      const folder = join(source, 'tree', String(index % 7))
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, `${index}.txt`), `${index}`.repeat(500))
    }
    const data = join(place.dataDirectory, 'instance')
    options = ['--data', data, ...(place.url === undefined ? [] : ['--database', place.url])]
    await command('migrate')
    await command('user', 'add', 'ada')
  })

  afterEach(async () => {
    await place[Symbol.asyncDispose]()
    await rm(source, { recursive: true, force: true })
  })

  async function command(...args: readonly string[]): Promise<Record<string, unknown>> {
    const result = await runCommand([...options, '--json', ...args], { stdin: 'password\n' })
    expect(result).toMatchObject({ exitCode: 0 })
    return JSON.parse(result.stdout)
  }

  const written = async (): Promise<number> => {
    const names = await readdir(join(options[1]!, 'media'), { recursive: true }).catch(() => [])
    return names.filter((name) => name.endsWith('.txt')).length
  }

  /** Starts the import and kills it as soon as so many files lie in the media folder. */
  async function killedAt(count: number): Promise<void> {
    const child = spawn(process.execPath, [program, ...options, 'import', join(source, 'tree'), '--user', 'ada'], {
      stdio: 'ignore',
    })
    const ended = once(child, 'exit')
    while (child.exitCode === null && (await written()) < count) await delay(1)
    child.kill('SIGKILL')
    await ended
    await clientsGone(place.url)
  }

  test('leaves whole documents only, and the next import takes the rest', async () => {
    for (const count of [1, 40, 64, 65, 130, 200, 300]) {
      await killedAt(count)
      expect(await command('check')).toMatchObject({ orphaned: 0, unfinished: 0, leftOut: { total: 0 } })
    }
    const { added, unchanged } = await command('import', join(source, 'tree'), '--user', 'ada')
    expect(Number(added) + Number(unchanged)).toBe(files)
    expect(await command('check')).toMatchObject({ files, leftOut: { total: 0 } })
    expect(await written()).toBe(files)
  })
})
