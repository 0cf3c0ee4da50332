import type { TreeItem } from '../contract/tree.ts'
import type { Database, Db } from '../database/database.ts'
import { type OrderedNode, orderNodes, readOrderedNodes } from '../database/queries/ordered-nodes.ts'
import { listTags, tagNamesOf } from '../database/queries/tags.ts'
import { listUsers } from '../database/queries/users.ts'
import { type VersionFacts, versionFactsOf } from '../database/queries/versions.ts'
import type { UserRow } from '../database/schema.ts'
import { requireUser } from '../services/find-user.ts'
import { generatorFrom } from '../std/generator-from.ts'
import { pageBatches, pagesWithText, versionsWithText } from './document-texts.ts'

export interface TreeInput {
  /** Only the tree of this user. */
  readonly username?: string
  /** With the texts of versions and pages. */
  readonly text: boolean
}

const nodesAtOnce = 200
const tagsAtOnce = 200

/**
 * Walks the instance as it is at one moment: users by username, nodes by path, tags by name, all by their UTF-8 bytes,
 * versions and pages by number. Memory does not grow with the instance. Throws `user.not_found`.
 */
export const createTreeWalk =
  ({ database }: { database: Database }) =>
  (input: TreeInput): AsyncGenerator<TreeItem, void, undefined> =>
    generatorFrom((emit) =>
      database.snapshot(async (db) => {
        for await (const item of walk(db, input)) await emit(item)
      }),
    )

async function* walk(db: Db, { username, text }: TreeInput): AsyncGenerator<TreeItem, void, undefined> {
  const users = username === undefined ? await listUsers(db) : [await requireUser(db, username)]
  await orderNodes(db, username === undefined ? {} : { userId: users[0]!.id })
  const nodes = nodeItems(db, text)
  let next = await nodes.next()
  for (const user of users) {
    yield { kind: 'user', user: userOf(user) }
    yield* tagItems(db, user.id)
    while (next.done !== true && next.value.userId === user.id) {
      yield next.value.item
      next = await nodes.next()
    }
  }
}

const userOf = (row: UserRow) => ({
  id: row.id,
  username: row.username,
  email: row.email,
  is_active: row.is_active === 1,
  is_superuser: row.is_superuser === 1,
})

async function* tagItems(db: Db, userId: string): AsyncGenerator<TreeItem, void, undefined> {
  let after: string | undefined
  for (;;) {
    const tags = await listTags(db, userId, { limit: tagsAtOnce, ...(after === undefined ? {} : { after }) })
    for (const { name, bg_color, fg_color, description, pinned } of tags)
      yield { kind: 'tag', tag: { name, bg_color, fg_color, description, pinned: pinned === 1 } }
    if (tags.length < tagsAtOnce) return
    after = tags.at(-1)!.name
  }
}

interface OwnedItem {
  readonly userId: string
  readonly item: TreeItem
}

/** Nodes with their versions and pages, those of a batch read together. */
async function* nodeItems(db: Db, text: boolean): AsyncGenerator<OwnedItem, void, undefined> {
  const titles: string[] = []
  let after = 0
  for (;;) {
    const nodes = await readOrderedNodes(db, after, nodesAtOnce)
    if (nodes.length === 0) return
    after = nodes.at(-1)!.ordinal
    const ids = nodes.map(({ id }) => id)
    const tags = Map.groupBy(await tagNamesOf(db, ids), (tag) => tag.node_id)
    const versions = Map.groupBy(await versionFactsOf(db, ids), (version) => version.document_id)
    const inOrder = nodes.flatMap(({ id }) => versions.get(id) ?? [])
    const details = versionItems(db, inOrder, text)
    let next = await details.next()
    for (const node of nodes) {
      titles.length = node.depth
      titles.push(node.title)
      const names = tags.get(node.id)?.map(({ name }) => name) ?? []
      yield { userId: node.user_id, item: { kind: 'node', node: nodeOf(node, [...titles], names) } }
      while (next.done !== true && next.value.documentId === node.id) {
        yield { userId: node.user_id, item: next.value.item }
        next = await details.next()
      }
    }
  }
}

const nodeOf = (row: OrderedNode, path: readonly string[], tags: readonly string[]) => ({
  id: row.id,
  type: row.type,
  path,
  title: row.title,
  tags,
  created_at: row.created_at,
  updated_at: row.updated_at,
  lang: row.lang,
  ocr: row.ocr === null ? null : row.ocr === 1,
  ocr_status: row.ocr_status,
})

async function* versionItems(
  db: Db,
  versions: readonly VersionFacts[],
  text: boolean,
): AsyncGenerator<{ documentId: string; item: TreeItem }, void, undefined> {
  const pages = pageItems(db, versions, text)
  let next = await pages.next()
  const rows = text ? versionsWithText(db, versions) : versions.map((row) => ({ row }))
  for await (const { row, ...itsText } of rows) {
    const { document_id: documentId, media_key: _key, text_length: _length, ...facts } = row
    yield { documentId, item: { kind: 'version', version: { ...facts, ...itsText } } }
    while (next.done !== true && next.value.versionId === row.id) {
      yield { documentId, item: next.value.item }
      next = await pages.next()
    }
  }
}

async function* pageItems(
  db: Db,
  versions: readonly VersionFacts[],
  text: boolean,
): AsyncGenerator<{ versionId: string; item: TreeItem }, void, undefined> {
  for await (const facts of pageBatches(db, versions)) {
    const rows = text ? pagesWithText(db, facts) : facts.map((row) => ({ row }))
    for await (const { row, ...itsText } of rows) {
      const { id, number, lang, version_id: versionId } = row
      yield { versionId, item: { kind: 'page', page: { id, number, lang, ...itsText } } }
    }
  }
}
