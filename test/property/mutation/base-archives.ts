import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { insertGroups, insertMemberships } from '../../../src/database/queries/groups.ts'
import { packProved, packPlain, rawFile, readMembers } from '../../support/archive-packer.ts'
import type { RawMember } from '../../support/archive-packer.ts'
import { createCommandInstance } from '../../support/command-instances.ts'
import type { CommandInstance } from '../../support/command-instances.ts'
import { databases } from '../../support/databases.ts'
import { fillDirectly } from '../../support/filler.ts'
import { ids, papermerge } from '../../support/odd-archives.ts'
import { samples } from '../../support/samples.ts'

/** A valid archive to change. */
export interface BaseArchive {
  readonly name: string
  readonly members: readonly RawMember[]
  /** As the file was, byte for byte. */
  readonly bytes: Buffer
  /** True where it carries proofs, which then can be made right again. */
  readonly ours: boolean
}

/** Little of everything: what is changed is then nearly always something that counts. */
async function fillLittle(instance: CommandInstance): Promise<void> {
  await fillDirectly(instance, async ({ user, node, tag, version, page, tx }) => {
    const group = '77777777-7777-4777-8777-777777777777'
    await insertGroups(tx, [{ id: group, name: 'clerks' }])
    const ada = await user({ username: 'ada lovelace', email: 'ada@example.org', first_name: ' Ada ', is_superuser: 1 })
    const bob = await user({ username: 'docs', is_active: 0 })
    await insertMemberships(tx, [{ user_id: ada.id, group_id: group }])
    const folder = await node({ user_id: ada.id, parent_id: ada.home, title: 'and/or' })
    const inner = await node({ user_id: ada.id, parent_id: folder, title: 'é' })
    const document = await node({ user_id: ada.id, parent_id: inner, title: 'what?.pdf', type: 'document' })
    await tag({ user_id: ada.id, name: 'R&D', description: 'd'.repeat(1100), pinned: 1 }, [document, folder])
    await tag({ user_id: ada.id, name: 'paid' }, [document])
    const first = { user: ada.id, document }
    await version(first, { number: 1, file_name: 'a:b.pdf', text: ' ends ' }, 'first bytes')
    const second = await version(first, { number: 4, file_name: 'scan.pdf' }, 'second bytes')
    await page(second, { number: 1, text: '\npage one ' }, { '_ocr.svg': '<svg/>', '.jpg': '' })
    await page(second, { number: 3, text: 'page three', lang: '' })
    await version(first, { number: 6 })
    const never = await node({ user_id: ada.id, parent_id: ada.inbox, title: 'never', type: 'document' })
    await version({ user: ada.id, document: never }, { number: 2, text: 'kept' })
    await node({ user_id: ada.id, parent_id: ada.inbox, title: 'empty', type: 'document' })
    await node({ user_id: bob.id, title: 'beside' })
    const other = await node({ user_id: bob.id, parent_id: bob.inbox, title: 'x', type: 'document' })
    await version({ user: bob.id, document: other }, {}, '')
    const lost = await node({ user_id: bob.id, parent_id: bob.home, title: 'lost', type: 'document' })
    await version({ user: bob.id, document: lost }, { file_name: 'lost.pdf' }, 'will be lost')
    const gone = await node({ user_id: ada.id, parent_id: ada.inbox, title: 'thrown away', type: 'document' })
    await version({ user: ada.id, document: gone }, { file_name: 'gone.pdf' }, 'thrown away')
  })
  await instance.report(['rm', '.inbox/thrown away', '--user', 'ada lovelace'], { environment })
}

/** Damages what has been acknowledged, so that the archive declares it. */
async function damageSome(instance: CommandInstance): Promise<void> {
  const media = join(instance.dataDirectory, 'media')
  const tree = await instance.report<{
    users: { id: string; nodes: { id: string; title: string }[] }[]
  }>(['tree'])
  for (const { id, nodes } of tree.users) {
    for (const node of nodes) {
      const folder = join(media, `docs/user_${id}/document_${node.id}/v1`)
      if (node.title === 'lost') await rm(join(folder, 'lost.pdf'))
      if (node.title === 'what?.pdf') await rm(folder, { recursive: true })
      if (node.title === 'x') await writeFile(join(folder, 'file.pdf'), 'other bytes')
    }
  }
}

const moment = '2023-01-20T06:58:27.691980+01:00'

/** As Papermerge 2.1.9 writes it, backup.json last. */
function papermerge2(): RawMember[] {
  const { user, folder, document, version, page, tag } = papermerge
  const other = '023c8328-0000-4000-8000-0000000000bb'
  const docs = (id: string, path: string) => `docs/user_${ids.user}/document_${id}/${path}`
  const users = [
    user({
      tags: [tag('paid'), tag('ü', { pinned: true, description: 'x' })],
      groups: [1],
      nodes: [
        folder('.inbox/'),
        folder('.home/'),
        folder('.home/Taxes/', { tags: [tag('paid')] }),
        document('.home/Taxes/2023.pdf', {
          tags: [tag('ü')],
          versions: [
            version({ size: 9 }),
            version({ number: 2, file_name: 'b.pdf', size: 6, pages: [page(), page({ number: 2, text: 'two' })] }),
          ],
        }),
        document('.inbox/scan.pdf', { id: other, versions: [version({ number: 0, file_name: null })] }),
      ],
    }),
    user({ id: 'c62a1b24-0000-4000-8000-0000000000aa', username: 'jane', is_superuser: true }),
  ]
  return [
    rawFile(docs(ids.document, 'v1/scan.pdf'), 'the bytes'),
    rawFile(docs(ids.document, 'v2/b.pdf'), 'second'),
    rawFile(`sidecars/user_${ids.user}/document_${ids.document}/v2/pages//000001/000001_ocr.svg`, '<svg>text</svg>'),
    rawFile('backup.json', JSON.stringify({ created: '24.11.2026-14:03:52', version: '2.1.9', users })),
  ]
}

