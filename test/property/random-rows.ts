import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { openDatabase } from '../../src/database/open.ts'
import type { Schema } from '../../src/database/schema.ts'
import { sidecarKey, versionKey } from '../../src/media/keys.ts'
import type { CommandInstance } from '../support/command-instances.ts'
import type { RandomInstance } from './random-instance.ts'

const tables = [
  'users',
  'groups',
  'memberships',
  'nodes',
  'tags',
  'node_tags',
  'versions',
  'pages',
  'sidecars',
] as const

type Rows = { readonly [T in (typeof tables)[number]]: Schema[T][] }

interface Made {
  readonly rows: Rows
  /** Media key -> content. */
  readonly files: Map<string, string>
  nextId(): string
}

type RandomUser = RandomInstance['users'][number]
type RandomDocument = NonNullable<RandomUser['nodes'][number]['document']>

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function addVersions(
  { rows, files, nextId }: Made,
  userId: string,
  documentId: string,
  versions: RandomDocument['versions'],
): void {
  for (const { file, pages, ...values } of versions) {
    const id = nextId()
    const at = { userId, documentId, number: values.number }
    const media_key = file === null ? null : versionKey({ ...at, fileName: file.name })
    if (file !== null && media_key !== null) files.set(media_key, file.content)
    rows.versions.push({
      ...values,
      id,
      document_id: documentId,
      file_name: file?.name ?? null,
      size: file === null ? null : Buffer.byteLength(file.content),
      sha256: file === null ? null : sha256(file.content),
      media_type: file?.media_type ?? null,
      media_key,
    })
    for (const { sidecars, ...page } of pages) {
      const pageId = nextId()
      rows.pages.push({ ...page, id: pageId, version_id: id })
      for (const kind of sidecars) {
        const key = sidecarKey({ ...at, pageNumber: page.number, kind })
        files.set(key, kind)
        rows.sidecars.push({ page_id: pageId, kind, size: kind.length, sha256: sha256(kind), media_key: key })
      }
    }
  }
}

function addNodes(made: Made, userId: string, tagIds: readonly string[], nodes: RandomUser['nodes']): void {
  const { rows, nextId } = made
  const taken = new Set<string>()
  const folders: (string | null)[] = []
  const asFolder = { type: 'folder', user_id: userId, lang: null, ocr: null, ocr_status: null } as const
  const alive = { deleted_at: null, deleted_parent: null, deleted_from: null }
  for (const title of ['.home', '.inbox']) {
    const id = nextId()
    rows.nodes.push({ ...asFolder, ...alive, id, parent_id: null, title, created_at: null, updated_at: null })
    folders.push(id)
    taken.add(`null ${title}`)
  }
  for (const { place, document, tags, trashed, ...values } of nodes) {
    const folder = folders[place] ?? null
    if (trashed === null && taken.has(`${folder} ${values.title}`)) continue
    if (trashed === null) taken.add(`${folder} ${values.title}`)
    const id = nextId()
    const at =
      trashed === null
        ? { ...alive, parent_id: folder }
        : {
            parent_id: null,
            deleted_at: trashed.deleted_at,
            deleted_parent: trashed.isGone ? nextId() : folder,
            deleted_from: trashed.deleted_from,
          }
    if (document === null) {
      rows.nodes.push({ ...values, ...asFolder, ...at, id })
      folders.push(id)
    } else {
      const { versions, ...fields } = document
      rows.nodes.push({ ...values, ...fields, ...at, id, type: 'document', user_id: userId })
      addVersions(made, userId, id, versions)
    }
    for (const position of tags) {
      const tag_id = tagIds[position]
      if (tag_id !== undefined) rows.node_tags.push({ node_id: id, tag_id })
    }
  }
}

function rowsOf({ users, groups }: RandomInstance): Made {
  let count = 0
  const rows: Rows = {
    users: [],
    groups: [],
    memberships: [],
    nodes: [],
    tags: [],
    node_tags: [],
    versions: [],
    pages: [],
    sidecars: [],
  }
  const made: Made = {
    rows,
    files: new Map(),
    nextId: () => `00000000-0000-4000-8000-${(count += 1).toString(16).padStart(12, '0')}`,
  }
  for (const group of groups) rows.groups.push({ ...group, id: made.nextId() })
  for (const { nodes, tags, groups: memberships, ...user } of users) {
    const id = made.nextId()
    rows.users.push({ ...user, id })
    const tagIds = tags.map((tag) => {
      const tagId = made.nextId()
      rows.tags.push({ ...tag, id: tagId, user_id: id })
      return tagId
    })
    for (const position of memberships) {
      const group = rows.groups[position]
      if (group !== undefined) rows.memberships.push({ user_id: id, group_id: group.id })
    }
    addNodes(made, id, tagIds, nodes)
  }
  return made
}

/** Puts it into an instance without anything. */
export async function fillAtRandom(instance: CommandInstance, random: RandomInstance): Promise<void> {
  const { rows, files } = rowsOf(random)
  for (const [key, content] of files) {
    const path = join(instance.dataDirectory, 'media', key)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
  await using database = await openDatabase({ dataDirectory: instance.dataDirectory, url: instance.url })
  await database.write(async (tx) => {
    for (const table of tables) {
      for (const row of rows[table]) await tx.insertInto(table).values(row).execute()
    }
  })
}
