import type { Db } from '../../database/database.ts'
import { listGroups, membershipsOf } from '../../database/queries/groups.ts'
import type { PageFacts } from '../../database/queries/pages.ts'
import { sidecarsOf, type PlacedSidecar } from '../../database/queries/sidecars.ts'
import { listTags, tagsOf } from '../../database/queries/tags.ts'
import { listUsers } from '../../database/queries/users.ts'
import type { TagRow, UserRow } from '../../database/schema.ts'
import type { Scratch } from '../../database/scratch.ts'
import type { Timestamp } from '../../std/clock.ts'
import { createSpool, type Spool } from '../../std/spool.ts'
import { pageBatches, pagesWithText, versionsWithText } from '../document-texts.ts'
import { safeTagNames, safeUsernames } from './account-names.ts'
import type { ArchiveFormat } from './archive-format.ts'
import { archivedNodes, type ArchivedNode, type ArchivedVersion } from './archived-versions.ts'
import type { NodeList } from './node-list.ts'
import { nodeHead, pageRecord, tagRecord, userHead, userOwnKeys, versionHead } from './metadata-records.ts'

/** Called for each name that Papermerge will show in another form. */
export type OnRenamed = (kind: 'user' | 'tag' | 'title', name: string, shown: string) => void

interface MetadataInput {
  readonly db: Db
  /** Where the nodes were named, see node-names.ts. */
  readonly scratch: Scratch
  readonly scratchDirectory: string
  readonly out: Spool
  readonly createdAt: Timestamp
  readonly format: ArchiveFormat
  readonly writer: string
  readonly instanceId: string
  readonly links: 'symbolic' | 'hard'
  /** Learns where in backup.json each thing stands. */
  readonly list: NodeList
  readonly onRenamed: OnRenamed
  readonly onDocument: () => void
}

/** The release whose form the keys outside `strongroom` have. */
const papermergeVersion = '2.1.9'
const nodesAtOnce = 200

/**
 * Writes backup.json: for each thing an object that Papermerge 2.1.9 takes as it is, and in its `strongroom` object what is
 * true where that cannot say it. Memory does not grow with the instance.
 */
export async function writeMetadata(input: MetadataInput): Promise<void> {
  const { db, scratch, out, createdAt } = input
  const own = {
    format: input.format,
    writer: input.writer,
    instance: input.instanceId,
    created: createdAt,
    links: input.links,
    groups: await listGroups(db),
  }
  const created = JSON.stringify(localForm(createdAt))
  await out.write(
    `{"created":${created},"version":"${papermergeVersion}",\n"strongroom":${JSON.stringify(own)},\n"users":[`,
  )
  input.list.begin(out.size)
  const users = await listUsers(db)
  const names = safeUsernames(users.map((user) => user.username))
  const nodes = archivedNodes(db, scratch)
  let next = await nodes.next()
  for (const [index, user] of users.entries()) {
    await out.write(index === 0 ? '\n' : ',\n')
    await writeUser(input, user, names[index]!, async () => {
      const batch: ArchivedNode[] = []
      while (next.done !== true && next.value.node.user_id === user.id && batch.length < nodesAtOnce) {
        batch.push(next.value)
        next = await nodes.next()
      }
      return batch
    })
  }
  await out.write('\n]}\n')
  input.list.end()
}

/** Papermerge writes the moment without its zone; ours, in the `strongroom` object, says UTC. */
const localForm = (moment: Timestamp): string =>
  `${moment.slice(8, 10)}.${moment.slice(5, 7)}.${moment.slice(0, 4)}-${moment.slice(11, 19)}`

async function writeUser(
  input: MetadataInput,
  user: UserRow,
  shown: string,
  nextNodes: () => Promise<readonly ArchivedNode[]>,
): Promise<void> {
  const { db, list, out, scratchDirectory, onRenamed } = input
  const head = out.size
  if (shown !== user.username) onRenamed('user', user.username, shown)
  const tags = await listTags(db, user.id)
  const tagNames = new Map(safeTagNames(tags.map((tag) => tag.name)).map((name, index) => [tags[index]!.id, name]))
  for (const tag of tags) if (tagNames.get(tag.id) !== tag.name) onRenamed('tag', tag.name, tagNames.get(tag.id)!)
  await out.write(`${open(userHead(user, shown))},"tags":[`)
  await out.write(tags.map((tag) => JSON.stringify(tagRecord(tag, tagNames.get(tag.id)!))).join(',\n'))
  await out.write('],"nodes":[')
  list.beginUser(user, [head, out.size])
  await using hidden = await createSpool(scratchDirectory)
  const lists = { shown: createList(out), hidden: createList(hidden) }
  for (let batch = await nextNodes(); batch.length > 0; batch = await nextNodes()) {
    await writeNodes(input, batch, tagNames, lists)
  }
  const own = out.size
  const groups = (await membershipsOf(db, [user.id])).map((row) => row.group_id)
  await out.write(`],"strongroom":${open({ ...userOwnKeys(user, shown), groups })},"nodes":[`)
  list.endUser([own, out.size])
  for await (const chunk of hidden.chunks()) await out.write(chunk)
  await out.write(']}}')
}

