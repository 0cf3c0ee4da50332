import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { runCommand } from '../../test/support/command-line.ts'
import { databases, type TestDatabases } from '../../test/support/databases.ts'
import { docsFile, ids, packPapermerge, papermerge } from '../../test/support/odd-archives.ts'
import { samples } from '../../test/support/samples.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import type { CompareReport } from '../contract/compare-report.ts'

const sqlite = databases[0] as TestDatabases
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let archive = ''
beforeAll(async () => {
  folder = await temporaryFolder()
  archive = join(folder.path, 'small.tar.gz')
})
afterAll(() => folder[Symbol.asyncDispose]())

/** An instance with something in it, and its archive. */
async function createFilled(kind: TestDatabases = sqlite): Promise<CommandInstance> {
  const instance = await createCommandInstance(kind)
  await fillSmall(instance)
  await instance.report(['backup', archive, '--overwrite'])
  return instance
}

async function lines(instance: CommandInstance, args: readonly string[]): Promise<readonly string[]> {
  const { stdout, stderr } = await instance.run(['compare', ...args, '--quiet'])
  expect(stderr).toBe('')
  return stdout.split('\n').map((line) => line.trim())
}

describe.each(databases)('on $name, compare', (kind) => {
  test('says that an archive and its instance are the same, and what was compared', async () => {
    await using instance = await createFilled(kind)
    const { exitCode, stdout } = await instance.run(['compare', archive])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^A {2}.*small\.tar\.gz, made 2.*Z\nB {2}the instance /)
    expect(stdout).toContain(
      'The same: 2 users, 5 folders, 1 document, 2 versions, 1 page. 3 files (29 B) of A and 3 (29 B) of B were read and compared.',
    )
  })

  test('names what became of each thing, whatever it is called', async () => {
    await using instance = await createFilled(kind)
    const ada = ['--user', 'ada']
    for (const name of ['Письма', 'تقارير', '手紙\n2']) await instance.report(['mkdir', `.home/${name}`, ...ada])
    await instance.report(['mv', '.home/Taxes/2023.pdf', '.home/手紙\n2', ...ada])
    await instance.report(['tag', 'remove', '.home/Taxes', 'paid', ...ada])
    await instance.report(['tag', 'add', '.home/手紙\n2/2023.pdf', 'срочно', ...ada])
    const told = await lines(instance, [archive])
    expect(told).toContain('ada')
    expect(told).toContain('+ added folder .home/Письма')
    expect(told).toContain('+ added folder .home/تقارير')
    expect(told).toContain('+ added folder .home/手紙\\n2')
    expect(told).toContain('+ added tag срочно')
    expect(told).toContain('> moved document from .home/Taxes/2023.pdf to .home/手紙\\n2/2023.pdf: tags, updated at')
    expect(told).toContain('~ changed folder .home/Taxes: tags')
    const report = await instance.run(['compare', archive, '--json'])
    expect(report.exitCode).toBe(3)
    const { total, byKind, listed } = JSON.parse(report.stdout) as CompareReport
    expect(total).toBe(listed.length)
    expect(byKind).toMatchObject({ added: 4, moved: 1, changed: 1 })
  })

  test('tells what was moved to the trash, and what came out of it', async () => {
    await using instance = await createFilled(kind)
    await instance.report(['rm', '.home/Taxes/2023.pdf', '--user', 'ada'])
    const later = join(folder.path, `later-${kind.name}.tar.gz`)
    await instance.report(['backup', later])
    expect(await lines(instance, [archive])).toContain('> moved to the trash: document .home/Taxes/2023.pdf')
    expect(await lines(instance, [later, archive])).toContain(
      '> brought back from the trash: document .home/Taxes/2023.pdf',
    )
    await instance.report(['trash', 'empty', '--yes', '--user', 'ada'])
    expect(await lines(instance, [later])).toContain('- removed document 2023.pdf (in the trash)')
  })
})

