/** What the page knows: people, folders, documents, as the backup wrote them into it. */

/** @typedef {readonly [number: number, fileName: string | null, size: number, pages: number | null, date: string | null]} VersionData */
/** @typedef {readonly [depth: number, title: string, tags: readonly number[]]} FolderData */
/** @typedef {readonly [...FolderData, id: string, date: string | null, versions: readonly VersionData[]]} DocumentData */
/** @typedef {{ id: string, name: string, tags: readonly (readonly [string, string])[], nodes: readonly (FolderData | DocumentData)[] }} PersonData */
/** @typedef {{ readonly path: string, readonly what: string, readonly reason: string }} Loss */

/** @typedef {{ readonly name: string, readonly color: string }} Tag */
/**
 * A folder, or all that a person has, or everything; `first` to `end` are the documents in it and below it.
 * @typedef {{ title: string, parent: Folder | null, isPlace: boolean, tags: readonly Tag[], folders: Folder[], first: number, end: number }} Folder
 */
/** @typedef {{ number: number, fileName: string | null, size: number, pages: number | null, date: string | null, path: string, loss: Loss | undefined }} Version */
/** @typedef {{ ordinal: number, title: string, folder: Folder, tags: readonly Tag[], date: string | null, versions: readonly Version[] }} Doc */

/** @param {string} id @returns {unknown} */
const island = (id) => JSON.parse(document.getElementById(id)?.textContent ?? 'null')

/** What was missing or damaged when the backup was made. */
export const losses = /** @type {{ damaged: readonly Loss[] }} */ (island('damage')).damaged

const lossAt = new Map(losses.map((loss) => [loss.path, loss]))

/** @param {string} title @param {Folder | null} parent @param {number} first @param {readonly Tag[]} tags @returns {Folder} */
const newFolder = (title, parent, first, tags = []) => ({
  title,
  parent,
  isPlace: true,
  tags,
  folders: [],
  first,
  end: first,
})

/** Everything. */
export const all = { ...newFolder('Everything', null, 0), isPlace: false }

/** @type {Doc[]} In the order of the folders. */
export const documents = []

for (const person of /** @type {readonly PersonData[]} */ (island('documents'))) readPerson(person)
all.end = documents.length

/** @param {PersonData} person */
function readPerson({ id, name, tags: tagData, nodes }) {
  const root = { ...newFolder(name, all, documents.length), isPlace: false }
  all.folders.push(root)
  const known = tagData.map(([name, color]) => ({ name, color }))
  /** @type {Folder[]} The folders that are open where the walk is. */
  const open = [root]
  /** @param {number} depth */
  const close = (depth) => {
    while (open.length > depth) /** @type {Folder} */ (open.pop()).end = documents.length
  }
  for (const node of nodes) {
    const [depth, title, tagNumbers] = node
    close(depth + 1)
    const parent = /** @type {Folder} */ (open.at(-1))
    const tags = tagNumbers.flatMap((number) => known[number] ?? [])
    if (node.length === 3) {
      const isRoot = depth === 0 && (title === '.home' || title === '.inbox')
      const folder = newFolder(isRoot ? (title === '.home' ? 'Home' : 'Inbox') : title, parent, documents.length, tags)
      parent.folders.push(folder)
      open.push(folder)
    } else {
      const [, , , document, date, versions] = node
      const place = `docs/user_${id}/document_${document}`
      documents.push({
        ordinal: documents.length,
        title,
        folder: parent,
        tags,
        date,
        versions: versions.map((version) => readVersion(place, version)),
      })
    }
  }
  close(0)
}

/** @param {string} place @param {VersionData} version @returns {Version} */
function readVersion(place, [number, fileName, size, pages, date]) {
  const path = `${place}/v${number}/${fileName ?? ''}`
  return { number, fileName, size, pages, date, path, loss: lossAt.get(path) }
}

/** The folders that hold a folder or a document, outermost first, itself last. @param {Folder} folder @returns {Folder[]} */
export function placesOf(folder) {
  /** @type {Folder[]} */
  const line = []
  for (let at = /** @type {Folder | null} */ (folder); at !== null && at !== all; at = at.parent) line.unshift(at)
  return all.folders.length > 1 ? line : line.filter(({ isPlace }) => isPlace)
}

/** @type {Map<Folder, readonly Tag[]>} */
const tagsOfFolders = new Map()

/** The tags of a folder and of those above it. @param {Folder} folder @returns {readonly Tag[]} */
function folderTags(folder) {
  const known = tagsOfFolders.get(folder)
  if (known !== undefined) return known
  const tags = [...new Set(placesOf(folder).flatMap((place) => place.tags))]
  tagsOfFolders.set(folder, tags)
  return tags
}

/** The tags of the folders that a document lies in, without its own. @param {Doc} document */
export const inheritedTags = (document) => folderTags(document.folder).filter((tag) => !document.tags.includes(tag))

/** @param {Doc} document */
const allTags = (document) => [...document.tags, ...inheritedTags(document)]

/** A text as it is compared: without case, accents and compatible forms. @param {string} text */
const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

/** @type {string[]} What is searched, for each document; made at the first search. */
let searched = []

/** @param {Doc} document */
function searchedText(document) {
  const places = placesOf(document.folder).map(({ title }) => title)
  const tags = allTags(document).map(({ name }) => name)
  const files = document.versions.map(({ fileName }) => fileName ?? '')
  return fold([document.title, ...places, ...tags, ...new Set(files)].join('\n'))
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

/** @type {Record<string, (left: Doc, right: Doc) => number>} */
const orders = {
  title: (left, right) => collator.compare(left.title, right.title),
  'title-down': (left, right) => collator.compare(right.title, left.title),
  newest: (left, right) => compareDates(right.date, left.date),
  oldest: (left, right) => compareDates(left.date, right.date),
}

/** @param {string | null} left @param {string | null} right */
const compareDates = (left, right) => ((left ?? '') < (right ?? '') ? -1 : Number((left ?? '') > (right ?? '')))

/**
 * The documents in a folder and below it that have each word and each tag, sorted.
 * @param {{ folder: Folder, query: string, tags: ReadonlySet<string>, order: string }} wish
 */
export function find({ folder, query, tags, order }) {
  const words = fold(query).split(/\s+/).filter(Boolean)
  if (words.length > 0 && searched.length === 0) searched = documents.map(searchedText)
  const found = documents.slice(folder.first, folder.end).filter((document) => {
    const text = searched[document.ordinal] ?? ''
    return words.every((word) => text.includes(word)) && hasTags(document, tags)
  })
  const compare = orders[order]
  return compare === undefined ? found : found.sort(compare)
}

/** @param {Doc} document @param {ReadonlySet<string>} tags */
function hasTags(document, tags) {
  if (tags.size === 0) return true
  const names = new Set(allTags(document).map(({ name }) => name))
  return [...tags].every((tag) => names.has(tag))
}

/** The tags of documents in a folder and below it, the most used first. @param {Folder} folder */
export function tagsIn(folder) {
  /** @type {Map<string, { tag: Tag, uses: number }>} */
  const found = new Map()
  for (const document of documents.slice(folder.first, folder.end)) {
    for (const tag of allTags(document)) {
      const entry = found.get(tag.name)
      if (entry === undefined) found.set(tag.name, { tag, uses: 1 })
      else entry.uses += 1
    }
  }
  return [...found.values()].sort(
    (left, right) => right.uses - left.uses || collator.compare(left.tag.name, right.tag.name),
  )
}
