import { element, nameOf, plainButton } from './elements.js'
import { inheritedTags, placesOf } from './model.js'
import { addressOf, counted, dateText, harmText, sizeText, typeText } from './words.js'

/** @typedef {import('./model.js').Doc} Doc */
/** @typedef {import('./model.js').Folder} Folder */
/** @typedef {import('./model.js').Tag} Tag */
/** @typedef {import('./model.js').Version} Version */

/** @param {Version | undefined} version */
const isThere = (version) =>
  version !== undefined && version.fileName !== null && (version.loss === undefined || version.loss.what === 'changed')

/** A link to a version where its file is there, else its name alone. @param {Version | undefined} version @param {string} name */
function versionLink(version, name) {
  if (version === undefined || !isThere(version)) return nameOf('span', name)
  const link = nameOf('a', name)
  return Object.assign(link, { href: addressOf(version.path), target: '_blank', rel: 'noopener noreferrer' })
}

/** @param {Version | undefined} version */
function badges(version) {
  if (version === undefined || version.fileName === null) return [element('span', 'badge', 'no file was ever stored')]
  return version.loss === undefined ? [] : [element('span', 'badge bad', harmText(version.loss.what))]
}

/** The colour and the name of a tag. @param {Tag} tag */
export function tagParts({ name, color }) {
  const swatch = element('span', 'swatch')
  // What is no colour is ignored, and nothing but a colour can be set here.
  swatch.style.backgroundColor = color
  return [swatch, nameOf('span', name)]
}

/** Where a folder is, from the outside in. @param {Folder} folder */
export const placeParts = (folder) =>
  placesOf(folder).flatMap(({ title }, index) => [...(index === 0 ? [] : [' › ']), nameOf('span', title)])

/**
 * A document as an entry of the list.
 * @param {Doc} document @param {(folder: Folder) => void} onFolder
 */
export function row(document, onFolder) {
  const { folder, versions, tags } = document
  const last = versions.at(-1)
  const facts = [
    element('span', 'date', dateText(document.date)),
    ...(last === undefined || last.pages === null ? [] : [element('span', 'pages', counted(last.pages, 'page'))]),
    ...(last === undefined || last.fileName === null ? [] : [element('span', 'size', sizeText(last.size))]),
    element('span', 'type', typeText(last?.fileName ?? null)),
  ]
  const where = placeParts(folder)
  const place = plainButton('place', () => onFolder(folder), ...where)
  place.title = 'Show this folder'
  const marks = element(
    'ul',
    'marks',
    ...tags.map((tag) => element('li', 'tag', ...tagParts(tag))),
    ...inheritedTags(document).map((tag) => element('li', 'tag of-folder', ...tagParts(tag))),
  )
  marks.setAttribute('aria-label', 'Tags')
  const summary = element('summary', '', versions.length > 1 ? counted(versions.length, 'version') : 'Details')
  const details = element('details', '', summary)
  details.addEventListener('toggle', () => {
    if (details.open && details.childElementCount === 1) details.append(versionList(versions))
  })
  return element(
    'li',
    'document',
    element('p', 'title', versionLink(last, document.title), ...badges(last)),
    element('p', 'facts', ...facts),
    ...(where.length > 0 ? [place] : []),
    ...(marks.childElementCount > 0 ? [marks] : []),
    details,
  )
}

/** The newest first. @param {readonly Version[]} versions */
function versionList(versions) {
  if (versions.length === 0) return element('p', '', 'It has no version.')
  const items = versions.toReversed().map((version) => {
    const { number, fileName, pages, size, loss, path } = version
    const facts = [
      dateText(version.date),
      ...(pages === null ? [] : [counted(pages, 'page')]),
      ...(fileName === null ? [] : [sizeText(size)]),
    ]
    const name = fileName === null ? [] : [versionLink(version, fileName), ', ']
    return element(
      'li',
      '',
      element('p', '', `Version ${number}: `, ...name, `${facts.join(', ')} `, ...badges(version)),
      ...(loss === undefined ? [] : [element('p', '', loss.reason)]),
      ...(fileName === null ? [] : [element('p', 'path', path)]),
    )
  })
  return element('ol', 'versions', ...items)
}