describe('compare', () => {
  test('takes two data directories, with a database of its own for each', async () => {
    await using left = await createFilled()
    await using right = await createCommandInstance(databases[1] as TestDatabases)
    await right.report(['restore', archive])
    const args = ['compare', left.dataDirectory, right.dataDirectory, '--database-b', String(right.url)]
    expect((await runCommand(args)).exitCode).toBe(0)
    await left.report(['mkdir', '.home/New', '--user', 'ada'])
    const { exitCode, stdout } = await runCommand(args)
    expect(exitCode).toBe(3)
    expect(stdout).toContain('- removed folder .home/New')
  })

  test('takes the data directory of --data with the database of --database', async () => {
    await using instance = await createFilled(databases[1])
    expect((await instance.run(['compare', archive, instance.dataDirectory])).exitCode).toBe(0)
  })

  test('takes two instances without anything, and knows which user is missing', async () => {
    await using left = await createCommandInstance(sqlite)
    await using right = await createCommandInstance(sqlite)
    const empty = await runCommand(['compare', left.dataDirectory, right.dataDirectory])
    expect(empty.exitCode).toBe(0)
    expect(empty.stdout).toContain('The same: 0 users, 0 folders, 0 documents')
    await right.report(['user', 'add', 'ada'], { stdin: 'secret\n' })
    const other = await runCommand(['compare', left.dataDirectory, right.dataDirectory])
    expect(other.exitCode).toBe(3)
    expect(other.stdout).toContain('+ added user ada\n')
    expect(other.stdout).toContain('+ added folder .inbox\n')
    expect(other.stdout).not.toContain('$argon2')
  })

  test('takes one archive from standard input, and no two', async () => {
    await using instance = await createFilled()
    expect((await instance.run(['compare', '-'], { stdin: createReadStream(archive) })).exitCode).toBe(0)
    expect((await instance.run(['compare', archive, '-'], { stdin: createReadStream(archive) })).exitCode).toBe(0)
    const twice = await instance.run(['compare', '-', '-'])
    expect(twice.exitCode).toBe(2)
    expect(twice.stderr).toContain('Standard input carries one archive, not two.')
  })

  test('tells the ids of what was made again at the same place as other ids', async () => {
    await using instance = await createFilled()
    await using again = await createCommandInstance(sqlite)
    for (const name of ['root', 'ada']) await again.report(['user', 'add', name], { stdin: 'secret\n' })
    const { listed } = JSON.parse(
      (await runCommand(['compare', instance.dataDirectory, again.dataDirectory, '--json'])).stdout,
    ) as CompareReport
    const ada = listed.find(({ thing, name }) => thing === 'user' && name === 'ada')
    expect(ada?.changes.map(({ what }) => what)).toContain('id')
    expect(listed.filter(({ kind }) => kind === 'added')).toEqual([])
  })

  test('finds that an archive of Papermerge and what was restored from it are the same', async () => {
    const foreign = join(folder.path, 'papermerge.tar.gz')
    const { user, folder: aFolder, document, tag } = papermerge
    const nodes = [aFolder('.inbox/'), aFolder('.home/'), aFolder('.home/Taxes/'), document('.home/Taxes/scan.pdf')]
    const content = [docsFile(1, 'scan.pdf', 'a scan')]
    await packPapermerge(foreign, [user({ nodes, tags: [tag('paid')] })], content)
    await using instance = await createCommandInstance(sqlite)
    await instance.report(['restore', foreign])
    const { exitCode, stdout } = await instance.run(['compare', foreign, '--quiet'])
    expect(stdout).toContain('The same: 1 user, 3 folders, 1 document, 1 version')
    expect(stdout).not.toContain('under another id')
    expect(exitCode).toBe(0)
    // What the archive says of a folder that was moved is another folder, for its ids are made from paths.
    await instance.report(['mv', '.home/Taxes/scan.pdf', '.home', '--user', 'john'])
    expect(await lines(instance, [foreign])).toContain(
      '> moved document from .home/Taxes/scan.pdf to .home/scan.pdf: updated at',
    )
  })

  test('counts what is the same under another id where an archive of Papermerge gives none', async () => {
    const foreign = join(folder.path, 'without-ids.tar.gz')
    const { user, folder: aFolder, document, version, tag } = papermerge
    const nodes = [
      aFolder('.inbox/'),
      aFolder('.home/'),
      aFolder('.home/Taxes/'),
      document('.home/Taxes/scan.pdf', { id: undefined }),
    ]
    const first = { ...version(), file_path: `docs/user_${ids.user}/document_${ids.document}/v1/scan.pdf` }
    nodes[3]!['versions'] = [first]
    const content = [docsFile(1, 'scan.pdf', 'a scan')]
    await packPapermerge(foreign, [user({ id: undefined, nodes, tags: [tag('paid')] })], content)
    await using instance = await createCommandInstance(sqlite)
    await instance.report(['user', 'add', 'john'], { stdin: 'secret\n' })
    await instance.report(['restore', foreign])
    const { exitCode, stdout } = await instance.run(['compare', foreign, '--quiet'])
    expect(stdout).toMatch(/^\d+ things? the same under another id; an archive of Papermerge gives none\.$/m)
    expect(exitCode).toBe(0)
  })

  test('reads an instance whose files are damaged to the end, and tells which differ from the archive', async () => {
    await using instance = await createFilled()
    const files = await fillSmallFiles(instance)
    await writeFile(join(instance.dataDirectory, 'media', files), 'other bytes!')
    const told = await instance.run(['compare', archive, '--quiet'])
    expect(told.exitCode).toBe(3)
    expect(told.stdout).toContain(
      '~ changed document .home/Taxes/2023.pdf: bytes of version 2 (the file in B is not what its row says)',
    )
    // A backup declares the damage, so that it is the same as the instance, and both are told to be damaged.
    const declared = join(folder.path, 'declared.tar.gz')
    expect((await instance.run(['backup', declared])).exitCode).toBe(3)
    const alike = await instance.run(['compare', declared])
    expect(alike.exitCode).toBe(0)
    expect(alike.stderr.match(/is not what its row says/g)).toHaveLength(2)
  })

  test('ends with 4 for an archive that is damaged or hostile, and changes nothing', async () => {
    await using instance = await createFilled()
    const bytes = await readFile(archive)
    const flipped = Buffer.from(bytes)
    flipped[1000]! ^= 1
    const broken = join(folder.path, 'broken.tar.gz')
    for (const content of [flipped, bytes.subarray(0, 2000), Buffer.from('no archive')]) {
      await writeFile(broken, content)
      expect((await instance.run(['compare', broken])).exitCode).toBe(4)
      expect((await instance.run(['compare', archive, broken])).exitCode).toBe(4)
    }
    for (const { name, path } of samples.filter(({ exit }) => exit === 4))
      expect((await instance.run(['compare', path])).exitCode, name).toBe(4)
    expect((await instance.run(['compare', archive])).exitCode).toBe(0)
  })

  test('ends with 6 for what does not exist or is no instance, and with 2 for what cannot be meant', async () => {
    await using instance = await createFilled()
    const empty = join(folder.path, 'empty')
    await mkdir(empty)
    const codeOf = async (...args: readonly string[]): Promise<number> =>
      (await instance.run(['compare', ...args])).exitCode
    expect(await codeOf(join(folder.path, 'nothing.tar.gz'))).toBe(6)
    expect(await codeOf(archive, join(folder.path, 'nothing'))).toBe(6)
    expect(await codeOf(empty)).toBe(6)
    expect(await codeOf(archive, '--database-a', 'sqlite:x.db')).toBe(2)
    expect(await codeOf(archive, '--database-b', 'sqlite:x.db')).toBe(2)
    expect(await codeOf()).toBe(2)
    expect((await runCommand(['compare', archive, '--data', empty])).exitCode).toBe(6)
  })

  test('lists the first thousand differences, and counts all', async () => {
    await using instance = await createFilled()
    const names = Array.from({ length: 1200 }, (_, index) => `.home/folder ${String(index).padStart(4, '0')}`)
    await fillDirectly(instance, async ({ node, tx }) => {
      const home = await tx.selectFrom('nodes').select(['id', 'user_id']).where('title', '=', '.home').execute()
      const user = await tx.selectFrom('users').select('id').where('username', '=', 'ada').executeTakeFirstOrThrow()
      const parent = home.find(({ user_id }) => user_id === user.id)!
      for (const name of names)
        await node({ user_id: user.id, parent_id: parent.id, title: name.replace('.home/', '') })
    })
    const report = JSON.parse((await instance.run(['compare', archive, '--json'])).stdout) as CompareReport
    expect(report.total).toBe(1200)
    expect(report.listed.map(({ name }) => name)).toEqual(names.slice(0, 1000))
    const { stdout } = await instance.run(['compare', archive])
    expect(stdout).toContain('… and 200 more')
    expect(stdout).toContain('Different: 1,200 differences (1,200 added).')
  })
})

/** Where the last version of the document of `createFilled` lies below the media folder. */
async function fillSmallFiles(instance: CommandInstance): Promise<string> {
  const { stdout } = await instance.run(['tree', '--json'])
  const { users } = JSON.parse(stdout) as {
    users: { id: string; nodes: { id: string; type: string }[] }[]
  }
  for (const { id, nodes } of users) {
    const document = nodes.find(({ type }) => type === 'document')
    if (document !== undefined) return `docs/user_${id}/document_${document.id}/v2/scan.pdf`
  }
  throw new Error('there is no document')
}
