import {
  booleanField,
  choiceField,
  dateTimeField,
  emailText,
  integerField,
  isObject,
  listField,
  safeText,
  textField,
  usernameText,
  uuidField,
} from './drf-fields.ts'
import type { Findings, Json, JsonObject } from './drf-fields.ts'

/** The fields of Papermerge 2.1.9's serializers of users, tags, nodes, versions and pages, with their limits. */

export interface TagValues {
  readonly name: string
  readonly raw: JsonObject
}

/** What a tag gets that a node names and its user does not have. */
export const tagDefaults: Readonly<Record<string, Json>> = {
  bg_color: '#c41fff',
  fg_color: '#FFFFFF',
  description: null,
  pinned: false,
}

function tagFields(raw: JsonObject, where: string, findings: Findings): TagValues {
  textField(raw, 'bg_color', where, { max: 7 }, findings)
  textField(raw, 'fg_color', where, { max: 7 }, findings)
  textField(raw, 'description', where, { max: 1024, blank: true, null: true }, findings)
  booleanField(raw, 'pinned', where, findings)
  return { name: textField(raw, 'name', where, { max: 100, required: true, also: safeText }, findings) ?? '', raw }
}

export const tagList = (object: JsonObject, where: string, findings: Findings): TagValues[] =>
  listField(object, 'tags', where, findings).map((tag, index) => tagFields(tag, `${where}.tags[${index}]`, findings))

export function nodeFields(node: JsonObject, where: string, findings: Findings): void {
  textField(node, 'title', where, { max: 200, required: true, also: safeText }, findings)
  choiceField(node, 'ctype', where, ['folder', 'document'], true, findings)
}

function pageFields(page: JsonObject, where: string, findings: Findings): void {
  textField(page, 'text', where, { required: true, blank: true }, findings)
  integerField(page, 'number', where, 1, 32, findings)
  integerField(page, 'page_count', where, 1, 32, findings)
  textField(page, 'lang', where, { max: 8 }, findings)
}

export interface VersionValues {
  readonly number: number
  readonly fileName: string | null
}

export function versionFields(version: JsonObject, where: string, findings: Findings): VersionValues {
  listField(version, 'pages', where, findings).forEach((page, index) =>
    pageFields(page, `${where}.pages[${index}]`, findings),
  )
  textField(version, 'lang', where, { max: 8 }, findings)
  integerField(version, 'size', where, 0, 64, findings)
  integerField(version, 'page_count', where, 0, 32, findings)
  textField(version, 'short_description', where, { max: 128, blank: true }, findings)
  textField(version, 'text', where, { blank: true }, findings)
  return {
    number: integerField(version, 'number', where, 1, 32, findings),
    fileName: textField(version, 'file_name', where, { max: 1024, null: true }, findings) ?? null,
  }
}

export function userFields(
  user: Json,
  where: string,
  findings: Findings,
): { id: string; username: string; tags: TagValues[] } {
  if (!isObject(user)) {
    findings.refused(where, user === null ? 'No data provided' : 'Invalid data. Expected a dictionary.')
    return { id: '', username: '', tags: [] }
  }
  listField(user, 'nodes', where, findings).forEach((node, index) => {
    // Refusals only: what is altered is said where the node itself is stored.
    nodeFields(node, `${where}.nodes[${index}]`, { refused: findings.refused, altered: () => {} })
    textField(node, 'lang', `${where}.nodes[${index}]`, { max: 8 }, { refused: findings.refused, altered: () => {} })
  })
  textField(user, 'password', where, { max: 128, required: true }, findings)
  dateTimeField(user, 'last_login', where, true, findings)
  dateTimeField(user, 'date_joined', where, false, findings)
  for (const flag of ['is_superuser', 'is_staff', 'is_active']) booleanField(user, flag, where, findings)
  textField(user, 'first_name', where, { max: 150, blank: true }, findings)
  textField(user, 'last_name', where, { max: 150, blank: true }, findings)
  textField(user, 'email', where, { max: 254, blank: true, also: emailText }, findings)
  for (const [key, what] of [
    ['groups', 'group'],
    ['user_permissions', 'permission'],
  ] as const) {
    const value = Object.hasOwn(user, key) ? user[key] : []
    if (!Array.isArray(value)) findings.refused(`${where}.${key}`, 'Expected a list of items.')
    else if (value.length > 0 && what === 'group')
      findings.refused(`${where}.groups`, 'Invalid pk: object does not exist.')
    else if (value.length > 0) findings.altered(`${where}.user_permissions`, 'permissions are dropped')
  }
  return {
    id: uuidField(user, 'id', where, findings) ?? '',
    username: textField(user, 'username', where, { max: 150, required: true, also: usernameText }, findings) ?? '',
    tags: tagList(user, where, findings),
  }
}
