import type { JsonRecord } from '../../archive/json-records.ts'
import {
  headerSchema,
  nodeSchema,
  pageSchema,
  readRecord,
  tagSchema,
  userSchema,
  versionSchema,
  withOwnKeys,
  type HeaderRecord,
} from '../../archive/records.ts'
import type { Scratch } from '../../database/scratch.ts'

/**
 * Raw records by their places in backup.json: user, own (1 for what lies in the user's `strongroom.nodes`), node, version,
 * page. Written numbers and names are those that Papermerge sees; files lie by them, and `wanted` are the true ones. Members
 * have the order of the archive. Rows that hold long texts are kept in the order in which they come, with an index beside
 * them: within an index each would take pages of its own.
 */
const tables = `
  create table raw_users (u integer primary key, record text not null);
  create table raw_tags (u integer, t integer, record text not null, primary key (u, t)) without rowid;
  create table raw_nodes (u integer, own integer, n integer, record text not null, primary key (u, own, n)) without rowid;
  create table raw_node_tags (u integer, own integer, n integer, t integer, record text not null,
    primary key (u, own, n, t)) without rowid;
  create table raw_versions (u integer, own integer, n integer, v integer, number integer, file_name text, wanted integer,
    record text not null);
  create index raw_versions_place on raw_versions (u, own, n, v, number, wanted);
  create table raw_pages (u integer, own integer, n integer, v integer, p integer, number integer, wanted integer,
    record text not null);
  create index raw_pages_place on raw_pages (u, own, n, v, p, number, wanted);
  create table members (seq integer primary key, path text not null unique, type text not null, size integer not null,
    sha256 text not null, media_type text, used integer not null default 0);
  create table damage (version text, page text, path text, what text not null, reason text);
  create index damage_path on damage (path)`

/** Makes them empty. */
export function createRawTables(scratch: Scratch): void {
  for (const [, table] of tables.matchAll(/create table (\w+)/g)) scratch.exec(`drop table if exists ${table}`)
  scratch.exec(tables)
}

/** A file that was met, as a row of `members`. */
export interface MetFile {
  readonly path: string
  readonly type: 'file' | 'folder' | 'damaged'
  readonly size: number
  /** Empty where there is none. */
  readonly sha256: string
  readonly mediaType: string | null
}

export const insertMember = (scratch: Scratch, { path, type, size, sha256, mediaType }: MetFile): void =>
  scratch.run(
    'insert into members (path, type, size, sha256, media_type) values (?, ?, ?, ?, ?)',
    path,
    type,
    size,
    sha256,
    mediaType,
  )

/** Keeps records of the shape of backup.json, wherever they come from, each checked by its schema. */
export interface RecordKeeper {
  /** What is wrong with a record goes to `invalid`, and the record nowhere. */
  keep(record: JsonRecord): void
  /** The top level, once it was kept. */
  header(): HeaderRecord | undefined
}

export function createRecordKeeper(scratch: Scratch, invalid: (reason: string) => void): RecordKeeper {
  let header: HeaderRecord | undefined
  return { keep, header: () => header }

  function keep({ path, places, value }: JsonRecord): void {
    const merged = withOwnKeys(value)
    const own = path.startsWith('users.strongroom.') ? 1 : 0
    const [u = 0, n = 0, v = 0, p = 0] = places
    switch (own === 1 ? path.replace('.strongroom', '') : path) {
      case '': {
        const read = readRecord(headerSchema, value)
        if ('problem' in read) return invalid(`top level: ${read.problem}`)
        header = read.value
        return
      }
      case 'users': {
        const read = readRecord(userSchema, merged)
        if ('problem' in read) return invalid(`users[${u}]: ${read.problem}`)
        return scratch.run('insert into raw_users values (?, ?)', u, JSON.stringify(read.value))
      }
      case 'users.tags': {
        const read = readRecord(tagSchema, merged)
        if ('problem' in read) return invalid(`users[${u}].tags[${n}]: ${read.problem}`)
        return scratch.run('insert into raw_tags values (?, ?, ?)', u, n, JSON.stringify(read.value))
      }
      case 'users.nodes': {
        const read = readRecord(nodeSchema, merged)
        if ('problem' in read) return invalid(`users[${u}].nodes[${n}]: ${read.problem}`)
        return scratch.run('insert into raw_nodes values (?, ?, ?, ?)', u, own, n, JSON.stringify(read.value))
      }
      case 'users.nodes.tags': {
        const read = readRecord(tagSchema, merged)
        if ('problem' in read) return invalid(`users[${u}].nodes[${n}].tags[${v}]: ${read.problem}`)
        return scratch.run('insert into raw_node_tags values (?, ?, ?, ?, ?)', u, own, n, v, JSON.stringify(read.value))
      }
      case 'users.nodes.versions': {
        const written = readRecord(versionSchema, value)
        const read = readRecord(versionSchema, merged)
        if ('problem' in written) return invalid(`users[${u}].nodes[${n}].versions[${v}]: ${written.problem}`)
        if ('problem' in read) return invalid(`users[${u}].nodes[${n}].versions[${v}]: ${read.problem}`)
        return scratch.run(
          'insert into raw_versions values (?, ?, ?, ?, ?, ?, ?, ?)',
          u,
          own,
          n,
          v,
          written.value.number,
          written.value.file_name ?? null,
          read.value.number,
          JSON.stringify(read.value),
        )
      }
      default: {
        const written = readRecord(pageSchema, value)
        const read = readRecord(pageSchema, merged)
        const place = `users[${u}].nodes[${n}].versions[${v}].pages[${p}]`
        if ('problem' in written) return invalid(`${place}: ${written.problem}`)
        if ('problem' in read) return invalid(`${place}: ${read.problem}`)
        return scratch.run(
          'insert into raw_pages values (?, ?, ?, ?, ?, ?, ?, ?)',
          u,
          own,
          n,
          v,
          p,
          written.value.number,
          read.value.number,
          JSON.stringify(read.value),
        )
      }
    }
  }
}
