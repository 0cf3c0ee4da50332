import { booleanField, choiceField, isObject, listField, textField, uuidField } from './drf-fields.ts'
import type { Findings, Json, JsonObject } from './drf-fields.ts'
import { nodeFields, tagDefaults, tagList, userFields, versionFields } from './papermerge-fields.ts'
import type { TagValues } from './papermerge-fields.ts'

/**
 * What Papermerge 2.1.9's restore does to its database, from `json.load` on: users one after another, each with its tags,
 * then its nodes by the depth of their breadcrumbs. The first exception ends it; what was written before stays.
 */

/** An exception that ends the restore, with every reason known at that point. */
export class RestoreRaises extends Error {
  readonly reasons: readonly string[]

  constructor(reasons: readonly string[]) {
    super(reasons.join('\n'))
    this.reasons = reasons
  }
}

/** A version's file: where the real program looks for it after the restore. */
export interface VersionFile {
  readonly path: string
  readonly where: string
}

/** The rows after the restore. */
export interface RestoredDatabase {
  users: number
  tags: number
  folders: number
  documents: number
  readonly versions: VersionFile[]
  /** Folders below which page files of a known version lie. */
  readonly pageFolders: Set<string>
  readonly losses: string[]
}

interface Node {
  readonly title: string
  readonly folder: boolean
  readonly children: Map<string, Node>
}

const createNode = (title: string, folder: boolean): Node => ({ title, folder, children: new Map() })

const ocrStatuses = ['unknown', 'received', 'started', 'succeeded', 'failed']

/** `PurePosixPath(text)`: its parts, as `['/', 'a']` or `['a', 'b']`. */
function pureParts(text: string): string[] {
  const root = /^\/\/(?!\/)/.test(text) ? '//' : text.startsWith('/') ? '/' : ''
  const parts = text.split('/').filter((part) => part !== '' && part !== '.')
  return root === '' ? parts : [root, ...parts]
}

const joinParts = (parts: readonly string[]): string =>
  parts[0]?.startsWith('/') === true ? parts[0] + parts.slice(1).join('/') : parts.join('/')

function parentParts(parts: readonly string[]): readonly string[] {
  return parts.length === 1 && parts[0]?.startsWith('/') === true ? parts : parts.slice(0, -1)
}

/** Runs field rules; throws RestoreRaises where one of them refuses. */
function validated<T>(losses: string[], rules: (findings: Findings) => T): T {
  const refused: string[] = []
  const result = rules({
    refused: (where, reason) => refused.push(`${where}: ${reason}`),
    altered: (where, reason) => losses.push(`${where}: ${reason}`),
  })
  if (refused.length > 0) throw new RestoreRaises(refused)
  return result
}

/** `get_by_breadcrumb`: every node of the user whose chain of titles from some ancestor titled like the first part fits. */
function lookUp(byTitle: Map<string, Node[]>, parts: readonly string[]): Node[] {
  const wanted = joinParts(parts)
  const found: Node[] = []
  const follow = (node: Node, chain: string): void => {
    if (chain === wanted) found.push(node)
    if (!wanted.startsWith(`${chain}/`)) return
    const child = node.children.get(wanted.slice(chain.length + 1).split('/', 1)[0] ?? '')
    if (child !== undefined) follow(child, `${chain}/${child.title}`)
  }
  for (const node of byTitle.get(parts[0] ?? '') ?? []) follow(node, node.title)
  return found
}

export const documentFolder = (kind: 'docs' | 'sidecars', userId: string, documentId: string, number: number): string =>
  `${kind}/user_${userId}/document_${documentId}/${number > 0 ? `v${number}/` : ''}`

interface UserContext {
  readonly database: RestoredDatabase
  readonly documentIds: Set<string>
  readonly userId: string
  readonly tags: Map<string, JsonObject>
  readonly roots: Node
  readonly byTitle: Map<string, Node[]>
}

function addChild(parent: Node, child: Node, byTitle: Map<string, Node[]>): void {
  parent.children.set(child.title, child)
  const twins = byTitle.get(child.title)
  if (twins === undefined) byTitle.set(child.title, [child])
  else twins.push(child)
}

function restoreDocument(
  node: JsonObject,
  where: string,
  context: UserContext,
): { tags: TagValues[]; save: () => void } {
  const { database, documentIds, userId } = context
  const { id, tags, versions } = validated(database.losses, (findings) => {
    nodeFields(node, where, findings)
    textField(node, 'lang', where, { max: 8 }, findings)
    booleanField(node, 'ocr', where, findings)
    choiceField(node, 'ocr_status', where, ocrStatuses, false, findings)
    const documentId = uuidField(node, 'id', where, findings)
    if (documentId !== undefined && documentIds.has(documentId)) {
      findings.refused(`${where}.id`, 'Documents with this id already exists.')
    }
    return {
      id: documentId ?? `new-${documentIds.size}`,
      tags: tagList(node, where, findings),
      versions: listField(node, 'versions', where, findings).map((version, index) =>
        versionFields(version, `${where}.versions[${index}]`, findings),
      ),
    }
  })
  const save = (): void => {
    documentIds.add(id)
    database.documents += 1
    if (versions.length === 0) database.losses.push(`${where}: a document without versions breaks every later backup`)
    versions.forEach(({ number, fileName }, index) => {
      const at = `${where}.versions[${index}]`
      database.versions.push({ path: `${documentFolder('docs', userId, id, number)}${fileName ?? 'None'}`, where: at })
      database.pageFolders.add(`${documentFolder('sidecars', userId, id, number)}pages/`)
      if (number !== index + 1) {
        database.losses.push(
          `${at}: number ${number} is not ${index + 1}: later backups have no link to the last version`,
        )
      }
      if (fileName === null) database.losses.push(`${at}: a version without a file name breaks every later backup`)
      else if (fileName.split('/').some((part) => part === '..' || part === '.' || part === '')) {
        database.losses.push(`${at}: the file name ${JSON.stringify(fileName)} is stored and leads elsewhere`)
      }
    })
  }
  return { tags, save }
}

