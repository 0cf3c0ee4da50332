/** A path as titles from the top level down, or why the text is none. */
export type ParsedPath = { readonly titles: readonly string[] } | { readonly problem: string }

/**
 * Reads `.home/Taxes/2023.pdf`: `\/` is a slash in a title and `\\` a backslash; a backslash before anything else is
 * refused, for nobody could tell what was meant. A slash at the end is allowed, an empty title elsewhere is not.
 */
export function parsePath(text: string): ParsedPath {
  if (text === '') return { problem: 'it is empty' }
  const titles: string[] = []
  let title = ''
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!
    if (character === '\\') {
      const next = text[at + 1]
      if (next !== '/' && next !== '\\') return { problem: 'a backslash stands before something else than / or \\' }
      title += next
      at += 1
    } else if (character === '/') {
      if (title === '') return { problem: titles.length === 0 ? 'it begins with a slash' : 'it has an empty title' }
      titles.push(title)
      title = ''
    } else title += character
  }
  if (title !== '') titles.push(title)
  return { titles }
}

/** The text that `parsePath` reads back as the same titles. */
export const formatPath = (titles: readonly string[]): string =>
  titles.map((title) => title.replace(/[\\/]/g, '\\$&')).join('/')
