import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { formatPath, parsePath } from '../../domain/paths.ts'
import { homeTitle } from '../../domain/roots.ts'
import { StrongroomError } from '../../errors.ts'
import type { Contents } from './contents.ts'
import { nearPaths } from './near-paths.ts'
import { contentsUsers, pathOf, type PlacedNode } from './walk.ts'

/** What a person names of the contents; nothing named is everything. */
export interface Choice {
  /** Whose; needed where a path leads somewhere for several users. */
  readonly username?: string
  /** Paths of folders and documents outside the trash. */
  readonly paths: readonly string[]
  /** Ids of documents, in the trash or not. */
  readonly documents: readonly string[]
}

/** Something that was chosen: all that a user has, or a folder or document with what lies below it. */
export interface Chosen {
  readonly user: ScratchRow
  readonly node: PlacedNode | undefined
}

/**
 * Finds what was named, each thing once, in the order of naming; users by name where only they are. Throws
 * `contents.user_not_found`, `contents.nothing_there`, `contents.ambiguous_path`, `contents.document_not_found`,
 * `node.bad_path`.
 */
export function choose({ name, scratch }: Pick<Contents, 'name' | 'scratch'>, choice: Choice): readonly Chosen[] {
  const users = usersOf(name, scratch, choice.username)
  if (choice.paths.length === 0 && choice.documents.length === 0)
    return users.map((user) => ({ user, node: undefined }))
  const found = [
    ...choice.paths.map((path) => atPath(name, scratch, users, path)),
    ...choice.documents.map((id) => withId(name, scratch, users, id)),
  ]
  return [...new Map(found.map((chosen) => [chosen.node?.row.seq, chosen])).values()]
}

function usersOf(archive: string, scratch: Scratch, username: string | undefined): readonly ScratchRow[] {
  const users = contentsUsers(scratch)
  if (username === undefined) return users
  const chosen = users.filter((user) => user.username === username)
  if (chosen.length > 0) return chosen
  const names = users.slice(0, 10).map((user) => String(user.username))
  const known =
    users.length === 0 ? 'no users' : `${names.join(', ')}${users.length > names.length ? ' and others' : ''}`
  throw new StrongroomError('contents.user_not_found', { username, archive, known })
}

function atPath(archive: string, scratch: Scratch, users: readonly ScratchRow[], path: string): Chosen {
  const parsed = parsePath(path)
  if ('problem' in parsed) throw new StrongroomError('node.bad_path', { path, reason: parsed.problem })
  const found = users.flatMap((user) => {
    const node = follow(scratch, Number(user.u), parsed.titles)
    return node === undefined ? [] : [{ user, node }]
  })
  const [first, second] = found
  if (first === undefined) {
    const near = nearPaths(scratch, users, parsed.titles)
    const told = near.length === 0 ? '' : ` Near it: ${near.join(', ')}.`
    throw new StrongroomError('contents.nothing_there', { path, archive, near: told })
  }
  if (second === undefined) return first
  const names = found.slice(0, 10).map(({ user }) => String(user.username))
  throw new StrongroomError('contents.ambiguous_path', { path, users: names.join(', '), count: found.length })
}

/** As `locate` does for an instance: a path that begins with no top-level node of the user starts at the home. */
function follow(scratch: Scratch, u: number, titles: readonly string[]): PlacedNode | undefined {
  const atTop = titles[0] !== undefined && childOf(scratch, u, null, titles[0]) !== undefined
  let row: ScratchRow | undefined
  const path: string[] = []
  for (const title of atTop ? titles : [homeTitle, ...titles]) {
    row = childOf(scratch, u, row === undefined ? null : Number(row.seq), title)
    if (row === undefined) return undefined
    path.push(String(row.title))
  }
  return row === undefined ? undefined : { row, path }
}

const children = 'select * from plan_nodes where parent_seq is ? and u = ? and in_trash = 0'

/** What has just that title, else what differs from it in the way that its accents are put together alone. */
function childOf(scratch: Scratch, u: number, parent: number | null, title: string): ScratchRow | undefined {
  const exact = scratch.first(`${children} and title = ? order by seq`, parent, u, title)
  if (exact !== undefined || /^[\0-\x7f]*$/.test(title)) return exact
  const composed = title.normalize('NFC')
  for (const row of scratch.rows(`${children} order by seq`, parent, u))
    if (String(row.title).normalize('NFC') === composed) return row
  return undefined
}

function withId(archive: string, scratch: Scratch, users: readonly ScratchRow[], id: string): Chosen {
  const row = scratch.first("select * from plan_nodes where id = ? and type = 'document'", id.toLowerCase())
  const user = users.find(({ u }) => u === row?.u)
  if (row === undefined || user === undefined) throw new StrongroomError('contents.document_not_found', { id, archive })
  return { user, node: { row, path: pathOf(scratch, row) } }
}

/** How messages name something of the contents: `ada: .home/Taxes`. */
export const aboutNode = (user: ScratchRow, path: readonly string[]): string =>
  `${String(user.username)}: ${formatPath(path)}`
