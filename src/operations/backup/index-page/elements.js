import { visible } from './words.js'

/** Everything on the page is made here, as elements and texts: no text is ever read as markup. */

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`no element ${id}`)
  return found
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {string} className @param {(Node | string)[]} content @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, className, ...content) {
  const made = document.createElement(tag)
  if (className !== '') made.className = className
  made.append(...content)
  return made
}

/**
 * A name that somebody gave: what it does to the direction of text ends with it.
 * @template {'a' | 'span' | 'strong'} T
 * @param {T} tag @param {string} name @returns {HTMLElementTagNameMap[T]}
 */
export function nameOf(tag, name) {
  const made = element(tag, 'name', visible(name))
  made.dir = 'auto'
  return made
}

/** A button that does no more than what is given. @param {string} className @param {() => void} onClick @param {(Node | string)[]} content */
export function plainButton(className, onClick, ...content) {
  const made = element('button', className, ...content)
  made.type = 'button'
  made.addEventListener('click', onClick)
  return made
}