/** A JSON object without its end. */
const open = (fields: object): string => JSON.stringify(fields).slice(0, -1)

/** Writes elements with commas between them. */
function createList(out: Spool) {
  let first = true
  return {
    out,
    async next(): Promise<void> {
      await out.write(first ? '\n' : ',\n')
      first = false
    },
  }
}

type List = ReturnType<typeof createList>

async function writeNodes(
  { db, list: nodes, onRenamed, onDocument }: MetadataInput,
  batch: readonly ArchivedNode[],
  tagNames: ReadonlyMap<string, string>,
  lists: { readonly shown: List; readonly hidden: List },
): Promise<void> {
  const tags = Map.groupBy(
    await tagsOf(
      db,
      batch.map(({ node }) => node.id),
    ),
    (tag) => tag.node_id,
  )
  const texts = await readTexts(
    db,
    batch.flatMap(({ versions }) => versions),
  )
  for (const archived of batch) {
    const { node, titles, versions, part } = archived
    if (titles.at(-1) !== node.title) onRenamed('title', node.title, titles.at(-1)!)
    const list = part === 'shown' ? lists.shown : lists.hidden
    const itsTags = (tags.get(node.id) ?? []).map((tag: TagRow) => tagRecord(tag, tagNames.get(tag.id)!))
    await list.next()
    const at = list.out.size
    await list.out.write(open(nodeHead(archived, itsTags)))
    if (node.type === 'document') {
      await list.out.write(',"versions":[')
      const items = createList(list.out)
      for (const version of versions) {
        await items.next()
        await writeVersion(list.out, archived, version, texts)
      }
      await list.out.write(']')
      onDocument()
    }
    await list.out.write('}')
    const sidecars = versions.map(({ facts }) => texts.sidecarCounts.get(facts.id) ?? 0)
    nodes.add(archived, { at, bytes: list.out.size - at }, sum(sidecars))
  }
}

type Texts = Awaited<ReturnType<typeof readTexts>>

/** The texts of versions and pages, to be taken in the order of the versions; few are in memory at a time. */
async function readTexts(db: Db, versions: readonly ArchivedVersion[]) {
  const facts = versions.map((version) => version.facts)
  const sidecars =
    facts.length === 0
      ? []
      : await sidecarsOf(
          db,
          facts.map(({ id }) => id),
        )
  const pages = allPages(db, facts)
  return {
    versions: versionsWithText(db, facts),
    pages,
    nextPage: await pages.next(),
    sidecars: Map.groupBy(sidecars, (sidecar: PlacedSidecar) => sidecar.page_id),
    sidecarCounts: countBy(sidecars, (sidecar) => sidecar.version_id),
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1)
  return counts
}

async function* allPages(
  db: Db,
  versions: readonly { readonly id: string }[],
): AsyncGenerator<{ readonly row: PageFacts; readonly text: string }, undefined> {
  for await (const pages of pageBatches(db, versions)) yield* pagesWithText(db, pages)
  return undefined
}

async function writeVersion(out: Spool, archived: ArchivedNode, version: ArchivedVersion, texts: Texts): Promise<void> {
  const { value } = await texts.versions.next()
  await out.write(`${open(versionHead(archived, version, value?.text ?? ''))},"pages":[`)
  const items = createList(out)
  while (texts.nextPage.done !== true && texts.nextPage.value.row.version_id === version.facts.id) {
    const { row, text } = texts.nextPage.value
    await items.next()
    await out.write(JSON.stringify(pageRecord(archived, version, row, text, texts.sidecars.get(row.id) ?? [])))
    texts.nextPage = await texts.pages.next()
  }
  await out.write(']}')
}
