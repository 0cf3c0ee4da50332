import { readMoment, storable, type NodeRecord } from '../../archive/records.ts'
import { defaultLanguage } from '../../domain/defaults.ts'
import { parseOcrStatus } from '../../domain/ocr-status.ts'
import { formatPath } from '../../domain/paths.ts'
import { homeTitle, inboxTitle } from '../../domain/roots.ts'
import type { Scratch } from '../../database/scratch.ts'
import { derivedId } from './identity.ts'
import { readDate, readText } from './kept-values.ts'
import type { Planning } from './planning.ts'

/** Folders and documents: where each lies, and its id. */
export function planNodes(planning: Planning): void {
  const { scratch } = planning
  const nodes = scratch.rows(
    'select n.u, n.own, n.n, n.record, u.id as user_id, u.username from raw_nodes n join plan_users u on u.u = n.u order by n.u, n.own, n.n',
  )
  for (const { u, own, n, record, user_id, username } of nodes) {
    const place = { u: Number(u), own: Number(own), n: Number(n), userId: String(user_id), username: String(username) }
    planNode(planning, place, JSON.parse(String(record)) as NodeRecord)
  }
  linkParents(planning)
  addMissingRoots(planning)
  measureDepths(scratch)
  checkDepths(planning)
  checkSiblings(planning)
  giveIds(planning)
}

interface NodePlace {
  readonly u: number
  readonly own: number
  readonly n: number
  readonly userId: string
  readonly username: string
}

/** How the elements of a path are joined in keys: titles of 3.x may hold a slash, and no title holds NUL. */
const separatorOf = (dialect: Planning['dialect']): string => (dialect === 'papermerge-3' ? '\0' : '/')

