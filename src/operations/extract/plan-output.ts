import { numberedComponent, twinKey } from '../../archive/member-names.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { type Timestamp, unixSeconds } from '../../std/clock.ts'
import { aboutNode, type Chosen } from '../contents/choose.ts'
import { contentsNodes, type PlacedNode } from '../contents/walk.ts'
import { uniquePath } from '../unique-path.ts'
import { fileOnDisk, folderOnDisk, nameOnDisk, versionOnDisk } from './names-on-disk.ts'

/** What stands beside the file of a document: its texts, or what is known of it. */
export type Companion = 'text' | 'json'

export interface OutputOptions {
  readonly versions: 'last' | 'all'
  readonly companions: readonly Companion[]
  /** Whether each user has a folder of his own. */
  readonly userFolders: boolean
  /** Names at the top that nothing else may have. */
  readonly reserved: readonly string[]
  /** No file is younger than that. */
  readonly now: Timestamp
  /** Told of a document that never had a file. */
  readonly onNoFile: (about: string) => void
}

/**
 * What is to be written: items in the order of the walk, each in a folder that is an item too (0: the place itself); beside
 * a document what accompanies it; and then each file with its path (JSON) and what becomes of it.
 */
const tables = `
  create table output_items (item integer primary key, parent integer not null, kind text not null, node integer,
    version text, about text not null, wanted text not null, kept integer not null, mtime integer not null);
  create table output_names (item integer not null, parent integer not null, name text not null, key text not null,
    primary key (parent, key)) without rowid;
  create index output_names_item on output_names (item);
  create table output_extras (item integer not null, kind text not null, version text not null, name text not null,
    mtime integer not null);
  create index output_extras_item on output_extras (item);
  create table output_files (n integer primary key, kind text not null, path text not null, about text not null, node integer,
    version text, media_key text, sha256 text, size integer, mtime integer not null, state text not null default 'wanted');
  create index output_files_key on output_files (media_key);
  create table shortened (key text primary key) without rowid`

/**
 * Gives a path to every folder, file and companion of what was chosen, in `output_files`: names that every file system
 * takes, twins numbered. Names that need no change are given first. Memory does not grow with the contents.
 */
export function planOutput(scratch: Scratch, chosen: readonly Chosen[], options: OutputOptions): void {
  scratch.exec(tables)
  scratch.exec('begin')
  for (const name of options.reserved) scratch.run('insert into output_names values (0, 0, ?, ?)', name, twinKey(name))
  addItems(scratch, chosen, options)
  nameItems(scratch)
  nameExtras(scratch, options)
  placeFiles(scratch)
  scratch.exec('commit')
}

interface Item {
  readonly parent: number
  readonly kind: 'folder' | 'file'
  readonly title: string
  readonly wanted: string
  readonly about: string
  readonly mtime: number
  readonly node?: number
  readonly version?: string
}

function addItems(scratch: Scratch, chosen: readonly Chosen[], options: OutputOptions): void {
  let last = 0
  function add({ parent, kind, node, version, about, title, wanted, mtime }: Item): number {
    last += 1
    scratch.run(
      'insert into output_items values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      last,
      parent,
      kind,
      node ?? null,
      version ?? null,
      about,
      wanted,
      Number(title === wanted),
      mtime,
    )
    return last
  }

  function addNode(parent: number, user: ScratchRow, { row, path }: PlacedNode): number {
    const title = String(row.title)
    const [node, about] = [Number(row.seq), aboutNode(user, path)]
    if (row.type === 'folder') {
      const wanted = folderOnDisk(title, path.length === 1)
      return add({ parent, kind: 'folder', node, about, title, wanted, mtime: mtimeOf(options.now, row.updated_at) })
    }
    const version = newestWithFile(scratch, row)
    if (version === undefined) {
      options.onNoFile(about)
      return last
    }
    const mtime = mtimeOf(options.now, version.created_at ?? row.updated_at)
    const wanted = fileOnDisk(title, version)
    return add({ parent, kind: 'file', node, version: String(version.id), about, title, wanted, mtime })
  }

  for (const { user, node } of chosen) {
    let parent = 0
    if (node === undefined && options.userFolders) {
      const title = String(user.username)
      const mtime = mtimeOf(options.now, user.updated_at)
      parent = add({ parent, kind: 'folder', title, wanted: nameOnDisk(title), about: title, mtime })
    } else if (node !== undefined) {
      parent = addNode(0, user, node)
      if (node.row.type !== 'folder') continue
    }
    const below = node === undefined ? undefined : { seq: Number(node.row.seq), path: node.path }
    const start = below?.path.length ?? 0
    const parents = [parent]
    for (const placed of contentsNodes(scratch, Number(user.u), below)) {
      parents.length = placed.path.length - start
      const item = addNode(parents.at(-1)!, user, placed)
      if (placed.row.type === 'folder') parents.push(item)
    }
  }
}

const versionsWithFile = `select id, number, file_name, media_type, created_at from plan_versions
  where document_id = ? and file_name is not null order by number desc`