function restoreNode(node: JsonObject, where: string, context: UserContext): void {
  const { database, roots, byTitle } = context
  const isFolder = node.ctype === 'folder'
  const parts = pureParts(node.breadcrumb as string)
  const above = parentParts(parts)
  let parent = roots
  if (above.length > 0) {
    const found = lookUp(byTitle, above)
    const first = found[0]
    if (first === undefined) throw new RestoreRaises([`${where}: Folder.DoesNotExist: ${joinParts(above)}`])
    if (!first.folder)
      throw new RestoreRaises([`${where}: RelatedObjectDoesNotExist: ${joinParts(above)} is a document`])
    if (found.length > 1)
      database.losses.push(`${where}: ${joinParts(above)} is ambiguous; it may come under another folder`)
    parent = first
  }
  const { tags, save } = isFolder
    ? validated(database.losses, (findings) => {
        nodeFields(node, where, findings)
        return { tags: tagList(node, where, findings), save: () => (database.folders += 1) }
      })
    : restoreDocument(node, where, context)
  const title = validated([], (findings) => textField(node, 'title', where, {}, findings)) ?? ''
  if (parent.children.has(title))
    throw new RestoreRaises([`${where}: UNIQUE constraint failed: ${JSON.stringify(title)} twice`])
  if (parts.length === 0 || parts.at(-1) !== title) {
    database.losses.push(`${where}: the breadcrumb does not end in the title ${JSON.stringify(title)}`)
  }
  addChild(parent, createNode(title, isFolder), byTitle)
  save()
  for (const tag of tags) {
    let known = context.tags.get(tag.name)
    if (known === undefined) {
      known = tagDefaults
      context.tags.set(tag.name, known)
      database.tags += 1
    }
    for (const [key, fallback] of Object.entries(tagDefaults)) {
      if ((tag.raw[key] ?? fallback) === (known[key] ?? fallback)) continue
      database.losses.push(`${where}: ${key} of the tag ${JSON.stringify(tag.name)} is not what the user's tags say`)
    }
  }
}

function restoreNodes(nodes: readonly JsonObject[], where: string, context: UserContext): void {
  const { losses } = context.database
  const ordered = nodes.map((node, index) => {
    const { breadcrumb } = node
    if (breadcrumb === undefined) throw new RestoreRaises([`${where}.nodes[${index}]: KeyError: 'breadcrumb'`])
    if (typeof breadcrumb !== 'string') {
      throw new RestoreRaises([`${where}.nodes[${index}]: TypeError: expected str, bytes or os.PathLike object`])
    }
    return { node, where: `${where}.nodes[${index}]`, depth: pureParts(breadcrumb).length }
  })
  ordered.sort((left, right) => left.depth - right.depth)
  for (const { node, where: at } of ordered) {
    if (node.title === '.home' || node.title === '.inbox') {
      const isRoot = node.ctype === 'folder' && joinParts(pureParts(node.breadcrumb as string)) === node.title
      if (!isRoot) losses.push(`${at}: skipped, for it is titled ${node.title}`)
      else if (Array.isArray(node.tags) && node.tags.length > 0)
        losses.push(`${at}: the tags of ${node.title} are ignored`)
      continue
    }
    if (!Object.hasOwn(node, 'ctype')) throw new RestoreRaises([`${at}: KeyError: 'ctype'`])
    restoreNode(node, at, context)
  }
}

/** Restores what `json.load` gave. `database` holds what was written, also when RestoreRaises is thrown. */
export function restoreDatabase(backup: Json, database: RestoredDatabase): void {
  if (!isObject(backup) || !Object.hasOwn(backup, 'users'))
    throw new RestoreRaises(["ValueError: 'users' key is missing"])
  const { users } = backup
  if (!Array.isArray(users)) throw new RestoreRaises(['users is not a list'])
  const ids = new Set<string>()
  const names = new Set<string>()
  const documentIds = new Set<string>()
  ;(users as readonly Json[]).forEach((user, index) => {
    const where = `users[${index}]`
    const { id, username, tags } = validated(database.losses, (findings) => {
      const fields = userFields(user, where, findings)
      if (fields.id !== '' && ids.has(fields.id)) findings.refused(`${where}.id`, 'user with this id already exists.')
      if (names.has(fields.username)) findings.refused(`${where}.username`, 'A user with that username already exists.')
      return fields
    })
    ids.add(id)
    names.add(username)
    database.users += 1
    database.folders += 2
    const known = new Map<string, JsonObject>()
    for (const tag of tags) {
      if (known.has(tag.name))
        throw new RestoreRaises([`${where}: UNIQUE constraint failed: the tag ${tag.name} twice`])
      known.set(tag.name, tag.raw)
      database.tags += 1
    }
    const roots = createNode('', true)
    const byTitle = new Map<string, Node[]>()
    for (const title of ['.home', '.inbox']) addChild(roots, createNode(title, true), byTitle)
    const userId = id === '' ? `new-${index}` : id
    restoreNodes((user as JsonObject).nodes as readonly JsonObject[], where, {
      database,
      documentIds,
      userId,
      tags: known,
      roots,
      byTitle,
    })
  })
}
