import type { Hit } from '../../contract/find-report.ts'
import type { Scratch } from '../../database/scratch.ts'
import { foldText } from '../../std/text.ts'
import type { Chosen } from '../contents/choose.ts'
import { contentsNodes, type PlacedNode } from '../contents/walk.ts'

/** Characters before and after what was found. */
const around = 40

/**
 * The folders and documents of what was chosen that have the text in a title, a tag or a page, whatever its case and accents;
 * each once, at the first place where it was found: title, tags, pages from the newest version to the oldest.
 */
export function* findText(
  scratch: Scratch,
  chosen: readonly Chosen[],
  { text, trash }: { readonly text: string; readonly trash: boolean },
): Generator<Hit | undefined, void, undefined> {
  const wanted = foldText(text).trim()
  for (const { user, node } of chosen) {
    for (const placed of nodesOf(scratch, Number(user.u), node, trash)) {
      const place = findPlace(scratch, placed, wanted)
      yield place === undefined
        ? undefined
        : {
            username: String(user.username),
            type: placed.row.type === 'folder' ? 'folder' : 'document',
            id: String(placed.row.id),
            path: placed.path,
            in_trash: placed.row.in_trash === 1,
            ...place,
          }
    }
  }
}

function* nodesOf(
  scratch: Scratch,
  u: number,
  node: PlacedNode | undefined,
  trash: boolean,
): Generator<PlacedNode, void, undefined> {
  if (node === undefined) yield* contentsNodes(scratch, u, undefined, trash)
  else yield node
  if (node?.row.type === 'folder') yield* contentsNodes(scratch, u, { seq: Number(node.row.seq), path: node.path })
}

type Place = Pick<Hit, 'found' | 'version' | 'page' | 'snippet'>

const tagsOf =
  'select t.name from plan_node_tags n join plan_tags t on t.id = n.tag_id where n.node_id = ? order by t.name'

const textsOf = `
  select version, page, text from (
    select v.number as version, p.number as page, p.text from plan_versions v join plan_pages p on p.version_id = v.id
      where v.document_id = ?1
    union all select number, null, text from plan_versions where document_id = ?1)
  order by version desc, page is null, page`

function findPlace(scratch: Scratch, { row }: PlacedNode, wanted: string): Place | undefined {
  const nowhere = { version: null, page: null }
  const has = (text: string): boolean => foldText(text).includes(wanted)
  const title = String(row.title)
  if (has(title)) return { found: 'title', ...nowhere, snippet: snippetOf(title, wanted) }
  for (const { name } of scratch.all(tagsOf, row.id!))
    if (has(String(name))) return { found: 'tag', ...nowhere, snippet: snippetOf(String(name), wanted) }
  if (row.type === 'folder') return undefined
  for (const { version, page, text } of scratch.rows(textsOf, row.id!)) {
    if (!has(String(text))) continue
    const where = { version: Number(version), page: page === null ? null : Number(page) }
    return { found: 'text', ...where, snippet: snippetOf(String(text), wanted) }
  }
  return undefined
}

/** What stands around the text that was found, as it is written there, on one line. */
function snippetOf(text: string, wanted: string): string {
  const places: number[] = []
  let folded = ''
  let at = 0
  for (const character of text) {
    let own = foldText(character)
    if (own === ' ' && folded.endsWith(' ')) own = ''
    for (let index = 0; index < own.length; index += 1) places.push(at)
    folded += own
    at += character.length
  }
  const found = folded.indexOf(wanted)
  const start = Math.max(0, (places[found] ?? 0) - around)
  const end = Math.min(text.length, (places[found + wanted.length - 1] ?? 0) + 1 + around)
  const piece = text.slice(start, end).toWellFormed().replace(/\s+/g, ' ').trim()
  return `${start > 0 ? '…' : ''}${piece}${end < text.length ? '…' : ''}`
}
