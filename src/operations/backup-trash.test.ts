import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCommandInstance, type CommandInstance } from '../../test/support/command-instances.ts'
import { databases } from '../../test/support/databases.ts'
import { fillDirectly } from '../../test/support/filler.ts'
import {
  aFile,
  editMetadata,
  rewriteArchive,
  unpackArchive,
  type Json,
  type Member,
} from '../../test/support/odd-archives.ts'
import { fillSmall, temporaryFolder } from '../../test/support/small-instance.ts'
import { expectSoundArchive } from '../../test/support/sound-archive.ts'
import type { BackupReport } from '../contract/backup-report.ts'
import type { RestoreReport } from '../contract/restore-report.ts'

interface OwnNode extends Json {
  readonly title: string
  readonly strongroom: Json
}

const metadataOf = (members: readonly Member[]) =>
  JSON.parse(members.find(({ name }) => name === 'backup.json')!.content.toString()) as {
    readonly strongroom: { readonly format: number }
    readonly users: readonly {
      readonly username: string
      readonly strongroom: { readonly nodes: readonly OwnNode[] }
    }[]
  }

const ownNodesOf = (members: readonly Member[]): readonly OwnNode[] =>
  metadataOf(members).users.find(({ username }) => username === 'ada')!.strongroom.nodes

/** `fillSmall`, with its folder in the trash and a living twin of it. */
async function fillTrash(instance: CommandInstance): Promise<string> {
  const { original } = await fillSmall(instance)
  await instance.report(['rm', 'Taxes', '--user', 'ada'])
  await instance.report(['mkdir', 'Taxes', '--user', 'ada'])
  return original.replace(/^docs\/|\/v2.*/g, '')
}

async function failure(instance: CommandInstance, archive: string) {
  const { exitCode, stdout } = await instance.run(['--json', 'restore', archive])
  return { exitCode, ...(JSON.parse(stdout) as { error: { code: string; message: string } }).error }
}

