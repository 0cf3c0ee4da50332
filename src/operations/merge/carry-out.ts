import type { Tx } from '../../database/database.ts'
import { findNode, insertNodes, updateNode } from '../../database/queries/nodes.ts'
import { insertPages, pagesOf } from '../../database/queries/pages.ts'
import { insertSidecars, sidecarsOf } from '../../database/queries/sidecars.ts'
import { insertNodeTags, tagsOf, updateTag } from '../../database/queries/tags.ts'
import { moveToTrash } from '../../database/queries/trash.ts'
import { findUserByName, updateUser } from '../../database/queries/users.ts'
import { insertVersions, versionsOf } from '../../database/queries/versions.ts'
import type { UserRow } from '../../database/schema.ts'
import type { Scratch } from '../../database/scratch.ts'
import type { Timestamp } from '../../std/clock.ts'
import type { Ids } from '../../std/ids.ts'
import type { LiveChange } from './decisions.ts'
import { staysSuperuser } from './keep-superusers.ts'
import { userFields } from './live.ts'

interface CarryingOut {
  readonly tx: Tx
  readonly scratch: Scratch
  readonly ids: Ids
  readonly now: Timestamp
}

/**
 * Changes what is in the instance as it was decided, before anything is inserted. What goes to the trash goes first, from
 * where it is now.
 */
export async function changeLive(context: CarryingOut): Promise<void> {
  const carryOut = async (which: 'like' | 'not like'): Promise<void> => {
    const planned = `select kind, id, detail from live_changes where kind ${which} 'trash-%' order by n`
    for (const { kind, id, detail } of context.scratch.rows(planned)) {
      await changes[kind as LiveChange](context, String(id), String(detail))
    }
  }
  await carryOut('like')
  await freeNames(context)
  await freePlaces(context)
  await carryOut('not like')
}

const changes: Readonly<Record<LiveChange, (context: CarryingOut, id: string, detail: string) => Promise<unknown>>> = {
  'trash-node': ({ tx, now }, id) => moveToTrash(tx, id, now),
  'trash-copy': trashCopy,
  'set-folder': setFolder,
  'set-user': setUser,
  'set-tag': ({ tx, scratch }, id, detail) => {
    const tag = scratch.first(
      'select name, bg_color, fg_color, description, pinned from tag_looks where id = ?',
      detail,
    )!
    return updateTag(tx, id, { ...tag })
  },
}

/** The document that comes back needs its ids; what it replaces goes to the trash under others, with the files that it had. */
async function trashCopy({ tx, ids, now }: CarryingOut, id: string): Promise<void> {
  await moveToTrash(tx, id, now)
  const node = (await findNode(tx, id))!
  const tags = await tagsOf(tx, [id])
  const versions = await versionsOf(tx, [id])
  const versionIds = versions.map((version) => version.id)
  const pages = await pagesOf(tx, versionIds)
  const sidecars = await sidecarsOf(tx, versionIds)
  await tx.deleteFrom('nodes').where('id', '=', id).execute()
  const newId = ids.next()
  const renewed = new Map([...versionIds, ...pages.map((page) => page.id)].map((old) => [old, ids.next()]))
  await insertNodes(tx, [{ ...node, id: newId }])
  await insertNodeTags(
    tx,
    tags.map((tag) => ({ node_id: newId, tag_id: tag.id })),
  )
  await insertVersions(
    tx,
    versions.map((version) => ({ ...version, id: renewed.get(version.id)!, document_id: newId })),
  )
  await insertPages(
    tx,
    pages.map((page) => ({ ...page, id: renewed.get(page.id)!, version_id: renewed.get(page.version_id)! })),
  )
  await insertSidecars(
    tx,
    sidecars.map(({ page_id, kind, size, sha256, media_key }) => ({
      page_id: renewed.get(page_id)!,
      kind,
      size,
      sha256,
      media_key,
    })),
  )
}

async function setFolder({ tx, scratch, now }: CarryingOut, id: string, seq: string): Promise<void> {
  const place = scratch.first('select target_parent, target_title from node_decisions where seq = ?', Number(seq))!
  await updateNode(tx, id, {
    parent_id: place.target_parent === null ? null : String(place.target_parent),
    title: String(place.target_title),
    updated_at: now,
  })
  await tx.deleteFrom('node_tags').where('node_id', '=', id).execute()
}

/** Two users may have to exchange their names, so that each that has to change gives way first. */
async function freeNames({ tx, scratch }: CarryingOut): Promise<void> {
  const changing = scratch.all(
    `select l.id from live_changes c join live_users l on l.id = c.id join account_fields a on a.u = cast(c.detail as integer)
     where c.kind = 'set-user' and a.username <> l.username`,
  )
  for (const { id } of changing) await updateUser(tx, String(id), { username: String(id) })
}

/** Folders may have to exchange their places too. */
async function freePlaces({ tx, scratch, ids }: CarryingOut): Promise<void> {
  for (const { id } of scratch.rows("select id from live_changes where kind = 'set-folder'"))
    await updateNode(tx, String(id), { title: ids.next() })
}

/** What the archive does not carry stays, and so does a name that another user has. */
async function setUser({ tx, scratch, now }: CarryingOut, id: string, u: string): Promise<void> {
  const planned = scratch.first('select * from account_fields where u = ?', Number(u))!
  const fields: Partial<UserRow> = Object.fromEntries(
    userFields.filter((key) => planned[key] !== null).map((key) => [key, planned[key]]),
  )
  const namesake = await findUserByName(tx, String(planned['username']))
  const isFree = namesake === undefined || namesake.id === id
  const before = scratch.first('select username from live_users where id = ?', id)!
  const username = isFree ? String(planned['username']) : String(before['username'])
  const kept = staysSuperuser(scratch, Number(u)) ? ({ is_active: 1, is_superuser: 1 } as const) : {}
  await updateUser(tx, id, { ...fields, ...kept, username, updated_at: now })
}
