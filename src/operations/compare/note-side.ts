import { createHash } from 'node:crypto'
import type { NoticeCollector } from '../../contract/notices.ts'
import type { Scratch, ScratchRow } from '../../database/scratch.ts'
import { keyOf } from './match.ts'
import { placeOf } from './places.ts'
import { sideNumber, type ComparedContents, type Kind } from './tables.ts'

interface Noting extends ComparedContents {
  readonly scratch: Scratch
  readonly quick: boolean
  readonly warnings: NoticeCollector
  /** Counts a file that is not what its row says. */
  readonly onDamage: () => void
  /** Is told once that a side leaves something open that others say. */
  readonly onUnsaid: () => void
}

type Values = Readonly<Record<string, string | number | null>>

interface Thing {
  readonly id: string
  readonly up?: readonly [kind: Kind, id: string]
  readonly name: string
  readonly owner?: string
  readonly document?: string
  readonly depth?: number
  readonly trashed?: number
  readonly version?: number
  readonly page?: number
  readonly refs?: readonly string[]
  readonly deletedParent?: string | null
  readonly fields: Values
}

function insert({ scratch, side }: Noting, kind: Kind, thing: Thing): void {
  scratch.run(
    `insert into things (side, kind, id, key, up_kind, up, name, owner, document, depth, trashed, version, page, refs, deleted_parent,
       fields) values (?1, ?2, ?3, case ?1 when 0 then ?3 else (select id from things where side = 0 and kind = ?2 and id = ?3) end,
       ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)`,
    sideNumber[side],
    kind,
    thing.id,
    thing.up?.[0] ?? null,
    thing.up?.[1] ?? null,
    thing.name,
    thing.owner ?? null,
    thing.document ?? null,
    thing.depth ?? 0,
    thing.trashed ?? null,
    thing.version ?? null,
    thing.page ?? null,
    thing.refs === undefined ? null : JSON.stringify(thing.refs),
    thing.deletedParent ?? null,
    JSON.stringify(thing.fields),
  )
}

const pick = (row: ScratchRow, columns: readonly string[]): Record<string, string | number | null> =>
  Object.fromEntries(columns.map((column) => [column, row[column] ?? null]))

/** What a foreign archive does not say is no difference: a restore takes it from the instance, or leaves it open. */
function said({ own, onUnsaid }: Noting, values: Values, mayBeUnsaid: ReadonlySet<string>): Values {
  if (own) return values
  const kept = Object.entries(values).filter(([column, value]) => value !== null || !mayBeUnsaid.has(column))
  if (kept.length < Object.keys(values).length) onUnsaid()
  return Object.fromEntries(kept)
}

const userColumns = [
  ...['username', 'password', 'email', 'first_name', 'last_name', 'is_active', 'is_superuser', 'is_staff'],
  ...['date_joined', 'last_login', 'created_at', 'updated_at'],
]
const userMayLack = new Set(userColumns)
const dates = new Set(['created_at', 'updated_at'])

const textHash = (text: string | number | null | undefined): string =>
  text === '' || text === null || text === undefined
    ? ''
    : createHash('sha256').update(String(text)).digest('base64url').slice(0, 32)

/** Ids of what is matched already, as keys. */
const keysOf = ({ scratch, side }: Noting, kind: Kind, ids: readonly string[]): string[] =>
  ids.map((id) => (side === 'left' ? id : keyOf(scratch, kind, id))).toSorted()

const idsOf = (rows: readonly ScratchRow[]): string[] => rows.map(({ id }) => String(id))