describe.each(databases)('the trash in a backup on $name', (kind) => {
  test('stands apart from what Papermerge reads, as documented', async () => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.tar.gz')
    const place = await fillTrash(instance)
    const report = await instance.report<BackupReport>(['backup', path])
    expect(report).toMatchObject({ folders: 1, documents: 0, trash: { folders: 1, documents: 1, versions: 2 } })
    await expectSoundArchive(path)
    const members = await unpackArchive(path)
    const files = members.filter(({ type }) => type === 'file').map(({ name }) => name)
    expect(files).toEqual([
      'backup.json',
      'README.txt',
      `strongroom/trash/docs/${place}/v1/scan.pdf`,
      `strongroom/trash/docs/${place}/v2/scan.pdf`,
      `strongroom/trash/sidecars/${place}/v2/pages/000001/000001_ocr.svg`,
      'index.html',
      'strongroom/directory-pages',
      'strongroom/directory',
      'SHA256SUMS',
      'strongroom/index',
    ])
    expect(members.filter(({ type }) => type === 'symlink')).toEqual([])
    expect(members.map(({ name }) => name).filter((name) => name.endsWith('Taxes/'))).toEqual(['ada/.home/Taxes/'])
    expect(members[1]!.content.toString()).toContain('1 document and 1 folder in the trash')
    expect(metadataOf(members).strongroom.format).toBe(2)
    const [folderNode, document] = ownNodesOf(members)
    expect(folderNode).toMatchObject({
      title: 'Taxes',
      strongroom: {
        parent: null,
        deleted_at: expect.any(String),
        deleted_parent: expect.any(String),
        deleted_from: '.home/Taxes',
      },
    })
    expect(document).toMatchObject({ title: '2023.pdf', strongroom: { parent: folderNode!.strongroom['id'] } })
    expect(Object.keys(document!.strongroom)).not.toContain('deleted_at')
  })

  test('comes back as trash, from where it can be brought back', async () => {
    await using instance = await createCommandInstance(kind)
    await using copy = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.tar.gz')
    await fillTrash(instance)
    await instance.report(['backup', path])
    expect(await copy.report<RestoreReport>(['restore', path])).toMatchObject({
      ...{ proved: true, folders: 1, documents: 0, versions: 0, sidecars: 0 },
      trash: { folders: 1, documents: 1, versions: 2 },
    })
    const listed = async (of: CommandInstance): Promise<unknown> => of.report(['trash', 'list'])
    expect(await listed(copy)).toEqual(await listed(instance))
    await copy.report(['trash', 'restore', '.home/Taxes', '--user', 'ada', '--title', 'Old taxes'])
    expect((await copy.run(['tree'])).stdout).toContain('2023.pdf')
    await copy.report(['check'])
  })

  test('a backup without trash has the format that older readers know', async () => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'a.tar.gz')
    await fillTrash(instance)
    await instance.report(['trash', 'empty', '--yes'])
    await instance.report(['backup', path])
    expect(metadataOf(await unpackArchive(path)).strongroom.format).toBe(1)
    await expectSoundArchive(path)
  })

  test.each<[string, Json]>([
    ['at a time that cannot be read', { deleted_at: 'yesterday' }],
    ['and in a folder', { deleted_at: '2026-11-24T14:03:52.304446Z', parent: 'home' }],
  ])('that is there %s is refused', async (_what, change) => {
    await using instance = await createCommandInstance(kind)
    await using copy = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const [from, to] = [join(folder.path, 'from.tar.gz'), join(folder.path, 'to.tar.gz')]
    await fillTrash(instance)
    await instance.report(['backup', from])
    const edit = editMetadata(({ users }) => {
      const { nodes, strongroom } = users.find(({ username }) => username === 'ada') as unknown as {
        nodes: OwnNode[]
        strongroom: { nodes: OwnNode[] }
      }
      const home = nodes.find(({ title }) => title === '.home')!.strongroom['id']
      Object.assign(strongroom.nodes[0]!.strongroom, change, change['parent'] === undefined ? {} : { parent: home })
    })
    await rewriteArchive({ from, to, scratch: folder.path }, edit)
    expect(await failure(copy, to)).toMatchObject({ exitCode: 4, code: 'archive.invalid_metadata' })
  })

  test('sidecars of a document without a file lie apart, and are found where format 1 had them', async () => {
    await using instance = await createCommandInstance(kind)
    await using folder = await temporaryFolder()
    const [path, old] = [join(folder.path, 'a.tar.gz'), join(folder.path, 'old.tar.gz')]
    await fillDirectly(instance, async ({ user, node, version, page }) => {
      const { id, home } = await user({ username: 'ada' })
      const document = await node({ user_id: id, parent_id: home, title: 'read', type: 'document' })
      await page(await version({ user: id, document }, {}), {}, { '_ocr_hocr.txt': 'words' })
    })
    await instance.report(['backup', path])
    await expectSoundArchive(path)
    const hidden = (await unpackArchive(path)).filter(({ name }) => name.startsWith('strongroom/hidden/sidecars/user_'))
    expect(hidden.map(({ content }) => content.toString())).toEqual(['words'])
    await rewriteArchive({ from: path, to: old, scratch: folder.path }, (members) =>
      editMetadata(({ strongroom }) => Object.assign(strongroom, { format: 1 }))(members).map((member) =>
        member === hidden[0] || member.name === hidden[0]!.name
          ? aFile(member.name.replace('strongroom/hidden/', ''), member.content)
          : member,
      ),
    )
    for (const archive of [path, old]) {
      await using copy = await createCommandInstance(kind)
      expect(await copy.report<RestoreReport>(['restore', archive])).toMatchObject({
        sidecars: 1,
        warnings: { total: 0 },
      })
      await copy.report(['check'])
    }
  })
})
