import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommandInstance } from '../support/command-instances.ts'
import { runCommand } from '../support/command-line.ts'
import { databases } from '../support/databases.ts'
import { extract, hashesBelow } from '../support/extracting.ts'
import { fillPlain, noise } from '../support/fixtures.ts'
import { fillDirectly } from '../support/filler.ts'
import { startCommand } from '../support/processes.ts'
import { hasSmallDisks, smallDisk } from '../support/small-disk.ts'
import { temporaryFolder } from '../support/small-instance.ts'

let place: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  place = await temporaryFolder()
})
afterAll(() => place[Symbol.asyncDispose]())

let number = 0
const fresh = (): string => join(place.path, `${(number += 1)}`)

describe('a large archive', () => {
  let archive = ''
  const documents = 3000
  beforeAll(async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await fillDirectly(instance, async ({ user, node, version }) => {
      const ada = await user({ username: 'ada' })
      // All want the same name, as far as Windows can tell.
      for (let index = 0; index < documents; index += 1) {
        const title = Array.from('abcdefghijkl', (letter, bit) =>
          (index >> bit) & 1 ? letter.toUpperCase() : letter,
        ).join('')
        const document = await node({ user_id: ada.id, parent_id: ada.home, title, type: 'document' })
        await version({ user: ada.id, document }, { file_name: 'scan.pdf' }, `content of ${index}`)
      }
    })
    archive = `${fresh()}.tar.gz`
    await instance.report(['backup', archive])
  })

  test('comes out whole, its twins told apart', async () => {
    const to = fresh()
    await extract(0, archive, '--to', to)
    const names = await readdir(join(to, 'ada', 'home'))
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(documents)
    const wanted = Array.from({ length: documents }, (_, index) =>
      createHash('sha256').update(`content of ${index}`).digest('hex'),
    )
    expect(await hashesBelow(to)).toEqual(wanted.toSorted())
  })

  test('leaves no file that is half where its process is killed, and goes on from there', async () => {
    const contents = new Set(Array.from({ length: documents }, (_, index) => `content of ${index}`))
    const to = fresh()
    for (const after of [600, 900, 1200, 1500]) {
      const { child, ended } = startCommand({ dataDirectory: fresh(), url: undefined }, [
        'extract',
        archive,
        '--to',
        to,
      ])
      await delay(after)
      child.kill('SIGKILL')
      await ended
      const files = existsSync(to) ? await readdir(to, { recursive: true, withFileTypes: true }) : []
      for (const file of files.filter((entry) => entry.isFile() && !entry.name.endsWith('.partial'))) {
        expect(contents.has(await readFile(join(file.parentPath, file.name), 'utf8')), file.name).toBe(true)
      }
    }
    const report = await extract(0, archive, '--to', to)
    expect(report.files + report.unchanged).toBe(documents)
  })
})

test('an empty instance comes out as the folders that it has', async () => {
  await using instance = await createCommandInstance(databases[0]!)
  const archive = `${fresh()}.tar.gz`
  await instance.report(['backup', archive])
  const to = fresh()
  expect(await extract(0, archive, '--to', to)).toMatchObject({ files: 0, folders: 0 })
  expect(await readdir(to)).toEqual([])
})

describe.skipIf(!hasSmallDisks('what an extraction does on a full disk'))('on a full disk', () => {
  const megabyte = 1 << 20

  test('it is refused before it begins where the files cannot fit', async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await using disk = await smallDisk(2 * megabyte)
    await fillPlain(instance, 6, megabyte)
    const archive = `${fresh()}.tar.gz`
    await instance.report(['backup', archive])
    const { exitCode, stdout } = await runCommand(['--json', 'extract', archive, '--to', join(disk.path, 'to')])
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([9, { error: { code: 'file.too_little_space' } }])
    expect(await readdir(disk.path)).toEqual([])
  })

  test('what was written until then is whole, and with more room it goes on', async () => {
    await using instance = await createCommandInstance(databases[0]!)
    await using disk = await smallDisk(3 * megabyte)
    // Many files of few bytes take much more than their bytes, which is all that can be told before.
    await fillDirectly(instance, async ({ user, node, version }) => {
      const ada = await user({ username: 'ada' })
      for (let index = 0; index < 900; index += 1) {
        const document = await node({ user_id: ada.id, parent_id: ada.home, title: `${index}`, type: 'document' })
        await version({ user: ada.id, document }, { file_name: 'x' }, `content of ${index}`)
      }
    })
    const archive = `${fresh()}.tar.gz`
    await instance.report(['backup', archive])
    const filler = join(disk.path, 'filler')
    await writeFile(filler, noise(megabyte, 1))
    const to = join(disk.path, 'to')
    const { exitCode, stdout } = await runCommand(['--json', 'extract', archive, '--to', to])
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([9, { error: { code: 'extract.no_space' } }])
    const names = await readdir(join(to, 'ada', 'home'))
    expect(names.length).toBeGreaterThan(50)
    for (const name of names) {
      expect(await readFile(join(to, 'ada', 'home', name), 'utf8')).toBe(`content of ${basename(name, '.pdf')}`)
    }
  })
})
