import type { TreeItem, TreeNode } from '../../contract/tree.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'

/** A folder or document of the contents with its place. */
export interface PlacedNode {
  /** Its row of plan_nodes. */
  readonly row: ScratchRow
  /** Titles from the top level down to its own. */
  readonly path: readonly string[]
}

/** Titles from the top level, or from the top of what was moved to the trash, down to the node's own. */
export function pathOf(scratch: Scratch, row: ScratchRow): readonly string[] {
  const path = [String(row.title)]
  let parent = row.parent_seq ?? null
  while (parent !== null) {
    const above = scratch.first('select title, parent_seq from plan_nodes where seq = ?', parent)
    if (above === undefined) break
    path.unshift(String(above.title))
    parent = above.parent_seq ?? null
  }
  return path
}

/** The users of the contents by name, byte by byte. */
export const contentsUsers = (scratch: Scratch): ScratchRow[] =>
  scratch.all('select * from plan_users order by username')

/**
 * The folders and documents of one user outside the trash, or in it: a folder before what it holds, siblings by title, byte
 * by byte. With `below`, the seq of a folder, only what lies below that. Memory grows with the depth alone.
 */
export function* contentsNodes(
  scratch: Scratch,
  u: number,
  below?: { readonly seq: number; readonly path: readonly string[] },
  inTrash = false,
): Generator<PlacedNode, void, undefined> {
  const children = (seq: number | null): IterableIterator<ScratchRow> =>
    scratch.rows(
      'select * from plan_nodes where parent_seq is ? and u = ? and in_trash = ? order by title, seq',
      seq,
      u,
      Number(inTrash),
    )
  const path = [...(below?.path ?? [])]
  const open = [children(below?.seq ?? null)]
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const { value: row, done } = level.next()
    if (done === true) {
      open.pop()
      path.pop()
      continue
    }
    path.push(String(row.title))
    yield { row, path: [...path] }
    if (row.type === 'folder') open.push(children(Number(row.seq)))
    else path.pop()
  }
}

/** A user and his tags. */
export function* userItems(scratch: Scratch, user: ScratchRow): Generator<TreeItem, void, undefined> {
  yield {
    kind: 'user',
    user: {
      id: String(user.id),
      username: String(user.username),
      email: String(user.email ?? ''),
      is_active: user.is_active === 1,
      is_superuser: user.is_superuser === 1,
    },
  }
  for (const tag of scratch.rows('select * from plan_tags where u = ? order by name', user.u!)) {
    yield {
      kind: 'tag',
      tag: {
        name: String(tag.name),
        bg_color: String(tag.bg_color),
        fg_color: String(tag.fg_color),
        description: textOrNull(tag.description),
        pinned: tag.pinned === 1,
      },
    }
  }
}

/**
 * The contents as the tree shows them, in its order: users, their tags, nodes, versions, pages. `text` adds the texts of
 * versions and pages.
 */
export function* contentsItems(
  scratch: Scratch,
  { text, username }: { readonly text: boolean; readonly username?: string },
): Generator<TreeItem, void, undefined> {
  for (const user of contentsUsers(scratch)) {
    if (username !== undefined && user.username !== username) continue
    yield* userItems(scratch, user)
    for (const placed of contentsNodes(scratch, Number(user.u))) yield* nodeItems(scratch, placed, text)
  }
}

/** A node with its versions and their pages. */
export function* nodeItems(scratch: Scratch, placed: PlacedNode, text: boolean): Generator<TreeItem, void, undefined> {
  const { row } = placed
  yield { kind: 'node', node: treeNode(scratch, placed) }
  if (row.type === 'folder') return
  for (const version of scratch.all(`${versionFacts} where document_id = ? order by number`, row.id!)) {
    yield {
      kind: 'version',
      version: {
        id: String(version.id),
        number: Number(version.number),
        file_name: textOrNull(version.file_name),
        size: version.size === null ? null : Number(version.size),
        sha256: textOrNull(version.sha256),
        media_type: textOrNull(version.media_type),
        page_count: version.page_count === null ? null : Number(version.page_count),
        lang: String(version.lang),
        short_description: String(version.short_description),
        created_at: textOrNull(version.created_at),
        ...(text ? { text: textOf(scratch, 'plan_versions', version) } : {}),
      },
    }
    for (const page of scratch.rows(
      'select id, number, lang from plan_pages where version_id = ? order by number',
      version.id!,
    )) {
      yield {
        kind: 'page',
        page: {
          id: String(page.id),
          number: Number(page.number),
          lang: String(page.lang),
          ...(text ? { text: textOf(scratch, 'plan_pages', page) } : {}),
        },
      }
    }
  }
}

const versionFacts = `select id, number, file_name, size, sha256, media_type, page_count, lang, short_description, created_at
  from plan_versions`

function treeNode(scratch: Scratch, { row, path }: PlacedNode): TreeNode {
  const tags = scratch.all(
    'select t.name from plan_node_tags n join plan_tags t on t.id = n.tag_id where n.node_id = ? order by t.name',
    row.id!,
  )
  return {
    id: String(row.id),
    type: row.type === 'folder' ? 'folder' : 'document',
    path,
    title: String(row.title),
    tags: tags.map(({ name }) => String(name)),
    created_at: textOrNull(row.created_at),
    updated_at: textOrNull(row.updated_at),
    lang: textOrNull(row.lang),
    ocr: row.ocr === null ? null : row.ocr === 1,
    ocr_status: textOrNull(row.ocr_status),
  }
}

const textOf = (scratch: Scratch, table: 'plan_versions' | 'plan_pages', { id }: ScratchRow): string =>
  String(scratch.first(`select text from ${table} where id = ?`, id!)?.text ?? '')

const textOrNull = (value: string | number | null | undefined): string | null =>
  value === null || value === undefined ? null : String(value)