function planNode(planning: Planning, place: NodePlace, node: NodeRecord): void {
  const { scratch, dialect, warning, invalid } = planning
  const about = `${place.username}: ${node.title}`
  const type = node.ctype === 'folder' ? 'folder' : 'document'
  if (type === 'document' && node.versions === undefined)
    return invalid(`the document ${about} has no list of versions`)
  const parent = dialect === 'strongroom' ? { key: null } : findParent(planning, node, about)
  if (parent === undefined) return
  const pathKey = dialect === 'strongroom' ? null : joinKey(planning, parent.key, node.title)
  if (node.ocr_status !== null && node.ocr_status !== undefined) {
    const { status, recognized } = parseOcrStatus(node.ocr_status)
    if (!recognized || (dialect !== 'papermerge-3' && status !== node.ocr_status)) {
      warning(
        'document.ocr_status',
        about,
        `The OCR status ${JSON.stringify(node.ocr_status.slice(0, 100))} was read as "${status}".`,
      )
    }
  }
  const deleted = dialect === 'strongroom' ? readDeleted(planning, node, about) : notDeleted
  const isDocument = type === 'document'
  scratch.run(
    `insert into plan_nodes (u, own, n, id, user_id, parent_id, type, title, path_key, parent_key, created_at, updated_at, lang, ocr, ocr_status,
       deleted_at, deleted_parent, deleted_from)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    place.u,
    place.own,
    place.n,
    node.id ?? null,
    place.userId,
    node.parent ?? null,
    type,
    node.title,
    pathKey,
    parent.key,
    readDate(planning, about, 'created_at', node.created_at),
    readDate(planning, about, 'updated_at', node.updated_at),
    isDocument ? (readText(planning, about, 'language', node.lang) ?? defaultLanguage) : null,
    isDocument ? Number(node.ocr ?? true) : null,
    isDocument ? parseOcrStatus(node.ocr_status ?? 'unknown').status : null,
    deleted.at,
    deleted.parent,
    deleted.from,
  )
}

const notDeleted = { at: null, parent: null, from: null }

/** When and from where a node was moved to the trash. It would come back alive if that could not be read. */
function readDeleted(
  { invalid }: Planning,
  node: NodeRecord,
  about: string,
): { readonly at: string | null; readonly parent: string | null; readonly from: string | null } {
  const { moment, wrong } = readMoment(node.deleted_at)
  if (wrong)
    invalid(`${about} was moved to the trash at ${JSON.stringify(node.deleted_at?.slice(0, 100))}, which is no date`)
  if (moment === null) return notDeleted
  if (typeof node.parent === 'string') invalid(`${about} is in the trash and in a folder`)
  return {
    at: moment,
    parent: node.deleted_parent ?? null,
    from: storable(node.deleted_from ?? formatPath([node.title])).text,
  }
}

const joinKey = ({ dialect }: Planning, parentKey: string | null, title: string): string =>
  parentKey === null ? title : parentKey + separatorOf(dialect) + title

/**
 * The key of the parent out of Papermerge's breadcrumb; its key is null at the top level. Of the breadcrumb only the part
 * before the title counts, as in Papermerge; the title field wins. Undefined, and reported, where there is none.
 */
function findParent(planning: Planning, node: NodeRecord, about: string): { readonly key: string | null } | undefined {
  const { dialect, warning, invalid } = planning
  const { breadcrumb, title } = node
  if (dialect === 'papermerge-3') {
    if (!Array.isArray(breadcrumb) || breadcrumb.length === 0)
      return void invalid(`${about} has no breadcrumb as Papermerge 3 writes it`)
    if (breadcrumb.at(-1) !== title) warnOfTitle(warning, about, breadcrumb.join('/'))
    if (breadcrumb.length === 1) warnOfTopLevel(warning, about, node)
    return { key: breadcrumb.length === 1 ? null : breadcrumb.slice(0, -1).join('\0') }
  }
  if (typeof breadcrumb !== 'string') return void invalid(`${about} has no breadcrumb as Papermerge 2.1 writes it`)
  const path = breadcrumb.replace(/\/$/, '')
  if (path === title) {
    warnOfTopLevel(warning, about, node)
    return { key: null }
  }
  if (path.endsWith(`/${title}`) && path.length > title.length + 1) return { key: path.slice(0, -title.length - 1) }
  const slash = path.lastIndexOf('/')
  if (slash <= 0)
    return void invalid(`${about} lies at ${JSON.stringify(breadcrumb.slice(0, 200))}, which is no place for it`)
  warnOfTitle(warning, about, breadcrumb)
  return { key: path.slice(0, slash) }
}

function warnOfTitle(warning: Planning['warning'], about: string, breadcrumb: string): void {
  warning(
    'node.title_differs',
    about,
    `Its breadcrumb ends in another title (${breadcrumb.slice(0, 200)}); the title was kept.`,
  )
}

function warnOfTopLevel(warning: Planning['warning'], about: string, node: NodeRecord): void {
  if (node.title === homeTitle || node.title === inboxTitle) return
  warning('node.top_level', about, 'It lies beside the home and the inbox, not in one of them; it was kept there.')
}

function linkParents(planning: Planning): void {
  const { scratch, dialect, invalid } = planning
  const parentOf =
    dialect === 'strongroom'
      ? "p.id = plan_nodes.parent_id and p.u = plan_nodes.u and p.type = 'folder'"
      : "p.u = plan_nodes.u and p.path_key = plan_nodes.parent_key and p.type = 'folder'"
  if (dialect === 'strongroom') scratch.exec('create index plan_nodes_id on plan_nodes (id)')
  scratch.exec(`update plan_nodes set parent_seq = (select min(p.seq) from plan_nodes p where ${parentOf})
    where parent_id is not null or parent_key is not null`)
  const lost =
    'select title, u from plan_nodes where parent_seq is null and (parent_id is not null or parent_key is not null)'
  for (const { title, u } of scratch.rows(lost)) {
    invalid(`${nameOfUser(planning, Number(u))}: the folder that holds ${String(title)} is missing`)
  }
}

const nameOfUser = ({ scratch }: Planning, u: number): string =>
  String(scratch.first('select username from plan_users where u = ?', u)?.username ?? `user ${u}`)

/** Papermerge takes archives without the two roots, so they may be missing. */
function addMissingRoots(planning: Planning): void {
  const { scratch, dialect, invalid } = planning
  for (const { u, id, username } of scratch.rows('select u, id, username from plan_users order by u')) {
    for (const title of [inboxTitle, homeTitle]) {
      const root = scratch.first(
        'select type from plan_nodes where u = ? and parent_seq is null and parent_key is null and parent_id is null and deleted_at is null and title = ?',
        u!,
        title,
      )
      if (root === undefined) {
        scratch.run(
          "insert into plan_nodes (u, user_id, type, title, path_key) values (?, ?, 'folder', ?, ?)",
          u!,
          id!,
          title,
          dialect === 'strongroom' ? null : title,
        )
      } else if (root.type !== 'folder') {
        invalid(`${String(username)}: ${title} is a document`)
      }
    }
  }
}

/** Folders that contain each other are reached from no root. What lies below something in the trash is in the trash too. */
/** Notes how deep each node lies, from 1, and whether it is in the trash. */
export function measureDepths(scratch: Scratch): void {
  scratch.exec(`
    create table depths (seq integer primary key, depth integer not null, in_trash integer not null);
    insert into depths
      with recursive reached (seq, depth, in_trash) as (
        select seq, 1, deleted_at is not null from plan_nodes where parent_seq is null
        union all
        select n.seq, r.depth + 1, r.in_trash from plan_nodes n join reached r on n.parent_seq = r.seq)
      select seq, depth, in_trash from reached;
    update plan_nodes set depth = d.depth, in_trash = d.in_trash from depths d where d.seq = plan_nodes.seq;
    drop table depths`)
}

function checkDepths(planning: Planning): void {
  const { scratch, invalid } = planning
  for (const { title, u } of scratch.rows('select title, u from plan_nodes where depth is null')) {
    invalid(`${nameOfUser(planning, Number(u))}: ${String(title)} lies within itself`)
  }
}

function checkSiblings(planning: Planning): void {
  const { scratch, invalid } = planning
  const twins =
    'select u, title from plan_nodes where deleted_at is null group by u, coalesce(parent_seq, 0), title having count(*) > 1'
  for (const { u, title } of scratch.rows(twins)) {
    invalid(`${nameOfUser(planning, Number(u))}: two nodes in one folder are called ${String(title)}`)
  }
}

/** Ids that the archive does not carry come from the owner and the path, so that they are the same each time. */
function giveIds(planning: Planning): void {
  const { scratch, dialect, invalid } = planning
  const nameless = scratch.rows(
    'select n.seq, n.type, n.title, n.path_key, u.owner from plan_nodes n join plan_users u on u.u = n.u where n.id is null and n.own is not null order by n.seq',
  )
  const given: (readonly [id: string, seq: number])[] = []
  for (const { seq, type, title, path_key, owner } of nameless) {
    if (dialect === 'strongroom') invalid(`the ${String(type)} ${String(title)} has no id`)
    given.push([derivedId(type as 'folder', String(owner), String(path_key ?? title)), Number(seq)])
    if (given.length === 1000) flush()
  }
  flush()
  const roots = scratch.rows(
    'select n.seq, n.title, u.owner from plan_nodes n join plan_users u on u.u = n.u where n.id is null',
  )
  for (const { seq, title, owner } of roots)
    given.push([derivedId('folder', String(owner), String(title)), Number(seq)])
  flush()
  scratch.exec(`update plan_nodes set parent_id = (select p.id from plan_nodes p where p.seq = plan_nodes.parent_seq)`)
  for (const { id } of scratch.rows('select id from plan_nodes group by id having count(*) > 1')) {
    invalid(`two nodes have the id ${String(id)}`)
  }
  // A verification goes on, and what hangs on an id must hang on one node.
  scratch.exec('delete from plan_nodes where seq not in (select min(seq) from plan_nodes group by id)')

  function flush(): void {
    for (const [id, seq] of given.splice(0)) scratch.run('update plan_nodes set id = ? where seq = ?', id, seq)
  }
}
