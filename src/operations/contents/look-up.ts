import type { ArchiveDirectory } from '../../archive/directory.ts'
import type { DirectoryUser } from '../../archive/directory-format.ts'
import type { Range, UserParts } from '../../archive/survey-parts.ts'
import { parsePath } from '../../domain/paths.ts'
import { homeTitle, inboxTitle } from '../../domain/roots.ts'
import type { Choice } from './choose.ts'

/**
 * Finds in the directory of an archive what `choose` will choose, and all that leads to it; undefined where something is not
 * there, as an error can tell only who has seen everything. Throws DirectoryError.
 */
export async function lookUp(
  directory: ArchiveDirectory,
  { username, paths, documents }: Choice,
): Promise<readonly UserParts[] | undefined> {
  const users = directory.users.filter((user) => username === undefined || user.username === username)
  if (users.length === 0) return undefined
  const chosen = new Map<DirectoryUser, Range[]>()
  const choose = (user: DirectoryUser, range: Range): void => {
    chosen.set(user, [...(chosen.get(user) ?? []), range])
  }
  if (paths.length + documents.length === 0) {
    for (const user of users) choose(user, [user.nodes[0], user.nodes[2]])
  }
  for (const path of paths) {
    const parsed = parsePath(path)
    if ('problem' in parsed) return undefined
    const found: (readonly [DirectoryUser, number])[] = []
    for (const user of users) {
      const number = await follow(directory, user, parsed.titles)
      if (number !== undefined) found.push([user, number])
    }
    if (found.length === 0) return undefined
    for (const [user, number] of found) choose(user, [number, await directory.endOf(number)])
  }
  for (const id of documents) {
    const number = await directory.documentWithId(id.toLowerCase())
    const user = users.find(({ nodes: [first, , end] }) => number !== undefined && first <= number && number < end)
    if (number === undefined || user === undefined) return undefined
    choose(user, [number, number + 1])
  }
  const parts: UserParts[] = []
  for (const user of directory.users) {
    const wanted = chosen.get(user)
    if (wanted === undefined) continue
    const withFiles = joined(wanted)
    parts.push({ user, nodes: joined([...withFiles, ...(await leadingTo(directory, user, withFiles))]), withFiles })
  }
  return parts
}

/** As `choose` follows a path: one that begins with no top-level node of the user starts at the home. */
async function follow(
  directory: ArchiveDirectory,
  user: DirectoryUser,
  titles: readonly string[],
): Promise<number | undefined> {
  const [first] = titles
  const atTop = first !== undefined && (await childOf(directory, user, null, first)) !== undefined
  let number: number | undefined
  for (const title of atTop ? titles : [homeTitle, ...titles]) {
    number = await childOf(directory, user, number ?? null, title)
    if (number === undefined) return undefined
  }
  return number
}

/** What has just that title, else the first that differs in the way that its accents are put together alone. */
async function childOf(
  directory: ArchiveDirectory,
  user: DirectoryUser,
  parent: number | null,
  title: string,
): Promise<number | undefined> {
  const exact = await directory.childOf(user, parent, title)
  if (exact !== undefined || /^[\0-\x7f]*$/.test(title)) return exact
  const composed = title.normalize('NFC')
  const end = parent === null ? user.nodes[1] : await directory.endOf(parent)
  for (let number = parent === null ? user.nodes[0] : parent + 1; number < end;) {
    const node = await directory.node(number)
    if (node.title.normalize('NFC') === composed) return number
    number = await directory.endOf(number)
  }
  return undefined
}

/** The folders above what is wanted, and the two roots that each user has. */
async function leadingTo(
  directory: ArchiveDirectory,
  user: DirectoryUser,
  wanted: readonly Range[],
): Promise<readonly Range[]> {
  const numbers = new Set<number>()
  for (const title of [homeTitle, inboxTitle]) {
    const root = await directory.childOf(user, null, title)
    if (root !== undefined) numbers.add(root)
  }
  for (const [from] of wanted) {
    let above = from < user.nodes[2] ? (await directory.node(from)).parent : null
    while (above !== null && !numbers.has(above)) {
      numbers.add(above)
      above = (await directory.node(above)).parent
    }
  }
  return [...numbers].map((number) => [number, number + 1])
}

/** The same numbers in rising order, with none twice. */
function joined(ranges: readonly Range[]): readonly Range[] {
  const result: (readonly [number, number])[] = []
  for (const [from, to] of ranges.toSorted((left, right) => left[0] - right[0])) {
    const last = result.at(-1)
    if (last !== undefined && from <= last[1]) result[result.length - 1] = [last[0], Math.max(last[1], to)]
    else result.push([from, to])
  }
  return result
}
