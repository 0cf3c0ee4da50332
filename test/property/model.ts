import type { ConflictChoice } from '../../src/contract/restore-plan.ts'

/**
 * What an instance of one user ought to hold, told in memory and in the words of the manual: written without a look at the
 * code that it judges, but for the order in which an archive's nodes have their turn.
 */
export interface ModelNode {
  /** That of the instance, or one that begins with `?` until it is known. */
  readonly id: string
  readonly isFolder: boolean
  title: string
  parent: string | null
  /** For what was moved to the trash: the path that it had, and the folder. */
  from: string | null
  fromFolder: string | null
  tags: Set<string>
  versions: string[]
}

export interface ModelTag {
  readonly id: string
  name: string
  color: string
}

export interface Model {
  readonly nodes: Map<string, ModelNode>
  readonly tags: Map<string, ModelTag>
  /** The ids of copies that restores made, by the original's id and a number. They outlive what they stand for. */
  readonly copies: Map<string, string>
}

export const emptyModel = (): Model => ({ nodes: new Map(), tags: new Map(), copies: new Map() })

/** The same again, to be changed; what is known of copies stays common. */
export const cloneModel = ({ nodes, tags, copies }: Model): Model => ({
  nodes: new Map([...nodes].map(([id, node]) => [id, cloneNode(node)])),
  tags: new Map([...tags].map(([id, tag]) => [id, { ...tag }])),
  copies,
})

const cloneNode = (node: ModelNode): ModelNode => ({
  ...node,
  tags: new Set(node.tags),
  versions: [...node.versions],
})

let unknown = 0
/** An id that only the instance knows. */
export const unknownId = (): string => `?${(unknown += 1)}`

/** Puts the id of the instance in the place of an unknown one. */
export function learnId(model: Model, old: string, id: string): void {
  if (old === id) return
  const node = model.nodes.get(old)
  if (node !== undefined) {
    model.nodes.delete(old)
    model.nodes.set(id, { ...node, id })
  }
  const tag = model.tags.get(old)
  if (tag !== undefined) {
    model.tags.delete(old)
    model.tags.set(id, { ...tag, id })
  }
  for (const each of model.nodes.values()) {
    if (each.parent === old) each.parent = id
    if (each.fromFolder === old) each.fromFolder = id
    if (each.tags.delete(old)) each.tags.add(id)
  }
  for (const [key, copy] of model.copies) if (copy === old) model.copies.set(key, id)
}

/** The node and all above it, the highest first. */
export function lineOf({ nodes }: Model, id: string): ModelNode[] {
  const line: ModelNode[] = []
  for (let node = nodes.get(id); node !== undefined; node = node.parent === null ? undefined : nodes.get(node.parent))
    line.unshift(node)
  return line
}

export const pathIn = (model: Model, id: string): string =>
  lineOf(model, id)
    .map((node) => node.title)
    .join('/')

export const isGone = (model: Model, id: string): boolean => lineOf(model, id)[0]?.from !== null

export const childrenIn = ({ nodes }: Model, parent: string | null): ModelNode[] =>
  [...nodes.values()].filter((node) => node.parent === parent && node.from === null)

export const childIn = (model: Model, parent: string | null, title: string): ModelNode | undefined =>
  childrenIn(model, parent).find((node) => node.title === title)

/** Moves a node to the trash, with all below it. */
export function trashIn(model: Model, node: ModelNode): void {
  const from = pathIn(model, node.id)
  node.fromFolder = node.parent
  node.from = from
  node.parent = null
}

/** Removes what is in the trash. */
export function emptyTrashIn(model: Model): void {
  for (const id of [...model.nodes.keys()].filter((each) => isGone(model, each))) model.nodes.delete(id)
}

