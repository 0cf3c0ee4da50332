/** What carries a name, in the words of messages. */
export type NameKind = 'title' | 'tag name' | 'file name' | 'user name' | 'group name'

/** The most characters (code points) that a name of each kind may have. */
export const nameLimits: Readonly<Record<NameKind, number>> = {
  title: 4096,
  'tag name': 4096,
  'file name': 4096,
  'user name': 500,
  'group name': 500,
}

/** What makes a text unfit. `length` and `limit` count characters (code points). */
export type TextProblem =
  | { readonly problem: 'empty' }
  | { readonly problem: 'nul' }
  | { readonly problem: 'surrogate' }
  | { readonly problem: 'too_long'; readonly length: number; readonly limit: number }

/** What is wrong with any text that is to be kept, however long; undefined where nothing is. */
export function textProblem(text: string): TextProblem | undefined {
  if (text.includes('\0')) return { problem: 'nul' }
  if (!text.isWellFormed()) return { problem: 'surrogate' }
  return undefined
}

/**
 * What is wrong with a name; undefined where nothing is. Any character but NUL is allowed, blanks and slashes and line
 * breaks too: what a person called a thing is kept as it was.
 */
export function nameProblem(kind: NameKind, name: string): TextProblem | undefined {
  if (name === '') return { problem: 'empty' }
  const problem = textProblem(name)
  if (problem !== undefined) return problem
  const limit = nameLimits[kind]
  if (name.length <= limit) return undefined
  const length = characterCount(name)
  return length > limit ? { problem: 'too_long', length, limit } : undefined
}

function characterCount(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}
