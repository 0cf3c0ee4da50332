/** Texts in columns, for people. */

// Characters that terminals draw over two columns: the East Asian wide ranges and emoji.
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const graphemes = new Intl.Segmenter()

/** How many columns a terminal gives the text. */
export function widthOf(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1
  return width
}

/** A cell that begins with a digit and was given as a number is aligned to the right. */
export type Cell = string | { readonly right: string }

export const right = (text: string): Cell => ({ right: text })

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.right)

/** One line a row; each column as wide as its widest cell, two blanks between, none at the end. */
export function columns(rows: readonly (readonly Cell[])[], indent = ''): string[] {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, widthOf(textOf(cell)))))
  return rows.map((row) => {
    const cells = row.map((cell, at) => {
      const text = textOf(cell)
      const blanks = ' '.repeat((widths[at] ?? 0) - widthOf(text))
      return typeof cell === 'string' ? text + blanks : blanks + text
    })
    return `${indent}${cells.join('  ')}`.trimEnd()
  })
}

/** Rows below a heading. Empty where there are no rows. */
export const table = (heading: readonly Cell[], rows: readonly (readonly Cell[])[]): string[] =>
  rows.length === 0 ? [] : columns([heading, ...rows])