/** Notes all things of a kind; those of the kinds before it are matched. */
export const noteKind: Readonly<Record<Kind, (noting: Noting) => void>> = {
  group(noting) {
    for (const { id, name } of noting.contents.scratch.rows('select id, name from plan_groups'))
      insert(noting, 'group', { id: String(id), name: String(name), fields: { name: name! } })
  },

  user(noting) {
    const { scratch } = noting.contents
    for (const row of scratch.rows('select * from plan_users')) {
      const groups = scratch.all('select group_id as id from plan_memberships where user_id = ?', row.id!)
      insert(noting, 'user', {
        id: String(row.id),
        name: String(row.username),
        refs: keysOf(noting, 'group', idsOf(groups)),
        fields: said(noting, pick(row, userColumns), userMayLack),
      })
    }
  },

  tag(noting) {
    for (const row of noting.contents.scratch.rows('select * from plan_tags')) {
      insert(noting, 'tag', {
        id: String(row.id),
        up: ['user', String(row.user_id)],
        name: String(row.name),
        owner: String(row.user_id),
        fields: pick(row, ['name', 'bg_color', 'fg_color', 'description', 'pinned']),
      })
    }
  },

  node(noting) {
    const { scratch } = noting.contents
    for (const row of scratch.rows('select * from plan_nodes')) {
      const tags = scratch.all('select tag_id as id from plan_node_tags where node_id = ?', row.id!)
      const { type, title, deleted_at, deleted_from } = row
      const fields = pick(row, [
        ...['type', 'title', 'created_at', 'updated_at', 'lang', 'ocr', 'ocr_status', 'deleted_at', 'deleted_from'],
      ])
      insert(noting, 'node', {
        id: String(row.id),
        up: row.parent_id === null ? ['user', String(row.user_id)] : ['node', String(row.parent_id)],
        name: JSON.stringify([type, title, deleted_at, deleted_from]),
        owner: String(row.user_id),
        depth: Number(row.depth),
        trashed: Number(row.in_trash),
        refs: keysOf(noting, 'tag', idsOf(tags)),
        deletedParent: row.deleted_parent === null ? null : String(row.deleted_parent),
        fields: said(noting, fields, dates),
      })
    }
  },

  version(noting) {
    for (const row of noting.contents.scratch.rows('select * from plan_versions')) {
      const { number, file_name, size, sha256, media_type, page_count, lang, short_description, created_at } = row
      const text = textHash(row.text)
      const documentId = String(row.document_id)
      const values = {
        number,
        file_name,
        size,
        sha256,
        media_type,
        page_count,
        lang,
        short_description,
        text,
        created_at,
      }
      const what = `the file of version ${String(number)}`
      insert(noting, 'version', {
        id: String(row.id),
        up: ['node', documentId],
        name: String(number),
        document: documentId,
        version: Number(number),
        fields: { ...said(noting, values as Values, dates), ...bytesOf(noting, row, documentId, what) },
      })
    }
  },

  page(noting) {
    const rows = noting.contents.scratch.rows(
      'select p.*, v.document_id, v.number as version from plan_pages p join plan_versions v on v.id = p.version_id',
    )
    for (const row of rows) {
      insert(noting, 'page', {
        id: String(row.id),
        up: ['version', String(row.version_id)],
        name: String(row.number),
        document: String(row.document_id),
        version: Number(row.version),
        page: Number(row.number),
        fields: { number: row.number!, lang: row.lang!, text: textHash(row.text) },
      })
    }
  },

  sidecar(noting) {
    const rows = noting.contents.scratch.rows(
      `select s.*, p.number as page, v.document_id, v.number as version from plan_sidecars s
       join plan_pages p on p.id = s.page_id join plan_versions v on v.id = p.version_id`,
    )
    for (const row of rows) {
      const documentId = String(row.document_id)
      const what = `${String(row.kind)} of page ${String(row.page)} of version ${String(row.version)}`
      insert(noting, 'sidecar', {
        id: `${String(row.page_id)} ${String(row.kind)}`,
        up: ['page', String(row.page_id)],
        name: String(row.kind),
        document: documentId,
        version: Number(row.version),
        page: Number(row.page),
        fields: { ...pick(row, ['size', 'sha256']), ...bytesOf(noting, row, documentId, what) },
      })
    }
  },
}

/** The true hash of the file; null where there is none, or none that can be read. Tells of one that is not what its row says. */
function bytesOf(noting: Noting, row: ScratchRow, documentId: string, what: string): Values {
  const { scratch, side, label, quick, warnings, onDamage } = noting
  if (quick) return {}
  if (row.sha256 === null) return { bytes: null }
  const damaged = (problem: string): void => {
    onDamage()
    const { username, name } = placeOf(scratch, side, side === 'left' ? documentId : keyOf(scratch, 'node', documentId))
    warnings.add(
      side === 'left' ? 'compare.damaged_a' : 'compare.damaged_b',
      `${username}: ${name}`,
      `In ${label}, ${what} ${problem}.`,
    )
  }
  if (row.media_key === null) {
    damaged('was lost before')
    return { bytes: null }
  }
  const file = scratch.first(
    'select size, sha256, reason from files where side = ? and key = ?',
    sideNumber[side],
    row.media_key!,
  )
  if (file === undefined || file.sha256 === null)
    damaged(`cannot be read: ${String(file?.reason ?? 'it is not there')}`)
  else if (file.sha256 !== row.sha256 || file.size !== row.size) damaged('is not what its row says')
  return { bytes: file?.sha256 ?? null }
}
