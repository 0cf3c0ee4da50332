import type { OnProgress } from '../../contract/reports.ts'
import type { Tx } from '../../database/database.ts'
import { clearAllPendingFiles } from '../../database/queries/files.ts'
import {
  findGroupById,
  findGroupByName,
  insertGroups,
  insertMemberships,
  membershipsOf,
} from '../../database/queries/groups.ts'
import { insertNodes } from '../../database/queries/nodes.ts'
import { insertPages } from '../../database/queries/pages.ts'
import { insertSidecars } from '../../database/queries/sidecars.ts'
import { insertNodeTags, insertTags } from '../../database/queries/tags.ts'
import { insertVersions } from '../../database/queries/versions.ts'
import type {
  MembershipRow,
  NodeRow,
  NodeTagRow,
  PageRow,
  SidecarRow,
  TagRow,
  VersionRow,
} from '../../database/schema.ts'
import type { Scratch } from '../../database/scratch.ts'
import { batchesOf } from '../../std/batches.ts'
import { uuidv5 } from '../../std/ids.ts'

/** Rows with short texts go in large groups, rows that may hold the text of a whole book in small ones. */
const manyRows = 2000
const fewRows = 50

/** Inserts everything but the users, parents before children, and forgets that the files were pending. */
export async function insertPlan(tx: Tx, scratch: Scratch, onProgress: OnProgress): Promise<void> {
  await insertPlannedGroups(tx, scratch)
  await copy<NodeRow>(scratch, nodes, manyRows, (rows) => insertNodes(tx, rows))
  await copy<TagRow>(
    scratch,
    'select id, user_id, name, bg_color, fg_color, description, pinned from plan_tags',
    manyRows,
    (rows) => insertTags(tx, rows),
  )
  await copy<NodeTagRow>(scratch, 'select node_id, tag_id from plan_node_tags', manyRows, (rows) =>
    insertNodeTags(tx, rows),
  )
  const total = Number(scratch.first('select count(*) as n from plan_versions')?.n)
  let done = 0
  await copy<VersionRow>(scratch, 'select * from plan_versions', fewRows, async (rows) => {
    await insertVersions(tx, rows)
    done += rows.length
    onProgress({ phase: 'writing rows', done, total, unit: 'documents' })
  })
  await copy<PageRow>(scratch, 'select * from plan_pages', fewRows, (rows) => insertPages(tx, rows))
  await copy<SidecarRow>(scratch, 'select * from plan_sidecars', manyRows, (rows) => insertSidecars(tx, rows))
  await clearAllPendingFiles(tx)
}

const nodes = `select id, user_id, parent_id, type, title, created_at, updated_at, lang, ocr, ocr_status, deleted_at,
  deleted_parent, deleted_from from plan_nodes order by depth, seq`

async function copy<Row>(
  scratch: Scratch,
  sql: string,
  size: number,
  insert: (rows: readonly Row[]) => Promise<unknown>,
): Promise<void> {
  // The columns of a plan table are those of the table it is a plan for.
  for (const batch of batchesOf(scratch.rows(sql), size)) await insert(batch.map((row) => ({ ...row }) as Row))
}

/**
 * A group of the instance that has the name of an archived one takes its members in. One that has only its id is another
 * group, and the archived one gets an id made from both.
 */
async function insertPlannedGroups(tx: Tx, scratch: Scratch): Promise<void> {
  const ids = new Map<string, string>()
  for (const row of scratch.rows('select id, name from plan_groups')) {
    const [archived, name] = [String(row.id), String(row.name)]
    const present = await findGroupByName(tx, name)
    const id = present?.id ?? ((await findGroupById(tx, archived)) === undefined ? archived : uuidv5(archived, name))
    if (present === undefined) await insertGroups(tx, [{ id, name }])
    ids.set(archived, id)
  }
  await copy<MembershipRow>(scratch, 'select user_id, group_id from plan_memberships', manyRows, async (rows) => {
    const users = [...new Set(rows.map((row) => row.user_id))]
    // Who was taken on keeps his groups, which may be those of the archive.
    const present = new Set((await membershipsOf(tx, users)).map((row) => `${row.user_id} ${row.group_id}`))
    const planned = rows.map(({ user_id, group_id }) => ({ user_id, group_id: ids.get(group_id) ?? group_id }))
    await insertMemberships(
      tx,
      planned.filter((row) => !present.has(`${row.user_id} ${row.group_id}`)),
    )
  })
}
