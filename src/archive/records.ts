import { z } from 'zod'
import { toStorableText } from '../std/text.ts'
import type { JsonObject, RecordShape } from './json-records.ts'
import { parseMoment } from './moments.ts'

/**
 * The records of backup.json in all three dialects: Papermerge 2.1 and 3.0-3.2, and ours, which is 2.1's with a
 * `strongroom` object beside whatever 2.1 cannot hold. docs/archive-format.md describes them.
 */

const strongroom = (values: readonly string[], lists?: Readonly<Record<string, RecordShape>>) => ({
  strongroom: { values, ...(lists === undefined ? {} : { lists }) },
})

const pageKeys = ['id', 'number', 'page_count', 'lang', 'text', 'file_path']
const tagKeys = ['id', 'name', 'bg_color', 'fg_color', 'description', 'pinned']
const versionKeys = [
  'id',
  'number',
  'file_name',
  'size',
  'page_count',
  'lang',
  'short_description',
  'text',
  'file_path',
]
const nodeKeys = ['id', 'breadcrumb', 'ctype', 'title', 'created_at', 'updated_at', 'lang', 'ocr', 'ocr_status']
const userFlags = ['is_superuser', 'is_staff', 'is_active']
const userDates = ['date_joined', 'last_login', 'created_at', 'updated_at']
const userTexts = ['username', 'password', 'email', 'first_name', 'last_name']

const pageShape: RecordShape = {
  values: pageKeys,
  objects: strongroom(['id', 'number', 'lang', 'text', 'text_ends', 'sidecars']),
}

const tagShape: RecordShape = { values: tagKeys, objects: strongroom(tagKeys) }

const versionShape: RecordShape = {
  values: versionKeys,
  lists: { pages: pageShape },
  objects: strongroom([...versionKeys, 'text_ends', 'sha256', 'media_type', 'created_at']),
}

const nodeShape: RecordShape = {
  values: nodeKeys,
  lists: { tags: tagShape, versions: versionShape },
  objects: strongroom([...nodeKeys, 'parent', 'tags', 'deleted_at', 'deleted_parent', 'deleted_from']),
}

/** What a restore wants of backup.json. */
export const backupShape: RecordShape = {
  values: ['created', 'version'],
  lists: {
    users: {
      values: ['id', 'groups', 'user_permissions', ...userTexts, ...userFlags, ...userDates],
      lists: { nodes: nodeShape, tags: tagShape },
      objects: strongroom(['groups', ...userTexts, ...userFlags, ...userDates], { nodes: nodeShape }),
    },
  },
  objects: strongroom(['format', 'writer', 'instance', 'created', 'groups', 'links']),
}

const longestTitle = 4096
const longestName = 500

/** A text that names something: it may hold anything but what no database and no file system can. */
const name = (longest: number) =>
  z
    .string()
    .refine((text) => text.length > 0, 'is empty')
    .refine(
      (text) => text.isWellFormed() && !text.includes('\0'),
      'contains half of a surrogate pair or a NUL character',
    )
    .refine((text) => text.length <= longest || [...text].length <= longest, `has more than ${longest} characters`)

/** A text that is only kept: what cannot be stored is replaced, and the caller compares. */
const text = z.string()

const id = z
  .string()
  .transform((value) => value.toLowerCase())
  .refine((value) => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(value), 'is not a UUID')

/** White space that Papermerge would trim off the two ends of a text. */
const textEnds = z.tuple([z.string(), z.string()]).optional()

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256')
const wholeNumber = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
const bytes = z.int().min(0)
const present = z.array(z.unknown())

export const headerSchema = z.object({
  created: z.string().optional(),
  version: z.string().optional(),
  users: present,
  strongroom: z
    .object({
      format: z.int().min(1),
      writer: z.string().optional(),
      instance: z.string().optional(),
      created: z.string().optional(),
      groups: z.array(z.object({ id, name: name(longestName) })).default([]),
      links: z.enum(['symbolic', 'hard']).optional(),
    })
    .optional(),
})

