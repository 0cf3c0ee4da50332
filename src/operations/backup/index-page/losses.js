import { byId, element, nameOf } from './elements.js'
import { documents, losses } from './model.js'
import { placeParts } from './rows.js'
import { harmText, visible } from './words.js'

/** @typedef {import('./model.js').Loss} Loss */

const firstListed = 10
const listedAtOnce = 100

/** Lists what was missing or damaged when the backup was made. */
export function showLosses() {
  const places = new Map(
    documents.flatMap((document) =>
      document.versions.flatMap((version) =>
        version.loss === undefined ? [] : [[version.path, { document, version }]],
      ),
    ),
  )

  /** @param {Loss} loss */
  function item({ path, what, reason }) {
    const place = places.get(path)
    const text = what === 'missing' ? visible(reason) : `${harmText(what)}, ${visible(reason)}`
    const about = place === undefined ? [nameOf('span', kindOf(path))] : aboutVersion(place)
    return element('li', '', element('p', '', ...about, `: ${text}`), element('p', 'path', visible(path)))
  }

  const list = byId('lost')
  const more = byId('more-lost')
  const showNext = () => {
    const from = list.childElementCount
    list.append(...losses.slice(from, from === 0 ? firstListed : from + listedAtOnce).map(item))
    const left = losses.length - list.childElementCount
    more.hidden = left === 0
    more.textContent = `Show more (${left.toLocaleString('en')} left)`
  }
  more.addEventListener('click', showNext)
  showNext()
  byId('which').hidden = false
}

/** @param {{ document: import('./model.js').Doc, version: import('./model.js').Version }} place */
const aboutVersion = ({ document, version }) => [
  nameOf('strong', document.title),
  ' in ',
  ...placeParts(document.folder),
  ...(document.versions.length > 1 ? [`, version ${version.number} of ${document.versions.length}`] : []),
]

/** What it is that is not in the list. @param {string} path */
const kindOf = (path) =>
  path.startsWith('strongroom/trash/')
    ? 'A file of the trash'
    : path.startsWith('docs/')
      ? 'A document'
      : 'What was read from a page; it can be made again from its document'