const newestWithFile = (scratch: Scratch, row: ScratchRow): ScratchRow | undefined =>
  scratch.first(`${versionsWithFile} limit 1`, row.id!)

/** Seconds since 1970 of a moment, or of now where it is not known or lies ahead. */
const mtimeOf = (now: Timestamp, moment: string | number | null | undefined): number =>
  unixSeconds(typeof moment !== 'string' || moment > now ? now : moment)

function nameItems(scratch: Scratch): void {
  for (const kept of [1, 0]) {
    const rows = scratch.rows(
      'select item, parent, wanted from output_items where kept = ? order by parent, wanted, item',
      kept,
    )
    const before = { parent: -1, wanted: '', number: 1 }
    for (const { item, parent, wanted } of rows) {
      // Where thousands want one name, each goes on where the one before it found its own.
      const again = before.parent === parent && before.wanted === wanted
      const { number } = giveName(scratch, Number(item), Number(parent), String(wanted), again ? before.number : 1)
      Object.assign(before, { parent, wanted, number })
    }
  }
}

/** Gives the name, numbered from `from` on where it is taken. */
function giveName(
  scratch: Scratch,
  item: number,
  parent: number,
  wanted: string,
  from = 1,
): { readonly name: string; readonly number: number } {
  let number = from
  let name = number === 1 ? wanted : nameOnDisk(numberedComponent(wanted, number))
  const taken = 'select 1 as n from output_names where parent = ? and key = ?'
  while (scratch.first(taken, parent, twinKey(name)) !== undefined) {
    number += 1
    name = nameOnDisk(numberedComponent(wanted, number))
  }
  scratch.run('insert into output_names values (?, ?, ?, ?)', item, parent, name, twinKey(name))
  return { name, number }
}

/** Names that follow from the one that a document's file was given. */
function nameExtras(scratch: Scratch, { versions, companions, now }: OutputOptions): void {
  if (versions === 'last' && companions.length === 0) return
  for (const row of scratch.rows("select * from output_items where kind = 'file' order by item")) {
    const [item, parent] = [Number(row.item), Number(row.parent)]
    const name = String(scratch.first('select name from output_names where item = ?', item)?.name)
    const add = (kind: string, version: string, wanted: string, mtime: number): void => {
      // As no item of its own: the name belongs to the item's file.
      const { name: given } = giveName(scratch, 0, parent, wanted)
      scratch.run('insert into output_extras values (?, ?, ?, ?, ?)', item, kind, version, given, mtime)
    }
    for (const kind of companions.filter((each) => each !== 'text' || hasText(scratch, String(row.version))))
      add(kind, String(row.version), `${name}${kind === 'text' ? '.txt' : '.json'}`, Number(row.mtime))
    if (versions === 'last') continue
    const document = scratch.first('select id, updated_at from plan_nodes where seq = ?', row.node!)!
    for (const version of scratch.all(versionsWithFile, document.id!).slice(1))
      add(
        'file',
        String(version.id),
        versionOnDisk(name, version),
        mtimeOf(now, version.created_at ?? document.updated_at),
      )
  }
}

const hasText = (scratch: Scratch, version: string): boolean =>
  scratch.first(
    `select 1 as n from plan_versions where id = ?1 and text <> ''
     union all select 1 from plan_pages where version_id = ?1 and text <> '' limit 1`,
    version,
  ) !== undefined

function placeFiles(scratch: Scratch): void {
  const open: { readonly item: number; readonly path: readonly string[] }[] = [{ item: 0, path: [] }]
  const rows = scratch.rows(`
    select i.item, i.parent, i.kind, i.node, i.version, i.about, n.name, i.mtime
    from output_items i join output_names n on n.item = i.item order by i.item`)
  for (const row of rows) {
    while (open.at(-1)!.item !== row.parent) open.pop()
    const folder = open.at(-1)!.path
    const path = [...folder, String(row.name)]
    if (row.kind === 'folder') open.push({ item: Number(row.item), path })
    place(scratch, row, uniquePath(scratch, path))
    const extras = 'select kind, version, name, mtime from output_extras where item = ? order by rowid'
    for (const extra of row.kind === 'folder' ? [] : scratch.all(extras, row.item!)) {
      place(scratch, { ...row, ...extra }, uniquePath(scratch, [...folder, String(extra.name)]))
    }
  }
}

function place(scratch: Scratch, { kind, node, version, about, mtime }: ScratchRow, path: readonly string[]): void {
  const file =
    kind === 'file'
      ? scratch.first('select media_key, sha256, size from plan_versions where id = ?', version!)
      : undefined
  scratch.run(
    `insert into output_files (kind, path, about, node, version, media_key, sha256, size, mtime)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    kind!,
    JSON.stringify(path),
    about!,
    node ?? null,
    version ?? null,
    file?.media_key ?? null,
    file?.sha256 ?? null,
    file?.size ?? null,
    mtime!,
  )
}