export const userSchema = z.object({
  id: id.optional(),
  username: name(longestName),
  password: z.string().nullable(),
  email: text.nullish(),
  first_name: text.nullish(),
  last_name: text.nullish(),
  is_superuser: z.boolean().optional(),
  is_staff: z.boolean().optional(),
  is_active: z.boolean().optional(),
  date_joined: text.nullish(),
  last_login: text.nullish(),
  created_at: text.nullish(),
  updated_at: text.nullish(),
  /** Numbers of another database's rows in Papermerge's, ids in ours. */
  groups: z.array(z.union([z.number(), z.string()])).default([]),
  user_permissions: z.array(z.unknown()).default([]),
  nodes: present,
  tags: present,
})

export const nodeSchema = z.object({
  id: id.optional(),
  title: name(longestTitle),
  ctype: z.string().nullish(),
  breadcrumb: z.union([z.string(), z.array(z.string())]).optional(),
  parent: id.nullish(),
  created_at: text.nullish(),
  updated_at: text.nullish(),
  lang: text.nullish(),
  ocr: z.boolean().nullish(),
  ocr_status: text.nullish(),
  deleted_at: text.nullish(),
  deleted_parent: id.nullish(),
  deleted_from: text.nullish(),
  tags: z.array(z.unknown()),
  versions: present.optional(),
})

export const tagSchema = z.object({
  id: id.optional(),
  name: name(longestTitle),
  bg_color: text.nullish(),
  fg_color: text.nullish(),
  description: text.nullish(),
  pinned: z.boolean().nullish(),
})

export const versionSchema = z.object({
  id: id.optional(),
  number: wholeNumber.default(1),
  file_name: name(longestTitle).nullish(),
  size: bytes.nullish(),
  sha256: sha256.nullish(),
  media_type: text.nullish(),
  page_count: wholeNumber.nullish(),
  lang: text.nullish(),
  short_description: text.nullish(),
  text: text.nullish(),
  text_ends: textEnds,
  created_at: text.nullish(),
  file_path: text.nullish(),
  pages: present,
})

export const sidecarKinds = ['_ocr.svg', '_ocr_hocr.txt', '_ocr_hocr.hocr', '.jpg', '_ocr.jpg'] as const
export type SidecarKind = (typeof sidecarKinds)[number]

export const pageSchema = z.object({
  id: id.optional(),
  number: wholeNumber.default(1),
  lang: text.nullish(),
  text: text.nullable(),
  text_ends: textEnds,
  sidecars: z.array(z.object({ kind: z.enum(sidecarKinds), size: bytes, sha256 })).default([]),
})

export type HeaderRecord = z.infer<typeof headerSchema>
export type UserRecord = z.infer<typeof userSchema>
export type NodeRecord = z.infer<typeof nodeSchema>
export type TagRecord = z.infer<typeof tagSchema>
export type VersionRecord = z.infer<typeof versionSchema>
export type PageRecord = z.infer<typeof pageSchema>

/** The record with the keys of its `strongroom` object in the place of its own: what is true over what Papermerge can hold. */
export function withOwnKeys(value: JsonObject): JsonObject {
  const own = value.strongroom
  return own === undefined ? value : Object.assign(Object.create(null) as JsonObject, value, own)
}

/** Reads a record by its schema. Gives the value, or what is wrong with it. */
export function readRecord<T>(schema: z.ZodType<T>, value: JsonObject): { value: T } | { problem: string } {
  const result = schema.safeParse(value, {
    error: ({ code, input }) => (code === 'invalid_type' && input === undefined ? 'is missing' : undefined),
  })
  if (result.success) return { value: result.data }
  const issue = result.error.issues[0]
  const key = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  return { problem: `${key}${issue?.message ?? 'is not valid'}` }
}

/** The text of a version or a page with the ends that stand beside it. */
export const wholeText = ({
  text: middle,
  text_ends: [before, after] = ['', ''],
}: VersionRecord | PageRecord): string => before + (middle ?? '') + after

/** A kept text as it can be stored, and whether that changed it. */
export function storable(value: string | null | undefined): { readonly text: string; readonly altered: boolean } {
  const given = value ?? ''
  const kept = toStorableText(given)
  return { text: kept, altered: kept !== given }
}

/** A moment in UTC with six decimals; null where there is none; `wrong` where it cannot be read. */
export function readMoment(value: string | null | undefined): {
  readonly moment: string | null
  readonly wrong: boolean
} {
  if (value === null || value === undefined || value === '') return { moment: null, wrong: false }
  const moment = parseMoment(value)
  return moment === undefined ? { moment: null, wrong: true } : { moment, wrong: false }
}
