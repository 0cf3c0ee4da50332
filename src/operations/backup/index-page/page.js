import { byId, element, plainButton } from './elements.js'
import { showLosses } from './losses.js'
import { all, documents, find, losses, tagsIn } from './model.js'
import { row, tagParts } from './rows.js'
import { showTree } from './tree.js'
import { counted, visible } from './words.js'

/** @typedef {import('./model.js').Doc} Doc */
/** @typedef {import('./model.js').Folder} Folder */

const rowsAtOnce = 100
const tagsAtOnce = 24
/** The time in which somebody types the next letter, in milliseconds. */
const pause = 120

const query = /** @type {HTMLInputElement} */ (byId('query'))
const order = /** @type {HTMLSelectElement} */ (byId('order'))
const person = /** @type {HTMLSelectElement} */ (byId('person'))
const list = byId('list')
const more = byId('more')

/** What is asked for now. `scope` is a person, or everything. */
const wish = { scope: all, folder: all, tags: /** @type {Set<string>} */ (new Set()), allTags: false }
/** @type {readonly Doc[]} */
let found = []
let shown = 0

function showRows() {
  const next = found.slice(shown, shown + rowsAtOnce)
  list.append(...next.map((document) => row(document, (folder) => tree.choose(folder))))
  shown += next.length
  more.hidden = shown >= found.length
  more.textContent = `Show ${Math.min(rowsAtOnce, found.length - shown)} more`
}

function showList() {
  found = find({ folder: wish.folder, query: query.value, tags: wish.tags, order: order.value })
  shown = 0
  list.replaceChildren()
  showRows()
  list.removeAttribute('aria-busy')
  byId('count').textContent = countText()
  byId('reset').hidden = !isSearch() && wish.folder === wish.scope
}

const isSearch = () => query.value.trim() !== '' || wish.tags.size > 0

function countText() {
  const where = wish.folder === wish.scope ? '' : ` in ${visible(wish.folder.title)}`
  if (documents.length === 0) return 'This backup holds no documents.'
  if (found.length === 0)
    return isSearch() ? `Nothing found${where}. Try fewer words or tags.` : `No documents${where || ' here'}.`
  const whole = counted(wish.scope.end - wish.scope.first, 'document')
  return isSearch() || where !== '' ? `${found.length.toLocaleString('en')} of ${whole}${where}` : whole
}

function showTags() {
  const tags = tagsIn(wish.scope)
  const listed = wish.allTags ? tags : tags.filter(({ tag }, index) => index < tagsAtOnce || wish.tags.has(tag.name))
  const chips = listed.map(({ tag, uses }) => {
    const chip = plainButton(
      'chip',
      () => {
        if (!wish.tags.delete(tag.name)) wish.tags.add(tag.name)
        chip.setAttribute('aria-pressed', String(wish.tags.has(tag.name)))
        showList()
      },
      ...tagParts(tag),
      element('span', 'uses', uses.toLocaleString('en')),
    )
    chip.setAttribute('aria-pressed', String(wish.tags.has(tag.name)))
    return chip
  })
  const showAll = () => {
    wish.allTags = true
    showTags()
  }
  const rest = plainButton('rest', showAll, `All ${tags.length.toLocaleString('en')} tags`)
  byId('tags').replaceChildren(...chips, ...(listed.length < tags.length ? [rest] : []))
  byId('tags').hidden = tags.length === 0
}

/** Forgets what was asked for, and begins with a person or everything. @param {Folder} scope */
function begin(scope) {
  Object.assign(wish, { scope, folder: scope, allTags: false })
  wish.tags.clear()
  query.value = ''
  tree.show(scope)
  showTags()
  showList()
}

const tree = showTree(byId('tree'), (folder) => {
  wish.folder = folder
  showList()
})

/** @type {number | undefined} */
let waiting
query.addEventListener('input', () => {
  clearTimeout(waiting)
  list.setAttribute('aria-busy', 'true')
  waiting = setTimeout(showList, pause)
})
order.addEventListener('change', showList)
more.addEventListener('click', () => {
  const next = shown
  showRows()
  const link = list.children[next]?.querySelector('a, button, summary')
  if (link instanceof HTMLElement) link.focus()
})
byId('reset').addEventListener('click', () => {
  begin(wish.scope)
  query.focus()
})
person.append(
  ...['Everyone', ...all.folders.map(({ title }) => visible(title))].map(
    (name, index) => new Option(name, String(index)),
  ),
)
person.addEventListener('change', () => begin(all.folders[Number(person.value) - 1] ?? all))
byId('person-choice').hidden = all.folders.length < 2

const isNarrow = matchMedia('(max-width: 48rem)').matches
if (isNarrow) byId('folders').removeAttribute('open')
if (losses.length > 0) showLosses()
if (!isNarrow && losses.length <= 3) byId('which').setAttribute('open', '')
// The browser may remember what stood in the fields when the page was left.
order.value = 'folder'
person.value = '0'
begin(all.folders.length === 1 ? (all.folders[0] ?? all) : all)
byId('browser').hidden = false