/** As Papermerge 3.2 writes it. */
function papermerge3(): RawMember[] {
  const fan = (id: string): string => `${id.slice(0, 2)}/${id.slice(2, 4)}/${id}`
  const times = { created_at: moment, updated_at: moment }
  const folder = (...breadcrumb: string[]) => ({
    breadcrumb,
    title: breadcrumb.at(-1),
    ctype: 'folder',
    tags: [],
    ...times,
  })
  const page = { id: ids.page, number: 1, page_count: 1, lang: 'deu', text: 'text', file_path: 'x' }
  const version = {
    ...{ id: ids.version, number: 1, file_name: 'scan.pdf', size: 9, page_count: 1, lang: 'deu', text: 'text' },
    ...{ short_description: 'Original', file_path: 'x', pages: [page] },
  }
  const document = {
    ...{ breadcrumb: ['home', 'scan.pdf'], title: 'scan.pdf', ctype: 'document', tags: [], ...times },
    ...{ lang: 'deu', ocr: true, ocr_status: 'SUCCESS', versions: [version] },
  }
  const user = {
    ...{ username: 'admin', email: 'admin@example.org', password: papermerge.user()['password'], created_at: moment },
    ...{ updated_at: moment, nodes: [folder('home'), folder('inbox'), document], tags: [papermerge.tag('paid')] },
  }
  return [
    rawFile(`docvers/${fan(ids.version)}/scan.pdf`, 'the bytes'),
    rawFile(`ocr/pages/${fan(ids.page)}/page.svg`, '<svg/>'),
    rawFile(`ocr/pages/${fan(ids.page)}/page.txt`, 'text'),
    rawFile('backup.json', JSON.stringify({ created: 'now', version: '3.2', users: [user] })),
  ]
}

const uuids = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** The members with ids that are the same each time, counted in the order in which backup.json has them. */
function withCountedIds(members: readonly RawMember[]): RawMember[] {
  const counted = new Map<string, string>()
  const metadata = members.find(({ name }) => name === 'backup.json')!.content.toString()
  for (const [id] of metadata.matchAll(uuids)) {
    const number = String(counted.size + 1).padStart(12, '0')
    if (!counted.has(id)) counted.set(id, `00000000-0000-4000-8000-${number}`)
  }
  const count = (text: string): string => text.replaceAll(uuids, (id) => counted.get(id) ?? id)
  return members.map((member) => ({
    ...member,
    name: count(member.name),
    linkName: count(member.linkName),
    // A file holds nothing but ASCII where it holds ids.
    content: Buffer.from(count(member.content.toString('latin1')), 'latin1'),
  }))
}

/** What a seed means must not depend on the clock. */
const environment = { SOURCE_DATE_EPOCH: '1795525432' }

/** The archives that mutations start from, the same ones each time; `scratch` is a folder for them. */
export async function makeBases(scratch: string): Promise<BaseArchive[]> {
  const bases: BaseArchive[] = []
  const add = async (name: string, path: string, ours: boolean): Promise<void> => {
    bases.push({ name, members: await readMembers(path), bytes: await readFile(path), ours })
  }
  const counted = join(scratch, 'counted.tar.gz')
  {
    await using filled = await createCommandInstance(databases[0]!)
    await fillLittle(filled)
    await filled.report(['backup', counted], { environment })
    await writeFile(counted, packProved(withCountedIds(await readMembers(counted))))
  }
  await using instance = await createCommandInstance(databases[0]!)
  await instance.report(['restore', counted], { environment })
  for (const links of ['symbolic', 'hard']) {
    const path = join(scratch, `little-${links}.tar.gz`)
    await instance.report(['backup', path, '--links', links], { environment })
    await add(`little, ${links} links`, path, true)
  }
  await damageSome(instance)
  const damaged = join(scratch, 'damaged.tar.gz')
  const { exitCode } = await instance.run(['backup', damaged, '--quiet'], { environment })
  if (exitCode !== 3) throw new Error(`The backup of a damaged instance ended with ${exitCode}`)
  await add('with declared damage', damaged, true)
  for (const [name, members] of [
    ['Papermerge 2', papermerge2()],
    ['Papermerge 3', papermerge3()],
  ] as const) {
    bases.push({ name, members, bytes: packPlain(members), ours: false })
  }
  for (const sample of samples.filter(({ name }) => name.startsWith('golden'))) {
    await add(sample.name, sample.path, false)
  }
  await add('kept format 1', join(import.meta.dirname, '../../formats/format-1.tar.gz'), true)
  return bases
}

/** The archive as another program, or this file's own packer, writes it again without a change. */
export const repack = ({ members, ours }: Pick<BaseArchive, 'members' | 'ours'>): Buffer =>
  ours ? packProved(members) : packPlain(members)
