import type { Database, Db } from '../database/database.ts'
import {
  deleteTag,
  findTag,
  insertTags,
  listTagsWithUses,
  tagNode,
  untagNode,
  updateTag,
} from '../database/queries/tags.ts'
import { pathOf } from '../database/queries/nodes.ts'
import type { TagRow } from '../database/schema.ts'
import { defaultTagColors } from '../domain/defaults.ts'
import { formatPath } from '../domain/paths.ts'
import { StrongroomError } from '../errors.ts'
import type { Clock } from '../std/clock.ts'
import type { Ids } from '../std/ids.ts'
import { noteInAudit } from './audit.ts'
import { requireUser } from './find-user.ts'
import { assertName, assertText } from './laws.ts'
import { requireNode } from './locate.ts'

/** How a tag looks and what it says; what is left out stays as it is. */
export interface TagLook {
  readonly bgColor?: string
  readonly fgColor?: string
  readonly description?: string
  readonly pinned?: boolean
}

/** Tags of a user. Every verb may throw `user.not_found` and `text.…`, and with a path `node.not_found`, `node.bad_path`. */
export function createTags({ database, clock, ids }: { database: Database; clock: Clock; ids: Ids }) {
  /** Puts a tag on a node; makes it if the user has none of that name, else gives it the look that is named. Safe twice. */
  async function add(input: { username: string; path: string; name: string } & TagLook): Promise<void> {
    assertName('tag name', input.name)
    const look = lookColumns(input)
    await database.write(async (tx) => {
      const user = await requireUser(tx, input.username)
      const node = await requireNode(tx, user, input.path)
      const known = await findTag(tx, user.id, input.name)
      const tag: TagRow = {
        ...(known ?? {
          id: ids.next(),
          user_id: user.id,
          name: input.name,
          bg_color: defaultTagColors.background,
          fg_color: defaultTagColors.foreground,
          description: null,
          pinned: 0,
        }),
        ...look,
      }
      if (known === undefined) await insertTags(tx, [tag])
      else await updateTag(tx, known.id, look)
      const isNew = await tagNode(tx, node.id, tag.id)
      if (!isNew && Object.keys(look).length === 0) return
      const details = { tag: tag.name, made: known === undefined, look }
      const about = await pathTextOf(tx, node.id)
      await noteInAudit(tx, clock.now(), [{ action: 'tag.added', username: user.username, about, details }])
    })
  }

  /** Takes a tag off a node, or without a path removes the tag itself. Throws `tag.not_found`. */
  async function remove(input: { username: string; name: string; path?: string }): Promise<void> {
    assertName('tag name', input.name)
    await database.write(async (tx) => {
      const user = await requireUser(tx, input.username)
      const tag = await findTag(tx, user.id, input.name)
      if (tag === undefined) throw new StrongroomError('tag.not_found', { username: user.username, name: input.name })
      const { username } = user
      const now = clock.now()
      if (input.path === undefined) {
        await deleteTag(tx, tag.id)
        await noteInAudit(tx, now, [{ action: 'tag.deleted', username, about: tag.name, details: { id: tag.id } }])
        return
      }
      const node = await requireNode(tx, user, input.path)
      if (!(await untagNode(tx, node.id, tag.id))) return
      const about = await pathTextOf(tx, node.id)
      await noteInAudit(tx, now, [{ action: 'tag.removed', username, about, details: { tag: tag.name } }])
    })
  }

  /** A user's tags by name, byte by byte, with the number of nodes that carry each. */
  async function list({ username }: { username: string }): Promise<(TagRow & { nodes: number })[]> {
    return listTagsWithUses(database.db, (await requireUser(database.db, username)).id)
  }

  return { add, remove, list }
}

const pathTextOf = async (db: Db, id: string): Promise<string> =>
  formatPath((await pathOf(db, id)).map(({ title }) => title))

function lookColumns(look: TagLook): Partial<Pick<TagRow, 'bg_color' | 'fg_color' | 'description' | 'pinned'>> {
  const { bgColor, fgColor, description, pinned } = look
  assertText('colour', `${bgColor ?? ''}${fgColor ?? ''}`)
  assertText('description', description ?? '')
  return {
    ...(bgColor === undefined ? {} : { bg_color: bgColor }),
    ...(fgColor === undefined ? {} : { fg_color: fgColor }),
    ...(description === undefined ? {} : { description }),
    ...(pinned === undefined ? {} : { pinned: pinned ? 1 : 0 }),
  }
}