/** Changes the model as a restore of what an earlier one was would; returns how many conflicts there are. */
export function restoreIn(live: Model, archive: Model, choice: ConflictChoice): number {
  const restoring: Restoring = {
    live,
    archive,
    choice,
    conflicts: 0,
    targets: new Map(),
    matches: new Map(),
    turns: new Map(),
  }
  for (const tag of archive.tags.values()) restoreTag(restoring, tag)
  const depths = [...archive.nodes.values()].map((node) => ({
    node,
    depth: lineOf(archive, node.id).length,
    isKnown: live.nodes.has(node.id),
    gone: isGone(archive, node.id),
    path: lineOf(archive, node.id).map((each) => each.title),
  }))
  depths.sort(
    (left, right) =>
      left.depth - right.depth ||
      Number(right.isKnown) - Number(left.isKnown) ||
      Number(left.gone) - Number(right.gone) ||
      comparePaths(left.path, right.path),
  )
  for (const { node } of depths) {
    const parent = node.parent === null ? null : restoring.turns.get(node.parent)
    if (parent !== undefined) restoring.turns.set(node.id, restoreNode(restoring, node, parent))
  }
  return restoring.conflicts
}

interface Restoring {
  readonly live: Model
  readonly archive: Model
  readonly choice: ConflictChoice
  conflicts: number
  /** What each tag of the archive becomes, and which it is held against. */
  readonly targets: Map<string, string>
  readonly matches: Map<string, string>
  /** What each folder and document of the archive becomes; undefined where it is left out. */
  readonly turns: Map<string, string | undefined>
}

const comparePaths = (left: readonly string[], right: readonly string[]): number => {
  for (const [index, title] of left.entries()) {
    const other = right[index]
    if (other === undefined) return 1
    if (title !== other) return title < other ? -1 : 1
  }
  return left.length - right.length
}

const tagNamed = ({ tags }: Model, name: string): ModelTag | undefined =>
  [...tags.values()].find((tag) => tag.name === name)

function restoreTag(restoring: Restoring, tag: ModelTag): void {
  const { live, archive, choice, targets, matches } = restoring
  const known = live.tags.get(tag.id)
  const isOther = known !== undefined && known.name !== tag.name && tagNamed(archive, known.name) !== undefined
  const match = tagNamed(live, tag.name) ?? (isOther ? undefined : known)
  const become = (id: string): void => {
    targets.set(tag.id, id)
    matches.set(tag.id, match?.id ?? id)
  }
  if (match === undefined) {
    const id = known === undefined ? tag.id : unknownId()
    live.tags.set(id, { ...tag, id })
    return become(id)
  }
  if (match.name === tag.name && match.color === tag.color) return become(match.id)
  if (choice === 'fail') restoring.conflicts += 1
  if (choice === 'overwrite') Object.assign(match, { name: tag.name, color: tag.color })
  if (choice !== 'keep-both') return become(match.id)
  for (let number = 1; ; number += 1) {
    const id = copyId(live, `tag ${tag.id} ${number}`)
    const earlier = live.tags.get(id)
    if (earlier?.color === tag.color) return become(id)
    if (earlier !== undefined) continue
    const name = besideName(
      tag.name,
      (each) => tagNamed(live, each) !== undefined || tagNamed(archive, each) !== undefined,
    )
    live.tags.set(id, { id, name, color: tag.color })
    return become(id)
  }
}

function copyId({ copies }: Model, key: string): string {
  const id = copies.get(key) ?? unknownId()
  copies.set(key, id)
  return id
}

function besideName(name: string, isTaken: (name: string) => boolean): string {
  const dot = name.lastIndexOf('.')
  const [stem, end] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  for (let number = 1; ; number += 1) {
    const beside = number === 1 ? `${stem} (restored)${end}` : `${stem} (restored ${number})${end}`
    if (!isTaken(beside)) return beside
  }
}

