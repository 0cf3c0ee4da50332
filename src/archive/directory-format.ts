import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { MemberPlace } from './proof.ts'

/**
 * The directory of an archive: what leads to one document without reading the others. It is a list of tables in pages, each
 * compressed by itself and named by its hash in the member `strongroom/directory`, whose own hash stands in the tail of the
 * file. docs/archive-format.md describes it.
 */

/** Bytes of backup.json that are compressed, hashed and read together. */
export const sliceBytes = 512 * 1024
export const nodesInPage = 256
export const documentsInPage = 1024
export const membersInPage = 1024

const whole = z.int().min(0)

/** Where a page begins in the file, how many bytes of the file it takes, how many they become, and the SHA-256 of those. */
const page = z.tuple([whole, whole, whole, z.string().regex(/^[0-9a-f]{64}$/)])

export type Page = z.infer<typeof page>

const user = z.object({
  id: z.string(),
  username: z.string(),
  /** The numbers of his first node, of his first one in the trash, and the one after his last. */
  nodes: z.tuple([whole, whole, whole]),
  /** Where his object in backup.json begins, and where it has come to when the first of `nodes` would follow. */
  head: z.tuple([whole, whole]),
  /** From the end of `nodes` to where the first of `strongroom.nodes` would follow. */
  own: z.tuple([whole, whole]),
})

export type DirectoryUser = z.infer<typeof user>

const directory = z.object({
  format: z.literal(1),
  /** `head` is how far backup.json has come when the first user would follow. */
  metadata: z.object({ size: whole, head: whole, pages: z.array(page) }),
  users: z.array(user),
  /** In the order of the walk: users by name, each tree from the top down, then the trash. */
  nodes: z.object({ count: whole, pages: z.array(page) }),
  /** By id; each page with its first id. */
  documents: z.object({ count: whole, pages: z.array(z.tuple([z.string(), page])) }),
  /** Regular members, in their order; the numbers of the first original, the first sidecar, and damage.json. */
  members: z.object({
    count: whole,
    originals: whole,
    sidecars: whole,
    damage: whole.nullable(),
    pages: z.array(page),
  }),
})

export type Directory = z.infer<typeof directory>

/** Reads the member `strongroom/directory`; undefined for what is none. */
export function parseDirectory(text: string): Directory | undefined {
  const read = directory.safeParse(parseJson(text))
  return read.success ? read.data : undefined
}

export const formatDirectory = (value: Directory): string => `${JSON.stringify(value)}\n`

/** A folder or document, as a line of its page. */
export interface DirectoryNode {
  readonly id: string
  readonly type: 'folder' | 'document'
  readonly title: string
  /** The number of the folder that holds it; null at the top level, and for what was moved to the trash itself. */
  readonly parent: number | null
  /** The number after that of the last node that lies below this one. */
  readonly end: number
  /** 1 for what stands in `strongroom.nodes` of its user. */
  readonly own: 0 | 1
  /** Where its object begins in backup.json, and its bytes. */
  readonly record: readonly [at: number, bytes: number]
  /** Its originals and sidecars: how many come before them, and how many there are. */
  readonly originals: readonly [before: number, count: number]
  readonly sidecars: readonly [before: number, count: number]
}

const range = z.tuple([whole, whole])
const node = z.tuple([
  z.string(),
  z.enum(['folder', 'document']),
  z.string(),
  whole.nullable(),
  whole,
  z.union([z.literal(0), z.literal(1)]),
  range,
  range,
  range,
])

export const formatNode = ({ id, type, title, parent, end, own, record, originals, sidecars }: DirectoryNode): string =>
  `${JSON.stringify([id, type, title, parent, end, own, record, originals, sidecars])}\n`

/** Reads a line of a page of nodes; undefined for what is none. */
export function parseNode(line: string): DirectoryNode | undefined {
  const read = node.safeParse(parseJson(line))
  if (!read.success) return undefined
  const [id, type, title, parent, end, own, record, originals, sidecars] = read.data
  return { id, type, title, parent, end, own, record, originals, sidecars }
}

export const formatDocument = (id: string, number: number): string => `${id} ${number}\n`

export const formatPlace = ({ offset, within }: MemberPlace): string => `${offset} ${within}\n`

/** Reads a line of a page of members; undefined for what is none. */
export function parsePlace(line: string): MemberPlace | undefined {
  const [, offset, within] = /^(\d+) (\d+)$/.exec(line) ?? []
  return within === undefined ? undefined : { offset: Number(offset), within: Number(within) }
}

/** The hash of a page or of the directory, as the one above has it. */
export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
