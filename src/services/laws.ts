import { type NameKind, nameProblem, type TextProblem, textProblem } from '../domain/names.ts'
import { type ErrorCode, StrongroomError } from '../errors.ts'
import { toStorableText } from '../std/text.ts'

const codes: Readonly<Record<TextProblem['problem'], ErrorCode>> = {
  empty: 'text.empty',
  nul: 'text.nul',
  surrogate: 'text.surrogate',
  too_long: 'text.too_long',
}
const shownCharacters = 60

/** Throws `text.empty`, `text.nul`, `text.surrogate` or `text.too_long` for what cannot be a name of that kind. */
export const assertName = (kind: NameKind, name: string): void => refuse(nameProblem(kind, name), kind, name)

/** Throws `text.nul` or `text.surrogate` for a text that cannot be kept. */
export const assertText = (what: string, text: string): void => refuse(textProblem(text), what, text)

/** The same for a text that no message may show. */
export const assertSecret = (what: string, text: string): void => refuse(textProblem(text), what, '(not shown)')

function refuse(problem: TextProblem | undefined, what: string, text: string): void {
  if (problem === undefined) return
  const { problem: kind, ...lengths } = problem
  throw new StrongroomError(codes[kind], { what, text: shown(text), ...lengths })
}

/** The beginning of a text as any message can hold it. */
function shown(text: string): string {
  const beginning = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text
  return toStorableText(beginning)
}
