import { numberedComponent, twinKey, userFolder } from '../../archive/member-names.ts'
import { numberedTagName, numberedUsername, safeTagName, safeUsername } from '../../archive/papermerge-forms.ts'

/** A name for each, in their order: what `safe` gives, those that it leaves alone first, twins numbered. */
function nameEach(
  wanted: readonly { readonly name: string; readonly safe: string }[],
  form: (name: string) => string,
  numbered: (name: string, number: number) => string,
): string[] {
  const taken = new Set<string>()
  const given: string[] = []
  for (const kept of [true, false]) {
    for (const [index, { name, safe }] of wanted.entries()) {
      if ((name === safe) !== kept) continue
      let chosen = safe
      for (let number = 2; taken.has(form(chosen)); number += 1) chosen = numbered(safe, number)
      taken.add(form(chosen))
      given[index] = chosen
    }
  }
  return given
}

const asItIs = (name: string): string => name

/** What Papermerge calls the users, in their order. */
export const safeUsernames = (usernames: readonly string[]): string[] =>
  nameEach(
    usernames.map((name) => ({ name, safe: safeUsername(name) })),
    asItIs,
    numberedUsername,
  )

/** The folders of the users, in their order. */
export const userFolders = (usernames: readonly string[]): string[] =>
  nameEach(
    usernames.map((name) => ({ name, safe: userFolder(name) })),
    twinKey,
    numberedComponent,
  )

/** What Papermerge calls the tags of one user, in their order. */
export const safeTagNames = (names: readonly string[]): string[] =>
  nameEach(
    names.map((name) => ({ name, safe: safeTagName(name) })),
    asItIs,
    numberedTagName,
  )
