import { all } from './model.js'
import { element, nameOf, plainButton } from './elements.js'
import { visible } from './words.js'

/** @typedef {import('./model.js').Folder} Folder */

const foldersAtOnce = 200

/**
 * The folders as a list in lists, each opened when it is asked for. Arrow keys walk it, as in a file manager.
 * @param {HTMLElement} place @param {(folder: Folder) => void} onChosen
 */
export function showTree(place, onChosen) {
  /** @type {Map<Folder, { button: HTMLElement, open: (isOpen: boolean) => void, showNext: () => boolean }>} */
  const items = new Map()
  /** @type {Folder} */
  let top = all
  /** @type {Folder} */
  let chosen = all

  /** @param {Folder} folder */
  function choose(folder) {
    reach(folder)
    items.get(chosen)?.button.removeAttribute('aria-current')
    chosen = folder
    items.get(folder)?.button.setAttribute('aria-current', 'true')
    onChosen(folder)
  }

  /** Opens what a folder lies in, so that it is there. @param {Folder} folder */
  function reach(folder) {
    const { parent } = folder
    if (folder === top || parent === null) return
    reach(parent)
    items.get(parent)?.open(true)
    while (!items.has(folder) && items.get(parent)?.showNext() === true) continue
  }

  /** @param {Folder} folder @returns {HTMLElement} */
  function item(folder) {
    const button = plainButton(
      'folder',
      () => choose(folder),
      nameOf('span', folder === top ? 'All documents' : folder.title),
      element('span', 'uses', (folder.end - folder.first).toLocaleString('en')),
    )
    const line = element('div', 'line', button)
    const inner = element('ul', '')
    const made = element('li', '', line)
    const arrow = plainButton('arrow', () => open(!isOpen))
    const more = element(
      'li',
      '',
      plainButton('rest', () => showNext(), 'More folders'),
    )
    let listed = 0
    let isOpen = false
    /** Adds the next folders; false where there is none. */
    function showNext() {
      const next = folder.folders.slice(listed, listed + foldersAtOnce)
      listed += next.length
      more.remove()
      inner.append(...next.map(item))
      if (listed < folder.folders.length) inner.append(more)
      return next.length > 0
    }
    /** @param {boolean} wanted */
    function open(wanted) {
      if (isOpen === wanted || folder.folders.length === 0) return
      isOpen = wanted
      arrow.setAttribute('aria-expanded', String(wanted))
      inner.hidden = !wanted
      if (listed === 0) showNext()
    }
    if (folder.folders.length > 0) {
      arrow.setAttribute('aria-label', `Folders in ${folder === top ? 'all documents' : visible(folder.title)}`)
      arrow.setAttribute('aria-expanded', 'false')
      line.prepend(arrow)
      made.append(inner)
    }
    items.set(folder, { button, open, showNext })
    if (folder === chosen) button.setAttribute('aria-current', 'true')
    return made
  }

  place.addEventListener('keydown', (event) => {
    if (!(event.target instanceof HTMLElement)) return
    const line = event.target.closest('.line')
    const steps = new Map([
      ['ArrowDown', 1],
      ['ArrowUp', -1],
    ])
    const step = steps.get(event.key)
    if (step !== undefined) {
      const buttons = [...place.querySelectorAll('button.folder')].filter(
        (button) => button instanceof HTMLElement && button.offsetParent !== null,
      )
      const at = buttons.findIndex((button) => button.parentElement === line)
      const next = buttons[at + step]
      if (next instanceof HTMLElement) next.focus()
    } else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
      const arrow = line?.querySelector('.arrow')
      const isOpen = arrow?.getAttribute('aria-expanded') === 'true'
      if (!(arrow instanceof HTMLElement) || isOpen === (event.key === 'ArrowRight')) return
      arrow.click()
    } else return
    event.preventDefault()
  })

  return {
    choose,
    /** Begins anew with the folders of a person, or of everybody. @param {Folder} scope */
    show(scope) {
      items.clear()
      top = chosen = scope
      place.replaceChildren(element('ul', '', item(scope)))
      items.get(scope)?.open(true)
      const home = scope === all ? undefined : scope.folders.find(({ title }) => title === 'Home')
      if (home !== undefined) items.get(home)?.open(true)
    },
  }
}