/** Returns what the node becomes. */
function restoreNode(restoring: Restoring, node: ModelNode, parent: string | null): string | undefined {
  const { live, archive, choice } = restoring
  const known = live.nodes.get(node.id)
  if (node.from !== null || (parent !== null && isGone(live, parent))) {
    if (known === undefined) insert(restoring, node, { id: node.id, parent, title: node.title })
    return node.id
  }
  const there = childIn(live, parent, node.title)
  if (parent === null && (node.title === '.home' || node.title === '.inbox')) return there?.id
  const isAnother =
    there !== undefined && there.id !== node.id && (archive.nodes.has(there.id) || isTarget(restoring, there))
  const isSameFolder = node.isFolder && there?.isFolder === true && !isAnother
  if (known !== undefined && !(isSameFolder && isGone(live, known.id)))
    return restoreKnown(restoring, node, known, parent)
  if (there === undefined) return insert(restoring, node, { id: node.id, parent, title: node.title })
  if (isSameFolder) return there.id
  if (choice === 'fail') restoring.conflicts += 1
  if (choice === 'fail' || choice === 'skip') return undefined
  if (choice === 'keep-both' || !giveWay(restoring, there)) return restoreBeside(restoring, node, parent)
  return insert(restoring, node, { id: node.id, parent, title: node.title })
}

function restoreKnown(
  restoring: Restoring,
  node: ModelNode,
  known: ModelNode,
  parent: string | null,
): string | undefined {
  const { live, choice, matches } = restoring
  const isTrashed = isGone(live, known.id)
  const isSame =
    !isTrashed && known.parent === parent && known.title === node.title && sameContent(known, node, matches)
  if (isSame) return node.id
  if (choice === 'fail') restoring.conflicts += 1
  if (isTrashed) return choice === 'fail' || choice === 'skip' ? undefined : restoreBeside(restoring, node, parent)
  if (choice === 'fail' || choice === 'skip') return node.id
  if (choice === 'keep-both') return node.isFolder ? node.id : restoreBeside(restoring, node, parent)
  const isInItself = parent !== null && lineOf(live, parent).some((each) => each.id === node.id)
  const there = childIn(live, parent, node.title)
  const isBlocked = there !== undefined && there.id !== known.id && !giveWay(restoring, there)
  if (node.isFolder) {
    if (isInItself || isBlocked) return node.id
    known.parent = parent
    known.title = node.title
    known.tags = tagsFor(restoring, node)
    return node.id
  }
  if (isBlocked) return restoreBeside(restoring, node, parent)
  const replaced = { ...cloneNode(known), id: unknownId() }
  live.nodes.set(replaced.id, replaced)
  trashIn(live, replaced)
  live.nodes.delete(node.id)
  return insert(restoring, node, { id: node.id, parent, title: node.title })
}

const isTarget = ({ turns }: Restoring, node: ModelNode): boolean => [...turns.values()].includes(node.id)

/** What the archive has use for stays where it is. */
function giveWay(restoring: Restoring, node: ModelNode): boolean {
  if (isTarget(restoring, node)) return false
  trashIn(restoring.live, node)
  return true
}

function restoreBeside(restoring: Restoring, node: ModelNode, parent: string | null): string {
  const { live, archive, targets } = restoring
  for (let number = 1; ; number += 1) {
    const id = copyId(live, `node ${node.id} ${number}`)
    const earlier = live.nodes.get(id)
    if (earlier === undefined) {
      const isTaken = (title: string): boolean =>
        childIn(live, parent, title) !== undefined ||
        childrenIn(archive, node.parent).some((each) => each.id !== node.id && each.title === title)
      const title = isTaken(node.title) ? besideName(node.title, isTaken) : node.title
      return insert(restoring, node, { id, parent, title })
    }
    if (isGone(live, id)) continue
    if (node.isFolder || sameContent(earlier, node, targets)) return id
  }
}

const tagsFor = ({ targets }: Restoring, node: ModelNode): Set<string> =>
  new Set([...node.tags].map((tag) => targets.get(tag)!))

function insert(restoring: Restoring, node: ModelNode, place: Pick<ModelNode, 'id' | 'parent' | 'title'>): string {
  restoring.live.nodes.set(place.id, { ...cloneNode(node), ...place, tags: tagsFor(restoring, node) })
  return place.id
}

function sameContent(live: ModelNode, node: ModelNode, tags: ReadonlyMap<string, string>): boolean {
  const wanted = new Set([...node.tags].map((tag) => tags.get(tag)!))
  return (
    wanted.size === live.tags.size &&
    [...wanted].every((tag) => live.tags.has(tag)) &&
    node.versions.join('\0') === live.versions.join('\0')
  )
}
