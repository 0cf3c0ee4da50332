import { createHash } from 'node:crypto'
import type { ChosenParts } from '../../contract/restore-parts.ts'
import type { ActionCounts, ConflictChoice, RestorePlan } from '../../contract/restore-plan.ts'
import type { Db } from '../../database/database.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { decideTags, decideUsers } from './decide-accounts.ts'
import { decideNodes } from './decide-nodes.ts'
import { decisionTables } from './decisions.ts'
import { keepSuperusers } from './keep-superusers.ts'
import { listItems } from './list-items.ts'
import { noteLive } from './live.ts'
import { roomTables } from './make-room.ts'
import { noteRenewed } from './renewed.ts'

/**
 * Decides what becomes of everything that was planned in an instance that lives. Looks only; what it decides lies in
 * `scratch`. The instance must not change before it is carried out, or the decisions must be made again.
 */
export async function planMerge(
  db: Db,
  scratch: Scratch,
  {
    onConflict: choice,
    replace,
    parts,
  }: { readonly onConflict: ConflictChoice; readonly replace: boolean; readonly parts: ChosenParts | null },
  warn: (code: string, about: string, message: string) => void,
): Promise<RestorePlan> {
  await noteLive(db, scratch)
  scratch.exec(`${decisionTables} ${roomTables} create index if not exists plan_nodes_id on plan_nodes (id)`)
  const replaced = replace ? setAside(scratch) : null
  scratch.exec('begin')
  decideUsers(scratch, choice)
  keepSuperusers(scratch, replace, warn)
  decideTags(scratch, choice)
  await decideNodes({ db, scratch, choice, versions: parts?.versions ?? 'all' })
  if (!replace) await noteRenewed(db, scratch)
  scratch.exec('commit')
  return { ...describe(scratch, choice, replaced), parts }
}

/** Everything is looked at, and nothing of it decides anything: it will be gone. */
function setAside(scratch: Scratch): RestorePlan['replaced'] {
  const count = (sql: string): number => Number(scratch.first(`select count(*) as n from ${sql}`)?.n)
  const replaced = {
    users: count('live_users'),
    tags: count('live_tags'),
    folders: count("live_nodes where type = 'folder' and not (parent_id is null and title in ('.home', '.inbox'))"),
    documents: count("live_nodes where type = 'document'"),
  }
  for (const table of ['live_users', 'live_tags', 'live_nodes']) {
    scratch.exec(`create table replaced_${table} as select * from ${table}; delete from ${table}`)
  }
  return replaced
}

function describe(
  scratch: Scratch,
  onConflict: ConflictChoice,
  replaced: RestorePlan['replaced'],
): Omit<RestorePlan, 'parts'> {
  const users = countActions(scratch.all('select action, count(*) as n from user_decisions group by action'))
  const tags = countActions(scratch.all('select action, count(*) as n from tag_decisions group by action'))
  const nodes = (type: string): ActionCounts =>
    countActions(scratch.all(`${nodeCounts} where n.type = ? group by d.action`, type))
  const conflicts = ['user_decisions', 'tag_decisions', 'node_decisions'].reduce(
    (sum, table) => sum + Number(scratch.first(`select count(*) as n from ${table} where action = 'conflict'`)?.n),
    0,
  )
  return {
    onConflict,
    replaced,
    users,
    tags,
    folders: nodes('folder'),
    documents: nodes('document'),
    byUser: scratch.all('select u, username from user_decisions order by username').map(({ u, username }) => ({
      username: String(username),
      folders: countActions(scratch.all(`${nodeCounts} where n.type = 'folder' and n.u = ? group by d.action`, u!)),
      documents: countActions(scratch.all(`${nodeCounts} where n.type = 'document' and n.u = ? group by d.action`, u!)),
    })),
    trashed: Number(
      scratch.first("select count(*) as n from live_changes where kind in ('trash-node', 'trash-copy')")?.n,
    ),
    items: listItems(scratch),
    conflicts,
    digest: digestOf(scratch),
  }
}

const nodeCounts = 'select d.action, count(*) as n from node_decisions d join plan_nodes n on n.seq = d.seq'

const countActions = (rows: readonly ScratchRow[]): ActionCounts =>
  Object.fromEntries(rows.map((row) => [String(row.action), Number(row.n)]))

/** Everything that was decided, and what was seen of the instance to decide it. */
function digestOf(scratch: Scratch): string {
  const hash = createHash('sha256')
  const looked = scratch
    .all("select name from sqlite_schema where name like 'replaced_%' order by name")
    .map((row) => String(row.name))
  for (const table of [
    'user_decisions',
    'tag_decisions',
    'node_decisions',
    'live_changes',
    'renewed_documents',
    'kept_superusers',
    ...looked,
  ]) {
    for (const row of scratch.rows(`select * from ${table}`)) hash.update(JSON.stringify(Object.values(row)))
  }
  return hash.digest('hex')
}
