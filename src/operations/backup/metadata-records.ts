import { pathInPart, sidecarPath } from '../../archive/layout.ts'
import { trim } from '../../archive/member-names.ts'
import {
  safeColor,
  safeEmail,
  safeLanguage,
  safeMoment,
  safePassword,
  safeText,
} from '../../archive/papermerge-forms.ts'
import type { PageFacts } from '../../database/queries/pages.ts'
import type { SidecarRow, TagRow, UserRow } from '../../database/schema.ts'
import { defaultLanguage, defaultTagColors } from '../../domain/defaults.ts'
import { isRoot } from '../../domain/roots.ts'
import { uuidv5 } from '../../std/ids.ts'
import type { ArchivedNode, ArchivedVersion } from './archived-versions.ts'

/**
 * The objects of backup.json: first the keys of Papermerge 2.1.9 in forms that it takes, then `strongroom` with what is true
 * where they cannot say it. archive/records.ts reads them.
 */
type Fields = Readonly<Record<string, unknown>>

/** The true values of what had to be written otherwise. */
const unlike = (truth: Fields, written: Fields): Fields =>
  Object.fromEntries(Object.entries(truth).filter(([key, value]) => value !== written[key]))

/** Without what is not known: Papermerge takes a missing date, but not a null. */
const known = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))

const longestName = 150

const userForms = (user: UserRow, shown: string): Fields => ({
  username: shown,
  password: safePassword(user.password, uuidv5(user.id, 'no password that fits')),
  email: safeEmail(user.email),
  first_name: safeText(user.first_name, longestName),
  last_name: safeText(user.last_name, longestName),
  last_login: safeMoment(user.last_login),
  date_joined: safeMoment(user.date_joined),
  created_at: safeMoment(user.created_at),
  updated_at: safeMoment(user.updated_at),
})

export const userHead = (user: UserRow, shown: string): Fields => ({
  id: user.id,
  ...known(userForms(user, shown)),
  is_superuser: user.is_superuser === 1,
  is_staff: user.is_staff === 1,
  is_active: user.is_active === 1,
  groups: [],
  user_permissions: [],
})

export function userOwnKeys(user: UserRow, shown: string): Fields {
  const { username, password, email, first_name, last_name, last_login, date_joined, created_at, updated_at } = user
  const truth = { username, password, email, first_name, last_name, last_login, date_joined, created_at, updated_at }
  return unlike(truth, userForms(user, shown))
}

export function tagRecord(tag: TagRow, shown: string): Fields {
  const { id, name, bg_color, fg_color, description } = tag
  const written = {
    name: shown,
    bg_color: safeColor(bg_color, defaultTagColors.background),
    fg_color: safeColor(fg_color, defaultTagColors.foreground),
    description: description === null ? null : safeText(description, 1024),
  }
  const own = { id, ...unlike({ name, bg_color, fg_color, description }, written) }
  return { ...written, pinned: tag.pinned === 1, strongroom: own }
}

/** A node without its versions. */
export function nodeHead({ node, titles, part }: ArchivedNode, tags: readonly Fields[]): Fields {
  const shown = titles.at(-1)!
  const { deleted_at, deleted_parent, deleted_from } = node
  const isFolder = node.type === 'folder'
  const written = isFolder ? {} : { lang: safeLanguage(node.lang ?? '', defaultLanguage) }
  const own = {
    ...(isFolder ? { id: node.id } : {}),
    parent: node.parent_id,
    ...known({ deleted_at, deleted_parent, deleted_from }),
    ...unlike({ title: node.title }, { title: shown }),
    ...(isFolder ? {} : unlike({ lang: node.lang }, written)),
    tags: tags.map((tag) => (tag.strongroom as { readonly id: string }).id),
  }
  return {
    ...(isFolder ? {} : { id: node.id }),
    ...(part === 'trash' ? {} : { breadcrumb: titles.join('/') + (isFolder ? '/' : '') }),
    ctype: node.type,
    title: shown,
    // Papermerge takes tags on the home and the inbox, and drops them.
    tags: isRoot(node) ? [] : tags,
    ...known({ created_at: node.created_at, updated_at: node.updated_at }),
    ...written,
    ...(isFolder ? {} : { ocr: node.ocr === 1, ocr_status: node.ocr_status }),
    strongroom: own,
  }
}

/** A version without its pages. */
export function versionHead(
  { node }: ArchivedNode,
  { facts, number, fileName, path }: ArchivedVersion,
  text: string,
): Fields {
  const { file_name, size, page_count, lang, short_description } = facts
  const written = {
    number,
    file_name: fileName,
    size: size ?? 0,
    page_count: page_count ?? 0,
    lang: safeLanguage(lang, safeLanguage(node.lang ?? '', defaultLanguage)),
    short_description: safeText(short_description, 128),
  }
  const own = {
    id: facts.id,
    ...unlike({ number: facts.number, file_name, size, page_count, lang, short_description }, written),
    ...known({ sha256: facts.sha256, media_type: facts.media_type, created_at: facts.created_at }),
    ...endsOf(text),
  }
  return { file_path: path, ...written, text: trim(text), strongroom: own }
}

export function pageRecord(
  { node, part }: ArchivedNode,
  version: ArchivedVersion,
  page: PageFacts,
  text: string,
  sidecars: readonly SidecarRow[],
): Fields {
  const { page_count, lang: versionLang } = version.facts
  const written = { lang: safeLanguage(page.lang, safeLanguage(versionLang, defaultLanguage)) }
  const own = {
    id: page.id,
    ...unlike({ lang: page.lang }, written),
    ...endsOf(text),
    ...(sidecars.length === 0 ? {} : { sidecars: sidecars.map(({ kind, size, sha256 }) => ({ kind, size, sha256 })) }),
  }
  const path = pathInPart(part, sidecarPath(node.user_id, node.id, version.number, page.number, '_ocr.svg'))
  return {
    file_path: path,
    number: page.number,
    page_count: page_count ?? 0,
    ...written,
    text: trim(text),
    strongroom: own,
  }
}

/** What Papermerge trims off a text; the text itself is not written twice. */
function endsOf(text: string): Fields {
  const middle = trim(text)
  if (middle === text) return {}
  const before = middle === '' ? text : text.slice(0, text.indexOf(middle))
  return { text_ends: [before, text.slice(before.length + middle.length)] }
}
